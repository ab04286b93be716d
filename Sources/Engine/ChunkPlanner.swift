/// How long the chunks should be in which a client sends a file: a chunk is what it sends again
/// after a failure, so a weak link gets short ones, and a fast one long ones, which cost less.

public enum ChunkPlanner {
    /// By three tiers, of which the first counts that applies:
    ///
    ///     | link                                      | of the size | at most |
    ///     |-------------------------------------------|-------------|---------|
    ///     | over 100 MiB/s and under 50 ms, the fast  | a tenth     | 10 MiB  |
    ///     | reliability under 0.8 or over 200 ms, weak | a fiftieth | 512 KiB |
    ///     | any other, also one that is not known     | a twentieth | 2 MiB   |
    ///
    /// What is not known fulfils no condition; of a size that is not known, the most is taken.
    /// The result is clamped to `limits`, then rounded down to whole blocks of 4 KiB: so chunks
    /// meet where blocks do, and none is longer than `limits` allow. As these are whole blocks,
    /// too, none is shorter either, and none is 0. A file that is no longer is one chunk.
    ///
    /// With the limits' defaults, 256 KiB and 10 MiB:
    ///
    ///     | size    | bytes/s   | round trip | reliability | chunk      | because              |
    ///     |---------|-----------|------------|-------------|------------|----------------------|
    ///     | 1 GiB   | 200 MiB   | 1 ms       | 1           | 10,485,760 | most of fast         |
    ///     | 64 MiB  | 200 MiB   | 1 ms       | 1           |  6,709,248 | a tenth: 6,710,886   |
    ///     | 64 MiB  | 200 MiB   | 1 ms       | 0.5         |  6,709,248 | fast comes first     |
    ///     | 64 MiB  | 100 MiB   | 1 ms       | 1           |  2,097,152 | not over 100 MiB/s   |
    ///     | 64 MiB  | 200 MiB   | 50 ms      | 1           |  2,097,152 | not under 50 ms      |
    ///     | 20 MiB  | 10 MiB    | 200 ms     | 0.8         |  1,048,576 | a twentieth          |
    ///     | 20 MiB  | 10 MiB    | 20 ms      | 0.79        |    417,792 | a fiftieth: 419,430  |
    ///     | 1 GiB   | 10 MiB    | 201 ms     | 1           |    524,288 | most of weak         |
    ///     | 1 MiB   | 10 MiB    | 20 ms      | 1           |    262,144 | the least; 4 chunks  |
    ///     | 100,000 | 10 MiB    | 20 ms      | 1           |    262,144 | the least; one chunk |
    ///     | unknown | 200 MiB   | 1 ms       | 1           | 10,485,760 | most of fast         |
    ///     | 30 MiB  | unknown   | unknown    | unknown     |  1,572,864 | a twentieth          |
    ///     | unknown | unknown   | unknown    | unknown     |  2,097,152 | most of any other    |
    public static func fixed(
        _ facts: TransferFacts, limits: ChunkLimits = ChunkLimits()
    ) -> UInt64 {
        let tier = tier(for: facts)
        let wanted = min((facts.size ?? .max) / tier.parts, tier.bytesMax)
        let clamped = min(max(wanted, limits.smallest), limits.largest)
        return clamped - clamped % ChunkLimits.blockBytes
    }

    /// A chunk is the file by `parts`, but at most `bytesMax`.
    private typealias Tier = (parts: UInt64, bytesMax: UInt64)

    private static func tier(for facts: TransferFacts) -> Tier {
        let rate = facts.bytesPerSecond ?? 0
        if rate > 100 << 20, (facts.roundTripNanoseconds ?? .max) < 50_000_000 {
            return (10, 10 << 20)
        }
        let isFar = (facts.roundTripNanoseconds ?? 0) > 200_000_000
        return (facts.reliability ?? 1) < 0.8 || isFar ? (50, 512 << 10) : (20, 2 << 20)
    }
}

/// Between which lengths, in bytes, a chunk's is chosen.
public struct ChunkLimits: Equatable, Sendable {
    /// Chunks that are whole blocks of a volume leave none of them in two parts.
    public static let blockBytes: UInt64 = 4096

    public let smallest: UInt64
    public let largest: UInt64

    /// Both are whole blocks, one at least, and in order; whoever takes them from an operator sees
    /// to that.
    public init(smallest: UInt64 = 256 << 10, largest: UInt64 = 10 << 20) {
        precondition(smallest > 0 && smallest <= largest, "the smallest is 0, or not the smallest")
        precondition(
            smallest % ChunkLimits.blockBytes == 0 && largest % ChunkLimits.blockBytes == 0,
            "chunks are whole blocks of 4 KiB")
        (self.smallest, self.largest) = (smallest, largest)
    }
}
