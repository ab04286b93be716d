/// A figure of one server that is held against a bound of its own, not against a peer's.
public struct Reading: Equatable, Sendable, Encodable {
    public let row: String
    public let side: Side
    public let figure: Figure
    /// In the figure's unit.
    public let values: Summary
    /// Millrace's own; others' figures stand beside it.
    public let goal: Goal?
    public let verdict: Verdict?

    public enum Figure: String, CaseIterable, Sendable, Codable {
        case fairness = "slowest upload's speed ÷ mean"
        case completion = "request that completes an upload, p99"
        case sessionMemory = "memory of an unfinished upload"
        case restart = "restart until ready"
        case restartAfterKill = "restart after SIGKILL until ready"

        public var unit: String {
            switch self {
            case .fairness: ""
            case .completion: "ms"
            case .sessionMemory: "bytes"
            case .restart, .restartAfterKill: "s"
            }
        }

        public var goal: Goal {
            switch self {
            case .fairness: .atLeast(0.5)
            case .completion, .restart, .restartAfterKill: .atMost(2)
            case .sessionMemory: .atMost(1024)
            }
        }

        var places: Int { self == .sessionMemory ? 0 : 2 }
    }

    /// Nil without values.
    public init?(_ row: Row, _ side: Side, _ figure: Figure, _ values: [Double]) {
        guard let summary = Summary(values) else { return nil }
        (self.row, self.side, self.figure, self.values) = (row.name, side, figure, summary)
        goal = side == .millrace ? figure.goal : nil
        verdict = goal?.verdict(
            on: RatioEstimate(
                median: summary.median, low: summary.least, high: summary.greatest))
    }
}

/// What the rounds of one row told of its uploads, to be made readings of.
public struct UploadRounds: Sendable {
    private var fairness: [Side: [Double]] = [:]
    private var completions: [Side: Histogram] = [:]

    public init() {}

    /// Takes in one round.
    public mutating func add(_ side: Side, _ spread: Spread, completions round: Histogram) {
        if let ratio = spread.slowestToMean { fairness[side, default: []].append(ratio) }
        completions[side, default: Histogram()].merge(round)
    }

    /// In the order of `Side`. A percentile is that of all rounds together.
    public func readings(of row: Row) -> [Reading] {
        Side.allCases.flatMap { side -> [Reading?] in
            let p99 = completions[side]?.percentile(99).map { Double($0) / 1e6 }
            return [
                row.measuresFairness ? Reading(row, side, .fairness, fairness[side] ?? []) : nil,
                p99.flatMap { Reading(row, side, .completion, [$0]) },
            ]
        }.compactMap(\.self)
    }
}

extension RunText {
    /// Medians with the least and the greatest, or one value; none without readings.
    public static func tables(of readings: [Reading]) -> [String] {
        guard !readings.isEmpty else { return [] }
        var table = MarkdownTable(["work", "server", "figure", "measured", "must", "verdict"])
        for reading in readings {
            let (figure, values) = (reading.figure, reading.values)
            let isOne = values.least == values.greatest
            let text =
                isOne
                ? Digits.fixed(values.median, figure.places)
                : Digits.summary(values, scale: 1, figure.places)
            table.add([
                reading.row, reading.side.rawValue, figure.rawValue,
                figure.unit.isEmpty ? text : "\(text) \(figure.unit)", reading.goal?.text ?? "",
                reading.verdict?.rawValue ?? "",
            ])
        }
        return [table.text]
    }
}
