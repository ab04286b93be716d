// The grid: links of all kinds, and what an upload takes over each.

public import Engine

/// One kind of link of the grid.
public struct GridCell: Equatable, Sendable {
    public var megabitsPerSecond: Double
    public var roundTripMilliseconds: Double
    /// Mean time between failures; infinite if there are none.
    public var secondsBetweenFailures: Double

    public var link: SimulatedLink {
        SimulatedLink(
            LinkStretch(
                bytesPerSecond: megabitsPerSecond * 125_000,
                roundTripSeconds: roundTripMilliseconds / 1000,
                failuresPerSecond: 1 / secondsBetweenFailures))
    }

    public static let rates: [Double] = [1, 10, 100, 1000, 10_000]
    public static let roundTrips: [Double] = [1, 20, 80, 200, 600]
    public static let failureTimes: [Double] = [.infinity, 600, 60, 10]

    public static let all = failureTimes.flatMap { failures in
        rates.flatMap { rate in
            roundTrips.map { roundTrip in
                GridCell(
                    megabitsPerSecond: rate, roundTripMilliseconds: roundTrip,
                    secondsBetweenFailures: failures)
            }
        }
    }
}

/// Mean completion times of one link, in seconds.
public struct LinkResult: Equatable, Sendable {
    public var oracleBytes: UInt64 = 0
    public var oracle = 0.0
    public var fixedBytes: UInt64 = 0
    public var fixed = 0.0
    public var adaptive = 0.0
    public var predictive = 0.0

    public init() {}
}

/// The same upload over the same link by all policies, each with the same failures.
public struct UploadContest: Sendable {
    public let size: UInt64
    public let seeds: Range<UInt64>
    public let limits: ChunkLimits

    public static let trainingSeeds: Range<UInt64> = 1..<31
    /// Those from 1,000,001 on were the ones of a table that has been read since.
    public static let heldOutSeeds: Range<UInt64> = 2_000_001..<2_000_031

    public init(
        size: UInt64 = 100 << 20, seeds: Range<UInt64>, limits: ChunkLimits = ChunkLimits()
    ) {
        (self.size, self.seeds, self.limits) = (size, seeds, limits)
    }

    public func seconds(_ link: SimulatedLink, _ policy: ChunkPolicy) -> Double {
        let foresight =
            policy == .foreseen ? Foresight(link, lengths: UploadContest.lengths) : nil
        let all = seeds.reduce(0.0) { sum, seed in
            var run = UploadRun(link, seed: seed)
            run.foresight = foresight
            run.send(size, policy)
            return sum + run.outcome.seconds
        }
        return all / Double(seeds.count)
    }

    public func run(_ link: SimulatedLink) -> LinkResult {
        var result = LinkResult()
        (result.oracleBytes, result.oracle) = best(of: candidates, link)
        (result.fixedBytes, result.fixed) = best(of: tiers(link), link)
        result.adaptive = seconds(link, .planned(.adaptive))
        result.predictive = seconds(link, .planned(.predictive))
        return result
    }

    /// What was advised along the way.
    public func steps(_ link: SimulatedLink, _ policy: ChunkPolicy) -> [UploadStep] {
        var run = UploadRun(link, seed: seeds.lowerBound)
        run.send(size, policy, isRecorded: true)
        return run.steps
    }

    private func best(of lengths: [UInt64], _ link: SimulatedLink) -> (UInt64, Double) {
        let all = lengths.map { ($0, seconds(link, .length($0))) }
        return all.min { $0.1 < $1.1 } ?? (0, 0)
    }

    /// Lengths that the oracle tries: those that cut the file into equal chunks, from the fewest to
    /// the most that the limits allow, each number of them about a twelfth more than the one
    /// before.
    var candidates: [UInt64] {
        var lengths: [UInt64] = []
        var count = max((size - 1) / limits.largest + 1, 1)
        let most = max(size / limits.smallest, count)
        while count <= most {
            lengths.append(blocks((size - 1) / count + 1))
            count = max(count + 1, count * 13 / 12)
        }
        lengths.append(limits.smallest)
        return lengths
    }

    /// The same for files of any size: from the shortest to the longest, by a fifth each.
    public static let lengths: [UInt64] = (0..<21).map { step in
        let bytes = Double(256 << 10) * (step == 0 ? 1 : Draws.root(40, 20 / Double(step)))
        return UInt64(bytes) / ChunkLimits.blockBytes * ChunkLimits.blockBytes
    }

    /// What the tiers say to whoever knows rate and round trip, told that all is reliable, and told
    /// what share of its chunks then come through: the better of the two counts.
    public func tiers(_ link: SimulatedLink) -> [UInt64] {
        let stretch = link.stretches[0]
        var facts = TransferFacts(
            size: size, bytesPerSecond: UInt64(link.bytesPerSecond),
            roundTripNanoseconds: UInt64(stretch.roundTripSeconds * 1e9), reliability: 1)
        let first = ChunkPlanner.fixed(facts, limits: limits)
        let seconds = Double(first) / link.bytesPerSecond + stretch.roundTripSeconds
        facts.reliability = Draws.survival(seconds * stretch.failuresPerSecond)
        return [first, ChunkPlanner.fixed(facts, limits: limits)]
    }

    private func blocks(_ bytes: UInt64) -> UInt64 {
        let block = ChunkLimits.blockBytes
        return min((bytes + block - 1) / block * block, limits.largest)
    }
}
