// What an allocator answers when it has no room, and what its accounts say.

/// Why no blocks were handed out.
public enum AllocationError: Error, Equatable, Sendable {
    /// Do this, report it (`grew` or `addVolume`), and ask again.
    case needsGrowth(Growth)
    /// The capacity is used up, or in too many pieces.
    case noSpace
}

/// The room that an allocator asks for: a longer volume, or one more.
public struct Growth: Equatable, Sendable {
    /// The volume to make longer; nil asks for a new volume, which the owner numbers.
    public let volume: VolumeID?
    /// Blocks that the volume then has in all, its reserved ones included.
    public let blockCount: UInt32
    /// How many of them are new: bytes to be taken from the file system.
    public let newBlocks: UInt32

    public var newBytes: UInt64 { UInt64(newBlocks) * UInt64(VolumeLayout.blockSize) }
}

/// Recovery named blocks that are not there or that something else has: a damaged index or disk.
public enum ClaimError: Error, Equatable, Sendable {
    case unknownVolume(Extent)
    case outOfBounds(Extent)
    case overlap(Extent)
}

/// Blocks of one class of volumes. Reserved blocks count as volume, neither as free nor as used.
public struct SpaceStatistics: Equatable, Sendable {
    public internal(set) var volumeBlocks: UInt64 = 0
    public internal(set) var freeBlocks: UInt64 = 0
    public internal(set) var usedBlocks: UInt64 = 0
    public internal(set) var longestRunBlocks: UInt32 = 0
    public internal(set) var runCount = 0
}
