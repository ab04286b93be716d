/// Where on the volumes the blocks of an upload lie, of which any may have no place yet.
///
/// Invariant: pieces ascend and do not overlap; neighbours in the upload that are neighbours on
/// the volume as well are one piece.
public struct SpaceMap: Equatable, Sendable {
    /// A run of blocks of the upload that lie in one extent.
    public struct Piece: Equatable, Sendable {
        /// Counted from the upload's start.
        public let firstBlock: UInt64
        public let extent: Extent

        public init(firstBlock: UInt64, extent: Extent) {
            precondition(
                firstBlock <= UInt64.max - UInt64(extent.count), "blocks beyond the last number")
            (self.firstBlock, self.extent) = (firstBlock, extent)
        }

        /// The upload's first block behind it.
        public var end: UInt64 { firstBlock + UInt64(extent.count) }
        public var blocks: Range<UInt64> { firstBlock..<end }
    }

    public private(set) var pieces: [Piece] = []
    /// Blocks that have a place.
    public private(set) var blockCount: UInt64 = 0

    public init() {}

    /// The map of these pieces; nil when they break the invariant.
    public init?(pieces: [Piece]) {
        for index in pieces.indices {
            blockCount += UInt64(pieces[index].extent.count)
            guard index > 0 else { continue }
            let before = pieces[index - 1]
            guard before.end <= pieces[index].firstBlock, before.joined(with: pieces[index]) == nil
            else { return nil }
        }
        self.pieces = pieces
    }

    public var isEmpty: Bool { pieces.isEmpty }

    /// Bytes of the blocks that have a place.
    public var byteCount: UInt64 { blockCount * UInt64(VolumeLayout.blockSize) }

    /// All extents, in the upload's order.
    public var extents: [Extent] { pieces.map(\.extent) }

    /// Whether all of `blocks` have a place.
    public func contains(_ blocks: Range<UInt64>) -> Bool {
        var position = blocks.lowerBound
        var index = firstIndex(endingBehind: position)
        while position < blocks.upperBound {
            guard index < pieces.count, pieces[index].firstBlock <= position else { return false }
            position = pieces[index].end
            index += 1
        }
        return true
    }

    /// The parts of `blocks` that have no place, in order.
    public func missing(in blocks: Range<UInt64>) -> [Range<UInt64>] {
        var missing: [Range<UInt64>] = []
        var position = blocks.lowerBound
        var index = firstIndex(endingBehind: position)
        while position < blocks.upperBound {
            let next = index < pieces.count ? pieces[index].firstBlock : blocks.upperBound
            if next > position { missing.append(position..<min(next, blocks.upperBound)) }
            guard index < pieces.count else { break }
            position = pieces[index].end
            index += 1
        }
        return missing
    }

    /// The places of `blocks`, of which any may have none, in order.
    public func places(of blocks: Range<UInt64>) -> [Piece] {
        guard !blocks.isEmpty else { return [] }
        let first = firstIndex(endingBehind: blocks.lowerBound)
        return pieces[first...].prefix { $0.firstBlock < blocks.upperBound }.map {
            $0.part($0.blocks.clamped(to: blocks))
        }
    }

    /// Where block `block` of the upload lies in its volume's file, and how many blocks from it on
    /// follow each other there; nil when it has no place.
    public func location(
        ofBlock block: UInt64
    ) -> (volume: VolumeID, fileOffset: UInt64, contiguousBlocks: UInt64)? {
        let index = firstIndex(endingBehind: block)
        guard index < pieces.count, pieces[index].firstBlock <= block else { return nil }
        let piece = pieces[index]
        let skipped = (block - piece.firstBlock) * UInt64(VolumeLayout.blockSize)
        return (piece.extent.volume, piece.extent.byteOffset + skipped, piece.end - block)
    }

    /// Lays `extents`, one behind the other, under the blocks from `firstBlock` on, none of which
    /// may have a place.
    public mutating func add(at firstBlock: UInt64, _ extents: [Extent]) {
        guard !extents.isEmpty else { return }
        var added: [Piece] = []
        for extent in extents {
            let piece = Piece(firstBlock: added.last?.end ?? firstBlock, extent: extent)
            if let joined = added.last?.joined(with: piece) {
                added[added.count - 1] = joined
            } else {
                added.append(piece)
            }
        }
        let blocks = firstBlock..<added[added.count - 1].end
        var lower = firstIndex(endingBehind: firstBlock)
        var upper = lower
        precondition(
            upper == pieces.count || pieces[upper].firstBlock >= blocks.upperBound,
            "of the blocks \(blocks) some have a place")
        blockCount += blocks.upperBound - blocks.lowerBound
        if lower > 0, let joined = pieces[lower - 1].joined(with: added[0]) {
            added[0] = joined
            lower -= 1
        }
        if upper < pieces.count, let joined = added[added.count - 1].joined(with: pieces[upper]) {
            added[added.count - 1] = joined
            upper += 1
        }
        pieces.replaceSubrange(lower..<upper, with: added)
    }

    /// Takes the places of `blocks` away, of which any may have none, and returns them in order.
    public mutating func remove(_ blocks: Range<UInt64>) -> [Extent] {
        guard !blocks.isEmpty else { return [] }
        let first = firstIndex(endingBehind: blocks.lowerBound)
        let behind = pieces.partitionIndex { $0.firstBlock >= blocks.upperBound }
        var removed: [Extent] = []
        var kept: [Piece] = []
        for piece in pieces[first..<behind] {
            let taken = piece.blocks.clamped(to: blocks)
            removed.append(piece.part(taken).extent)
            blockCount -= taken.upperBound - taken.lowerBound
            if piece.firstBlock < taken.lowerBound {
                kept.append(piece.part(piece.firstBlock..<taken.lowerBound))
            }
            if taken.upperBound < piece.end {
                kept.append(piece.part(taken.upperBound..<piece.end))
            }
        }
        pieces.replaceSubrange(first..<behind, with: kept)
        return removed
    }

    private func firstIndex(endingBehind block: UInt64) -> Int {
        pieces.partitionIndex { $0.end > block }
    }
}

extension SpaceMap.Piece {
    /// Both as one, where `next` goes on in the upload and on the volume.
    fileprivate func joined(with next: SpaceMap.Piece) -> SpaceMap.Piece? {
        guard end == next.firstBlock, extent.volume == next.extent.volume,
            extent.end == next.extent.start
        else { return nil }
        let count = extent.count + next.extent.count
        return SpaceMap.Piece(
            firstBlock: firstBlock,
            extent: Extent(volume: extent.volume, start: extent.start, count: count))
    }

    /// Its part that holds `blocks`, which lie in it.
    fileprivate func part(_ blocks: Range<UInt64>) -> SpaceMap.Piece {
        let start = extent.start + UInt32(blocks.lowerBound - firstBlock)
        let count = UInt32(blocks.upperBound - blocks.lowerBound)
        return SpaceMap.Piece(
            firstBlock: blocks.lowerBound,
            extent: Extent(volume: extent.volume, start: start, count: count))
    }
}
