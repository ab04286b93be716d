/// How a chunk's bytes are taken, step by step: written in whole blocks, handed to the upload's
/// owner where they fill only a part of one, or compared with what has come before.

/// Decides for the core that receives a chunk; knows what was there when the chunk was granted,
/// which nobody else can change meanwhile.
public struct ChunkSteps: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Whole blocks from a block's edge on, or up to the upload's last byte.
        case write
        /// Bytes of one block.
        case part
        /// Bytes that lie on the volume already.
        case compare
    }

    public struct Step: Equatable, Sendable {
        public let kind: Kind
        public let offset: UInt64
        public let count: Int
    }

    private static let blockSize = UInt64(VolumeLayout.blockSize)
    private static let unitSize = UInt64(VolumeLayout.checksumUnit)

    /// Behind the chunk's last byte; nil while that is not known.
    public let end: UInt64?
    /// Bytes of the whole upload, if known.
    public let length: UInt64?
    /// Bytes of the chunk's range that lie on the volume.
    private let stored: ExtentMap
    /// Blocks of which the owner holds a part.
    private let held: Set<UInt64>

    public init(end: UInt64?, length: UInt64?, stored: ExtentMap, held: Set<UInt64>) {
        (self.end, self.length, self.stored, self.held) = (end, length, stored, held)
    }

    /// The next bytes from `offset` on that are to be received in one piece: at most `countMax` of
    /// them, a multiple of 64 KiB. Nil at the end. A body that ends earlier than it should leaves
    /// a step short; what then does not fill a block is a part of one.
    public func next(at offset: UInt64, countMax: Int) -> Step? {
        precondition(
            countMax >= VolumeLayout.checksumUnit && countMax % VolumeLayout.checksumUnit == 0,
            "a buffer holds whole units")
        let end = end ?? .max
        guard offset < end else { return nil }
        if let run = stored.present(in: offset..<end).first, run.lowerBound == offset {
            let count = min(run.upperBound - offset, UInt64(countMax))
            return Step(kind: .compare, offset: offset, count: Int(count))
        }
        let most = writable(from: offset, before: end)
        guard most > offset else {
            let blockEnd = (offset / ChunkSteps.blockSize + 1) * ChunkSteps.blockSize
            let limit = nextStored(behind: offset, before: min(blockEnd, end))
            return Step(kind: .part, offset: offset, count: Int(limit - offset))
        }
        // Up to the next unit's edge first, so that a buffer holds whole units from then on.
        let toEdge = ChunkSteps.unitSize - offset % ChunkSteps.unitSize
        let room = toEdge == ChunkSteps.unitSize ? UInt64(countMax) : toEdge
        return Step(kind: .write, offset: offset, count: Int(min(room, most - offset)))
    }

    /// Behind the last byte of the run of whole, empty blocks that starts at `offset`.
    private func writable(from offset: UInt64, before end: UInt64) -> UInt64 {
        guard offset % ChunkSteps.blockSize == 0 else { return offset }
        var most = nextStored(behind: offset, before: end)
        for block in held where (block + 1) * ChunkSteps.blockSize > offset {
            most = min(most, max(offset, block * ChunkSteps.blockSize))
        }
        // The upload's last block may be short, any other is whole.
        if most == length { return most }
        return most / ChunkSteps.blockSize * ChunkSteps.blockSize
    }

    private func nextStored(behind offset: UInt64, before end: UInt64) -> UInt64 {
        guard offset < end else { return end }
        return stored.present(in: offset..<end).first?.lowerBound ?? end
    }
}
