/// The right of one core to put records into one segment of a small volume.
///
/// A lease cannot be copied, so that no block is handed out twice. It goes back to its allocator
/// (`giveBack`) when it is used up or at the end, or is put in `quarantine`; what is dropped stays
/// taken until a restart.
public struct SegmentLease: ~Copyable, Sendable {
    public let volume: VolumeID
    /// Which segment of the volume, from 0.
    public let segment: UInt32
    /// The segment is free from end to end and was not leased since start: it may never have been
    /// written, and the owner writes zeros all over it before its first use.
    public let needsZeroing: Bool

    private var free: FreeRuns
    /// No run is longer: what asks for more is refused without a search.
    private var longestBound: UInt32

    init(volume: VolumeID, segment: UInt32, needsZeroing: Bool, free: FreeRuns) {
        self.volume = volume
        self.segment = segment
        self.needsZeroing = needsZeroing
        self.free = free
        longestBound = free.longest
    }

    /// Blocks that are left.
    public var remainingBlocks: UInt32 { UInt32(free.blockCount) }

    /// Whether `allocate` has a place for `blocks` blocks, and `kept` are left after it.
    public func hasRoom(for blocks: UInt32, keeping kept: UInt32) -> Bool {
        remainingBlocks >= blocks + kept && free.longest >= blocks
    }

    /// The blocks of the segment that records may lie in.
    public var extent: Extent { SegmentAllocator.extent(of: segment, in: volume) }

    /// The lowest place for a record of `blocks` blocks; nil when no run is that long.
    public mutating func allocate(blocks: UInt32) -> BlockAddress? {
        precondition(blocks > 0, "a record has a block at least")
        guard blocks <= longestBound else { return nil }
        guard let start = free.firstFit(blocks) else {
            longestBound = blocks - 1
            return nil
        }
        free.subtract(start..<start + blocks)
        return BlockAddress(volume: volume, block: start)
    }

    /// Puts back blocks of this lease to which no write was ever started.
    public mutating func giveBack(_ extent: Extent) {
        precondition(extent.volume == volume, "\(extent) is of another volume")
        precondition(
            self.extent.blocks.contains(extent.start) && extent.end <= self.extent.end,
            "\(extent) is of another segment")
        free.insert(extent.blocks)
        longestBound = free.longest
    }

    /// Leaves out blocks of this lease to which no write but the zeros was ever started: for
    /// `SegmentAllocator.quarantine`.
    public mutating func leaveOut(_ extent: Extent) {
        precondition(extent.volume == volume, "\(extent) is of another volume")
        free.subtract(extent.blocks)
    }

    /// What is left, for the allocator.
    consuming func surrender() -> FreeRuns { free }
}
