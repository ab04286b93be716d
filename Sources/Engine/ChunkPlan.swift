/// What a client is advised to do with a file: how long its chunks should be, how many it may send
/// at once, and why.

public struct ChunkPlan: Equatable, Sendable {
    /// Whole blocks of 4 KiB.
    public var chunkBytes: UInt64
    /// Chunks that fill the link when they are under way together; at least 1.
    public var parallelism: Int
    public var reason: ChunkReason

    public init(chunkBytes: UInt64, parallelism: Int, reason: ChunkReason) {
        (self.chunkBytes, self.parallelism, self.reason) = (chunkBytes, parallelism, reason)
    }
}

/// What a plan's chunk length was decided by.
public enum ChunkReason: Int, CaseIterable, Sendable {
    /// One of the tiers of `ChunkPlanner.fixed`.
    case tier
    /// Nothing is known of the link yet: the tiers decide as well if it is for the whole file, else
    /// a length that costs little over any link.
    case unknownLink
    /// What failures cost against what chunks cost.
    case balance
    /// The same, for what the link will be.
    case forecast
    /// The limits that the operator set.
    case shortestAllowed, longestAllowed
}

/// How chunks are planned (`performance.chunk_adaptation_algorithm`).
public enum ChunkAlgorithm: String, CaseIterable, Sendable { case fixed, adaptive, predictive }
