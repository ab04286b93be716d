// What was measured of both sides, boiled down to figures and ratios.

public import BenchMeasure

/// Who reads and writes.
public enum EngineSide: String, CaseIterable, Sendable, Codable { case millrace, fio }

/// What one round of one side measured.
public struct EngineSample: Equatable, Sendable, Codable {
    public let side: EngineSide
    /// Counted from 0; the two sides of a pair ran back to back.
    public let pair: Int
    public let requestCount: Int
    public let seconds: Double
    /// CPU-seconds of the one thread that asked and was answered, from first to last.
    public let cpu: Double
    /// CPU-seconds of the rest of its process: io-wq workers, and fio's start and end.
    public let cpuBeside: Double
    /// CPUs that the rest of the machine kept busy meanwhile: interrupts, kernel threads and noisy
    /// neighbours.
    public let otherUse: Double

    public init(
        side: EngineSide, pair: Int, requestCount: Int, seconds: Double, cpu: Double,
        cpuBeside: Double, otherUse: Double
    ) {
        (self.side, self.pair, self.requestCount) = (side, pair, requestCount)
        (self.seconds, self.cpu) = (seconds, cpu)
        (self.cpuBeside, self.otherUse) = (cpuBeside, otherUse)
    }

    public var cpuPerRequest: Double { cpu / Double(requestCount) }
    public var throughput: Double { Double(requestCount) / seconds }
}

/// All rounds of one cell.
public struct EngineRow: Equatable, Sendable, Encodable {
    public struct Figures: Equatable, Sendable, Encodable {
        public let side: EngineSide
        /// CPU-seconds.
        public let cpuPerRequest: Summary
        /// Requests a second.
        public let throughput: Summary
        /// CPUs that strangers kept busy, in the middle.
        public let strangers: Double
    }

    public struct Ratio: Equatable, Sendable, Encodable {
        public let ratio: RatioEstimate
        public let goal: Goal
        public let verdict: Verdict
    }

    public let name: String
    public let cell: EngineCell
    public let sides: [Figures]
    /// Of Millrace to fio, pair by pair; nil if one of them ran alone.
    public let cpuRatio: Ratio?
    public let throughputRatio: Ratio?
    public let samples: [EngineSample]

    /// Makes the intervals of the same samples the same.
    private static let bootstrapSeed: UInt64 = 1

    public init(_ cell: EngineCell, _ samples: [EngineSample]) {
        (name, self.cell, self.samples) = (cell.name, cell, samples)
        sides = EngineSide.allCases.compactMap { side in
            EngineRow.figures(of: side, in: samples)
        }
        func ratio(_ goal: Goal, _ value: (EngineSample) -> Double) -> Ratio? {
            let (ours, theirs) = (
                EngineRow.rounds(of: .millrace, in: samples),
                EngineRow.rounds(of: .fio, in: samples)
            )
            guard !ours.isEmpty, !theirs.isEmpty else { return nil }
            precondition(ours.map(\.pair) == theirs.map(\.pair), "a pair without its other half")
            return RatioEstimate(
                of: ours.map(value), to: theirs.map(value), seed: EngineRow.bootstrapSeed
            ).map { Ratio(ratio: $0, goal: goal, verdict: goal.verdict(on: $0)) }
        }
        cpuRatio = ratio(EngineCell.cpuGoal, \.cpuPerRequest)
        throughputRatio = ratio(EngineCell.throughputGoal, \.throughput)
    }

    public func figures(of side: EngineSide) -> Figures? { sides.first { $0.side == side } }

    private static func rounds(of side: EngineSide, in samples: [EngineSample]) -> [EngineSample] {
        samples.filter { $0.side == side }.sorted { $0.pair < $1.pair }
    }

    private static func figures(of side: EngineSide, in samples: [EngineSample]) -> Figures? {
        let mine = rounds(of: side, in: samples)
        guard let cpu = Summary(mine.map(\.cpuPerRequest)),
            let throughput = Summary(mine.map(\.throughput)),
            let strangers = Summary(mine.map(\.otherUse))
        else { return nil }
        return Figures(
            side: side, cpuPerRequest: cpu, throughput: throughput, strangers: strangers.median)
    }
}

/// A run as it is written down.
public struct EngineRun: Equatable, Sendable, Encodable {
    /// Date, commit, machine: one fact a line.
    public var facts: [String]
    public var rows: [EngineRow] = []

    public init(facts: [String]) { self.facts = facts }

    public var markdown: String {
        let list = facts.map { "- \($0)\n" }.joined()
        return "# Storage engine beside fio\n\n\(list)\n"
            + "Medians [least–greatest] of the rounds; the ratios are Millrace to fio, medians of"
            + " pairs [95 % interval].\n\n" + EngineRun.figures(of: rows) + "\n"
            + EngineRun.ratios(of: rows)
    }

    private static func figures(of rows: [EngineRow]) -> String {
        var table = MarkdownTable([
            "cell", "side", "CPU a request, µs", "requests, k/s", "MB/s", "strangers' CPU",
        ])
        for row in rows {
            let megabytes = Double(row.cell.blockBytes) / 1e6
            for side in row.sides {
                table.add([
                    row.name, side.side.rawValue,
                    Digits.summary(side.cpuPerRequest, scale: 1e6, 2),
                    Digits.summary(side.throughput, scale: 1e-3, 2),
                    Digits.fixed(side.throughput.median * megabytes, 0),
                    Digits.fixed(side.strangers * 100, 0) + " %",
                ])
            }
        }
        return table.text
    }

    private static func ratios(of rows: [EngineRow]) -> String {
        var table = MarkdownTable([
            "cell", "CPU a request", "must", "verdict", "throughput", "must ", "verdict ",
        ])
        for row in rows {
            guard let cpu = row.cpuRatio, let throughput = row.throughputRatio else { continue }
            let cells = [cpu, throughput].flatMap {
                [Digits.ratio($0.ratio), $0.goal.text, $0.verdict.rawValue]
            }
            table.add([row.name] + cells)
        }
        return table.text
    }
}
