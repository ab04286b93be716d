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
        var foreseen: Double
        /// The same by seed.
        var adaptiveBySeed: [Double]
        var predictiveBySeed: [Double]
        var foreseenBySeed: [Double]

        /// Predictive over adaptive on the same links.
        var ratio: RatioEstimate? {
            RatioEstimate(of: predictiveBySeed, to: adaptiveBySeed, seed: AdaptationRun.seed)
        }
    }

    /// Of the intervals' resamples.
    static let seed: UInt64 = 1

    var facts: [String]
    var cells: [Cell] = []
    var traces: [Trace] = []

    // MARK: Sums

    var worst: Cell? { cells.max { $0.loss < $1.loss } }
    var missed: [Cell] { cells.filter { $0.loss > 0.1 } }
    var worstPredictive: Double {
        (cells.map(\.predictiveLoss) + traces.map { $0.predictive / $0.adaptive - 1 }).max() ?? 0
    }

    /// One way to say by how much the tiers are beaten over all links that fail.
    struct Reading {
        let name: String
        let adaptive: Double
        /// What the best of all lengths makes of it: more is not to be had.
        let oracle: Double
    }

    /// How many times as long the tiers take, by three averages; and the share of their time that
    /// is saved.
    var readings: [Reading] {
        func reading(_ name: String, _ value: ((Cell) -> Double) -> Double) -> Reading {
            Reading(name: name, adaptive: value(\.adaptive), oracle: value(\.oracle))
        }
        let failing = cells.filter(\.fails)
        let count = Double(failing.count)
        return [
            reading("times as long, geometric mean of the links") { time in
                exp(failing.map { log($0.fixed / time($0)) }.reduce(0, +) / count)
            },
            reading("times as long, arithmetic mean of the links") { time in
                failing.map { $0.fixed / time($0) }.reduce(0, +) / count
            },
            reading("times as long, all links one after the other") { time in
                failing.map(\.fixed).reduce(0, +) / failing.map(time).reduce(0, +)
            },
            reading("share of their time saved, mean of the links") { time in
                failing.map { 1 - time($0) / $0.fixed }.reduce(0, +) / count
            },
        ]
    }

    /// Predictive's (or another policy's) time over adaptive's: by seed, the geometric mean of all
    /// traces.
    func onTraces(_ times: (Trace) -> [Double] = { $0.predictiveBySeed }) -> RatioEstimate? {
        guard let seedCount = traces.first?.adaptiveBySeed.count else { return nil }
        let means = (0..<seedCount).map { seed in
            exp(
                traces.map { log(times($0)[seed] / $0.adaptiveBySeed[seed]) }.reduce(0, +)
                    / Double(traces.count))
        }
        return RatioEstimate(
            of: means, to: means.map { _ in 1 }, seed: AdaptationRun.seed)
    }

    // MARK: Tables

    var markdown: String {
        var text = "# Chunks over simulated links\n\n"
        text += facts.map { "- \($0)\n" }.joined() + "\n## In short\n\n"
        text += summary.map { "- \($0)\n" }.joined()
        text += "\n## What is gained over the tiers where links fail\n\n" + gained
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
            "over failing links the tiers take \(Digits.fixed(readings[0].adaptive, 2)) times as "
                + "long (geometric mean; goal 1.3); no length could make it more than "
                + "\(Digits.fixed(readings[0].oracle, 2))",
            "predictive is at most \(percent(worstPredictive)) slower than adaptive (goal 3 %)",
            "on changing links predictive takes \(AdaptationRun.interval(onTraces())) of "
                + "adaptive's time (goal: less), and who knows all that comes "
                + "\(AdaptationRun.interval(onTraces { $0.foreseenBySeed }))",
        ]
    }

    private var gained: String {
        var table = MarkdownTable(["reading", "adaptive", "oracle"])
        for reading in readings {
            table.add([
                reading.name, Digits.fixed(reading.adaptive, 3), Digits.fixed(reading.oracle, 3),
            ])
        }
        return table.text
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
            "over adaptive", "by pairs", "informed", "over adaptive", "foreseen",
            "over adaptive",
        ])
        for trace in traces {
            table.add([
                trace.name, Digits.fixed(trace.oracle, 1), Digits.fixed(trace.fixed, 1),
                Digits.fixed(trace.adaptive, 1),
                AdaptationRun.signed(trace.adaptive / trace.oracle - 1),
                Digits.fixed(trace.predictive, 1),
                AdaptationRun.signed(trace.predictive / trace.adaptive - 1),
                AdaptationRun.interval(trace.ratio), Digits.fixed(trace.informed, 1),
                AdaptationRun.signed(trace.informed / trace.adaptive - 1),
                Digits.fixed(trace.foreseen, 1),
                AdaptationRun.signed(trace.foreseen / trace.adaptive - 1),
            ])
        }
        return table.text
    }

    /// The median of paired ratios, and its 95 % interval.
    private static func interval(_ ratio: RatioEstimate?) -> String {
        guard let ratio else { return "none" }
        let text = [ratio.median, ratio.low, ratio.high].map { Digits.fixed($0, 4) }
        return "\(text[0]) [\(text[1])–\(text[2])]"
    }

    private static func between(_ cell: Cell) -> String {
        cell.secondsBetweenFailures.map { "\(Digits.fixed($0, 0)) s" } ?? "never"
    }

    private static func signed(_ share: Double) -> String {
        (share >= 0 ? "+" : "") + Digits.fixed(share * 100, 2) + " %"
    }
}
