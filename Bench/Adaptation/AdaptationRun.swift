// All figures of one run over simulated links, and the tables that they are read in.

import BenchMeasure
import Foundation
import LinkLaboratory

/// What is written down.
struct AdaptationRun: Encodable {
    struct Cell: Encodable {
        var megabitsPerSecond: Double
        var roundTripMilliseconds: Double
        /// Nil: it never fails.
        var secondsBetweenFailures: Double?
        var oracleBytes: UInt64
        var oracle: Double
        var fixedBytes: UInt64
        var fixed: Double
        var adaptive: Double
        var predictive: Double

        var loss: Double { adaptive / oracle - 1 }
        var predictiveLoss: Double { predictive / adaptive - 1 }
        var fails: Bool { secondsBetweenFailures != nil }
    }

    struct Trace: Encodable {
        var name: String
        var story: String
        /// Means over the seeds, in seconds.
        var oracle: Double
        var fixed: Double
        var adaptive: Double
        var predictive: Double
        var informed: Double
    }

    var facts: [String]
    var cells: [Cell] = []
    var traces: [Trace] = []

    // MARK: Sums

    var worst: Cell? { cells.max { $0.loss < $1.loss } }
    var missed: [Cell] { cells.filter { $0.loss > 0.1 } }
    var worstPredictive: Double {
        (cells.map(\.predictiveLoss) + traces.map { $0.predictive / $0.adaptive - 1 }).max() ?? 0
    }

    /// How many times as long the tiers take over links that fail: geometric mean.
    var speedOverTiers: Double {
        let failing = cells.filter(\.fails)
        return exp(failing.map { log($0.fixed / $0.adaptive) }.reduce(0, +) / Double(failing.count))
    }

    /// The share of the tiers' time that is saved, on the average; and what the oracle would save.
    func saved(_ time: (Cell) -> Double) -> Double {
        let failing = cells.filter(\.fails)
        return failing.map { 1 - time($0) / $0.fixed }.reduce(0, +) / Double(failing.count)
    }

    var predictiveOnTraces: Double {
        traces.map { $0.predictive / $0.adaptive }.reduce(0, +) / Double(max(traces.count, 1)) - 1
    }

    // MARK: Tables

    var markdown: String {
        var text = "# Chunks over simulated links\n\n"
        text += facts.map { "- \($0)\n" }.joined() + "\n## In short\n\n"
        text += summary.map { "- \($0)\n" }.joined()
        text += "\n## Links that stay as they are\n\n100 MiB, mean seconds over all seeds.\n\n"
        text += grid + "\n## Links that change\n\n" + changing
        text += "\n" + traces.map { "- \($0.name): \($0.story)\n" }.joined()
        return text
    }

    private var summary: [String] {
        let percent = { (share: Double) in Digits.fixed(share * 100, 2) + " %" }
        let worstCell = worst.map {
            "\(Digits.fixed($0.megabitsPerSecond, 0)) Mbit/s, "
                + "\(Digits.fixed($0.roundTripMilliseconds, 0)) ms, \(AdaptationRun.between($0))"
        }
        return [
            "adaptive is \(percent(worst?.loss ?? 0)) over the oracle in the worst cell "
                + "(\(worstCell ?? "none")); goal 10 %; cells that miss it: \(missed.count)",
            "over failing links the tiers take \(Digits.fixed(speedOverTiers, 2)) times as long "
                + "(geometric mean; goal 1.3); adaptive saves \(percent(saved(\.adaptive))) of "
                + "their time on the average, the oracle \(percent(saved(\.oracle)))",
            "predictive is at most \(percent(worstPredictive)) slower than adaptive (goal 3 %), "
                + "and \(percent(predictiveOnTraces)) on the changing links on the average "
                + "(below 0: faster)",
        ]
    }

    private var grid: String {
        var table = MarkdownTable([
            "Mbit/s", "RTT ms", "failures every", "oracle", "its chunk", "fixed", "adaptive",
            "over oracle", "predictive", "over adaptive",
        ])
        for cell in cells {
            table.add([
                Digits.fixed(cell.megabitsPerSecond, 0),
                Digits.fixed(cell.roundTripMilliseconds, 0), AdaptationRun.between(cell),
                Digits.fixed(cell.oracle, 2), "\(cell.oracleBytes >> 10) KiB",
                Digits.fixed(cell.fixed, 2), Digits.fixed(cell.adaptive, 2),
                AdaptationRun.signed(cell.loss), Digits.fixed(cell.predictive, 2),
                AdaptationRun.signed(cell.predictiveLoss),
            ])
        }
        return table.text
    }

    private var changing: String {
        var table = MarkdownTable([
            "link", "best length", "fixed", "adaptive", "over best", "predictive",
            "over adaptive", "informed", "over adaptive",
        ])
        for trace in traces {
            table.add([
                trace.name, Digits.fixed(trace.oracle, 1), Digits.fixed(trace.fixed, 1),
                Digits.fixed(trace.adaptive, 1),
                AdaptationRun.signed(trace.adaptive / trace.oracle - 1),
                Digits.fixed(trace.predictive, 1),
                AdaptationRun.signed(trace.predictive / trace.adaptive - 1),
                Digits.fixed(trace.informed, 1),
                AdaptationRun.signed(trace.informed / trace.adaptive - 1),
            ])
        }
        return table.text
    }

    private static func between(_ cell: Cell) -> String {
        cell.secondsBetweenFailures.map { "\(Digits.fixed($0, 0)) s" } ?? "never"
    }

    private static func signed(_ share: Double) -> String {
        (share >= 0 ? "+" : "") + Digits.fixed(share * 100, 2) + " %"
    }
}
