/// A row's rounds boiled down to figures a server and ratios a peer.
public struct RowResult: Equatable, Sendable, Encodable {
    public struct Figures: Equatable, Sendable, Codable {
        /// CPU-seconds per GB, or per request.
        public let serverCPU: Summary
        public let serverAndFlushCPU: Summary
        /// GB or requests per second.
        public let throughput: Summary
        /// Share of its CPU that the server used while requests ran.
        public let serverUse: Summary
        /// CPU-seconds of strangers per second, at its worst.
        public let strangersGreatest: Double
        /// How far the sum over threads falls short of the process clock, at its worst.
        public let threadsMissing: Double
    }

    /// What one server did.
    public struct SideResult: Equatable, Sendable, Encodable {
        public let side: Side
        public let figures: Figures
        /// Nil if the row has no requests on a schedule.
        public let latency: LatencyResult?
    }

    /// One figure of Millrace's divided by a peer's, pair by pair.
    public struct RatioResult: Equatable, Sendable, Encodable {
        public let figure: RowGoal.Figure
        public let peer: Side
        public let ratio: RatioEstimate
        public let goal: Goal?
        public let verdict: Verdict?
    }

    public let row: Row
    public let bytesPerObject: Int
    public let pairCount: Int
    /// Those that took part, in the order of `Side`.
    public let sides: [SideResult]
    /// Empty if only one side ran.
    public let ratios: [RatioResult]
    public let samples: [Sample]

    /// `samples` and `latencies` are this row's, in any order. The seed makes the intervals
    /// repeatable.
    public init(
        row: Row, bytesPerObject: Int, samples: [Sample], latencies: [LatencySample] = [],
        seed: UInt64
    ) {
        self.row = row
        self.bytesPerObject = bytesPerObject
        self.samples = samples
        sides = Side.allCases.compactMap { side in
            RowResult.figures(of: samples.filter { $0.side == side }).map {
                SideResult(
                    side: side, figures: $0, latency: LatencyResult(of: side, in: latencies))
            }
        }
        pairCount = Set(samples.map(\.pair)).count
        let rounds = Rounds(samples: samples, latencies: latencies, seed: seed)
        ratios = Side.allCases.filter { $0 != .millrace }.flatMap { peer in
            RowGoal.Figure.allCases.compactMap { figure in
                guard let ratio = rounds.ratio(figure, to: peer) else { return nil }
                let goal = row.goals.first { $0.figure == figure && $0.peer == peer }?.bound
                return RatioResult(
                    figure: figure, peer: peer, ratio: ratio, goal: goal,
                    verdict: goal?.verdict(on: ratio))
            }
        }
    }

    public func side(_ side: Side) -> SideResult? { sides.first { $0.side == side } }

    public func ratio(_ figure: RowGoal.Figure, to peer: Side = .nginx) -> RatioResult? {
        ratios.first { $0.figure == figure && $0.peer == peer }
    }

    private static func figures(of samples: [Sample]) -> Figures? {
        guard let cpu = Summary(samples.map(\.serverCPUPerUnit)),
            let both = Summary(samples.map(\.serverAndFlushCPUPerUnit)),
            let throughput = Summary(samples.map(\.throughput)),
            let use = Summary(samples.map(\.serverUse)),
            let strangers = samples.map({ $0.otherCPU / $0.seconds }).max(),
            let missing = samples.map(\.threadsMissing).max()
        else { return nil }
        return Figures(
            serverCPU: cpu, serverAndFlushCPU: both, throughput: throughput, serverUse: use,
            strangersGreatest: strangers, threadsMissing: missing)
    }
}

/// The rounds of a row, to be set against each other.
private struct Rounds {
    let samples: [Sample]
    let latencies: [LatencySample]
    let seed: UInt64

    func ratio(_ figure: RowGoal.Figure, to peer: Side) -> RatioEstimate? {
        let (ours, theirs) = (values(figure, of: .millrace), values(figure, of: peer))
        precondition(
            ours.isEmpty || theirs.isEmpty || ours.map(\.pair) == theirs.map(\.pair),
            "a pair without its other half")
        guard ours.count == theirs.count else { return nil }
        return RatioEstimate(of: ours.map(\.value), to: theirs.map(\.value), seed: seed)
    }

    private func values(
        _ figure: RowGoal.Figure, of side: Side
    ) -> [(pair: Int, value: Double)] {
        let mine = samples.filter { $0.side == side }.sorted { $0.pair < $1.pair }
        switch figure {
        case .cpu: return mine.map { ($0.pair, $0.serverCPUPerUnit) }
        case .throughput: return mine.map { ($0.pair, $0.throughput) }
        case .p99:
            let scheduled = latencies.filter { $0.side == side }.sorted { $0.pair < $1.pair }
            return scheduled.compactMap { sample in
                sample.histogram.percentile(99).map { (sample.pair, Double($0)) }
            }
        }
    }
}
