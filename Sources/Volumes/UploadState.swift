/// What of one upload has come, where it lies, and who may write what of it next: the chunk
/// assembler's decisions. Asks nobody, waits for nothing; its owner does what it says.
///
/// Bytes come in whole blocks, which their receiver writes itself, and in parts of blocks, which
/// wait here until their block is whole. Then it is written, once: what was told to be durable is
/// never rewritten in place.
///
/// Invariant: every byte of `received` lies on the volume, or in one of `fragments`; no two
/// writers' ranges overlap.

import Checksums

public struct UploadState: Sendable {
    public struct Writer: Equatable, Sendable {
        public let number: UInt64
        public let range: Range<UInt64>
        /// It goes on where the upload's beginning ends: see `ChunkClaim`.
        public let isSequential: Bool
    }

    /// A block of which not all bytes have come, or whose write has not ended; and the upload's
    /// last block, if it is short, to the end: its checksum covers no whole block.
    public struct Fragment: Equatable, Sendable {
        public enum Stage: Equatable, Sendable { case waiting, beingWritten, written }

        /// A whole block; zeros where nothing has come.
        public internal(set) var bytes: [UInt8]
        public internal(set) var stage = Stage.waiting
    }

    /// Bytes of the whole; nil while nobody has said.
    public private(set) var length: UInt64?
    public private(set) var received = ExtentMap()
    public private(set) var space = SpaceMap()
    public private(set) var checksums = BlockChecksums()
    /// By block number.
    public private(set) var fragments: [UInt64: Fragment] = [:]
    public private(set) var writers: [Writer] = []
    /// Blocks that were written while somebody writes there who was told that they wait here, and
    /// may send parts of them again: those are compared with this.
    private var lingering: [UInt64: [UInt8]] = [:]
    /// Counts whoever was allowed to write: what an older one still says is not believed.
    public private(set) var generation: UInt64
    /// No upload may be longer.
    public let bytesMax: UInt64

    public init(length: UInt64?, bytesMax: UInt64, generation: UInt64 = 0) {
        self.length = length
        self.bytesMax = bytesMax
        self.generation = generation
    }

    /// As it was recorded.
    public init(
        length: UInt64?, bytesMax: UInt64, generation: UInt64, received: ExtentMap,
        space: SpaceMap, checksums: BlockChecksums, fragments: [UInt64: [UInt8]]
    ) {
        self.init(length: length, bytesMax: bytesMax, generation: generation)
        self.received = received
        self.space = space
        self.checksums = checksums
        self.fragments = fragments.mapValues { Fragment(bytes: $0) }
    }

    /// Takes over what came of a plain upload that broke off: whole units from its start on.
    public mutating func adopt(_ extents: [Extent], units: [UInt32]) {
        precondition(received.isEmpty && space.isEmpty, "an upload begins once")
        space.add(at: 0, extents)
        for (unit, checksum) in units.enumerated() { checksums.add(unit: unit, checksum: checksum) }
        received.insert(0..<UInt64(units.count * VolumeLayout.checksumUnit))
    }

    /// How much of its beginning has come: where a client that sends in order goes on.
    public var offset: UInt64 { received.prefixEnd }

    /// Every byte has come, and the last writer has ended.
    public var isComplete: Bool { hasEveryByte && writers.isEmpty }

    /// Every byte has come; somebody may still be sending some of them again.
    public var hasEveryByte: Bool { length == received.byteCount }

    static let blockSize = UInt64(VolumeLayout.blockSize)

    // MARK: Claims

    public enum Admission: Equatable, Sendable {
        case granted
        /// These must have ended before; then ask again.
        case preempts([UInt64])
    }

    /// Whether a chunk may come now. Nothing has changed when this answers.
    public func admit(_ claim: ChunkClaim) throws(ChunkRefusal) -> Admission {
        if let known = length, let told = claim.length, known != told {
            throw .inconsistentLength
        }
        let limit = min(length ?? claim.length ?? bytesMax, bytesMax)
        if let told = claim.length {
            guard told <= bytesMax else { throw .tooLong(limit: bytesMax) }
            guard told >= received.end else { throw .inconsistentLength }
        }
        // Whoever still writes may bring the very bytes that this one goes on behind.
        let rivals = writers.filter { claim.isSequential || $0.range.overlaps(claim.range) }
        if !rivals.isEmpty { return .preempts(rivals.map(\.number)) }
        if claim.isSequential, claim.offset != offset { throw .wrongOffset(expected: offset) }
        guard claim.offset <= limit, claim.end ?? claim.offset <= limit
        else { throw .tooLong(limit: limit) }
        guard hasRoom(for: claim) else { throw .tooScattered }
        return .granted
    }

    /// Lets a chunk in that `admit` granted. Answers its writer's number.
    public mutating func open(_ claim: ChunkClaim) -> UInt64 {
        generation += 1
        if let told = claim.length { length = told }
        let end = claim.end ?? mostEnd(of: claim)
        precondition(
            !writers.contains { $0.range.overlaps(claim.offset..<end) }, "two writers at one place")
        writers.append(
            Writer(
                number: generation, range: claim.offset..<end, isSequential: claim.isSequential))
        return generation
    }

    /// Where a chunk that does not say so ends at the latest.
    private func mostEnd(of claim: ChunkClaim) -> UInt64 {
        let limit = length ?? bytesMax
        guard let most = claim.byteCountMax, limit - claim.offset > most else { return limit }
        return claim.offset + most
    }

    public mutating func close(_ writer: UInt64) {
        writers.removeAll { $0.number == writer }
        lingering = lingering.filter { mayComeAgain($0.key) }
    }

    private func mayComeAgain(_ block: UInt64) -> Bool {
        let start = block * UploadState.blockSize
        return writers.contains { $0.range.overlaps(start..<start + UploadState.blockSize) }
    }

    /// The end turned out to be here: the last chunk said so.
    public mutating func end(at length: UInt64) throws(ChunkRefusal) {
        guard self.length.map({ $0 == length }) ?? true, received.end <= length
        else { throw .inconsistentLength }
        self.length = length
    }

    // MARK: Space

    /// Blocks that bytes of `range` need and that are not reserved yet.
    public func missingSpace(for range: Range<UInt64>) -> [Range<UInt64>] {
        guard !range.isEmpty else { return [] }
        return space.missing(in: UploadState.blocks(of: range))
    }

    private static func blocks(of range: Range<UInt64>) -> Range<UInt64> {
        range.lowerBound / blockSize..<VolumeLayout.blocks(for: range.upperBound)
    }

    /// Blocks for bytes of `range` of which nothing has come, but to whose places something else
    /// may: for who is about to bring those bytes, alone.
    public func suspectSpace(
        for range: Range<UInt64>, where mayCome: (Extent) -> Bool
    ) -> [Range<UInt64>] {
        guard !range.isEmpty else { return [] }
        let blocks = UploadState.blocks(of: range)
        let bytes =
            blocks.lowerBound * UploadState.blockSize..<blocks.upperBound * UploadState.blockSize
        var suspects: [Range<UInt64>] = []
        for gap in received.missing(in: bytes) {
            let first = VolumeLayout.blocks(for: gap.lowerBound)
            let end = gap.upperBound / UploadState.blockSize
            guard first < end else { continue }
            for place in space.places(of: first..<end) where mayCome(place.extent) {
                suspects.append(place.blocks)
            }
        }
        return suspects
    }

    /// Lays `extents` under those blocks, in place of what some may have; nobody has brought any.
    public mutating func lay(_ extents: [Extent], under blocks: Range<UInt64>) -> [Extent] {
        let left = space.remove(blocks)
        space.add(at: blocks.lowerBound, extents)
        return left
    }

    public mutating func add(space extents: [Extent], at block: UInt64) {
        space.add(at: block, extents)
    }

    /// Takes away what is reserved behind the last byte that came or that a writer may bring.
    public mutating func releaseUnused() -> [Extent] { space.remove(unused) }

    /// Forgets the blocks in between of which nothing has come; nobody writes.
    public mutating func releaseGaps() {
        for gap in received.missing(in: 0..<received.end) {
            let first = VolumeLayout.blocks(for: gap.lowerBound)
            let end = gap.upperBound / UploadState.blockSize
            if first < end { _ = space.remove(first..<end) }
        }
    }

    /// What a record says of it: nothing behind the last byte that came. Whoever still writes there
    /// does so in vain once the power goes, and the space is free again.
    public var usedSpace: SpaceMap {
        var used = space
        _ = used.remove(VolumeLayout.blocks(for: received.end)..<UInt64.max)
        return used
    }

    /// Whether there is any that `releaseUnused` would take.
    public var hasUnusedSpace: Bool { (space.pieces.last?.end ?? 0) > unused.lowerBound }

    private var unused: Range<UInt64> {
        let most = max(received.end, writers.map(\.range.upperBound).max() ?? 0)
        return VolumeLayout.blocks(for: most)..<UInt64.max
    }

    // MARK: Bytes

    /// A block whose last missing bytes have come, ready to be written and flushed.
    public struct WholeBlock: Equatable, Sendable {
        public let number: UInt64
        /// Fewer than a block for the upload's last.
        public let bytes: [UInt8]
    }

    /// Takes what a writer tells, in the order in which it was told. Answers which blocks are now
    /// to be written; each of them is to be told of by `wrote`.
    public mutating func take(
        _ report: ChunkReport, from writer: UInt64
    ) throws(ChunkRefusal) -> [WholeBlock] {
        guard let writer = writers.first(where: { $0.number == writer }) else {
            preconditionFailure("a report of a writer that has ended")
        }
        for range in report.written {
            precondition(
                writer.range.contains(range.lowerBound)
                    && range.upperBound
                        <= writer.range.upperBound,
                "written where the writer may not")
            received.insert(range)
        }
        for unit in report.units { checksums.add(unit: Int(unit.number), checksum: unit.checksum) }
        for block in report.blocks { checksums.add(block: block.number, checksum: block.checksum) }
        for part in report.parts { try take(part) }
        return wholeBlocks()
    }

    private mutating func take(_ part: BlockPart) throws(ChunkRefusal) {
        let start = part.block * UploadState.blockSize
        let missing = received.missing(in: part.range)
        if var fragment = fragments[part.block] {
            for present in received.present(in: part.range) {
                for place in present {
                    let (stored, sent) = (Int(place - start), Int(place - part.offset))
                    guard fragment.bytes[stored] == part.bytes[sent]
                    else { throw .differs(at: place) }
                }
            }
            guard !missing.isEmpty else { return }
            precondition(fragment.stage == .waiting, "a block was whole before all had come")
            for range in missing {
                for place in range {
                    fragment.bytes[Int(place - start)] = part.bytes[Int(place - part.offset)]
                }
            }
            fragments[part.block] = fragment
        } else if let bytes = lingering[part.block] {
            for (index, byte) in part.bytes.enumerated()
            where bytes[Int(part.offset - start) + index] != byte {
                throw .differs(at: part.offset + UInt64(index))
            }
            return
        } else {
            precondition(
                received.present(in: part.range).isEmpty,
                "what lies on the volume is compared there")
            var bytes = [UInt8](repeating: 0, count: VolumeLayout.blockSize)
            for (index, byte) in part.bytes.enumerated() {
                bytes[Int(part.offset - start) + index] = byte
            }
            fragments[part.block] = Fragment(bytes: bytes)
        }
        received.insert(part.range)
    }

    /// Blocks to be written of which every byte has come.
    public mutating func wholeBlocks() -> [WholeBlock] {
        var whole: [WholeBlock] = []
        for (number, fragment) in fragments where fragment.stage == .waiting {
            let start = number * UploadState.blockSize
            let end = min(start + UploadState.blockSize, length ?? .max)
            guard received.contains(start..<end) else { continue }
            fragments[number]?.stage = .beingWritten
            let bytes = Array(fragment.bytes.prefix(Int(end - start)))
            whole.append(WholeBlock(number: number, bytes: bytes))
        }
        return whole.sorted { $0.number < $1.number }
    }

    /// That block lies on the volume; only a record that is made later may leave its bytes out,
    /// and only once it is flushed.
    public mutating func wrote(_ block: WholeBlock) {
        precondition(fragments[block.number]?.stage == .beingWritten, "nobody writes that block")
        let checksum = crc32c(block.bytes.span.rawBytes)
        if block.bytes.count == VolumeLayout.blockSize {
            fragments[block.number] = nil
            if mayComeAgain(block.number) { lingering[block.number] = block.bytes }
            checksums.add(block: block.number, checksum: checksum)
        } else {
            fragments[block.number]?.stage = .written
            checksums.setLast(
                block: block.number, checksum: checksum, byteCount: block.bytes.count)
        }
    }

    /// What of `range` lies on the volume: to be compared with what comes again.
    public func stored(in range: Range<UInt64>) -> ExtentMap {
        var stored = ExtentMap()
        for present in received.present(in: range) {
            var start = present.lowerBound
            while start < present.upperBound {
                let block = start / UploadState.blockSize
                let blockEnd = min((block + 1) * UploadState.blockSize, present.upperBound)
                if fragments[block] == nil { stored.insert(start..<blockEnd) }
                start = blockEnd
            }
        }
        return stored
    }

    public mutating func clearDirtyChecksums() { checksums.clearDirty() }

    /// A page that was taken to be stored was not.
    public mutating func markDirtyChecksums(_ page: Int) { checksums.markDirty(page) }
}
