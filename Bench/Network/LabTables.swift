/// What a run of one part of the lab leaves, and what the parts' tables have in common.

import BenchMeasure

public protocol LabTables: Sendable, Encodable {
    var markdown: String { get }
}

/// One that was timed.
protocol TimedTransfer {
    var round: Int { get }
    var seconds: Double { get }
    /// Among those of its round; nil where there is but one of its kind.
    var place: Int? { get }
}

extension LabTables {
    /// How many times as long the transfers took as those of the same round and place, which met
    /// the same link; a dash where there are none.
    static func ratio<Transfer: TimedTransfer>(of own: [Transfer], to others: [Transfer]) -> String
    {
        let pairs = own.compactMap { transfer in
            others.first { $0.round == transfer.round && $0.place == transfer.place }
                .map { (transfer.seconds, $0.seconds) }
        }
        return RatioEstimate(of: pairs.map(\.0), to: pairs.map(\.1), seed: 1)
            .map(Digits.ratio) ?? "–"
    }

    static func seconds<Transfer: TimedTransfer>(_ transfers: [Transfer]) -> String {
        Summary(transfers.map(\.seconds)).map { Digits.summary($0, scale: 1, 2) } ?? "–"
    }
}
