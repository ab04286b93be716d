/// `millrace-bench adaptation`: from its command line to its exit code.

import BenchMachine
import BenchMeasure
import BenchPlot
import Engine
import Foundation
import LinkLaboratory

public enum AdaptationCommand {
    static let help = """
        millrace-bench adaptation: chunks as they are planned, over simulated links.

        --training     the seeds and traces that the algorithms were tuned on (the others are for
                       tables that count, and are not to be tuned on)
        --seeds N      so many of the 30 seeds
        --output DIR   where the result goes (perf/runs, if it is complete)

        Example: millrace-bench adaptation --training --seeds 3
        """

    struct Request: Equatable {
        var isTraining = false
        var seedCount = 30
        var output: String?
        var wantsHelp = false

        var seeds: Range<UInt64> {
            let all = isTraining ? UploadContest.trainingSeeds : UploadContest.heldOutSeeds
            return all.lowerBound..<all.lowerBound + UInt64(seedCount)
        }

        /// Nil if it is only half a result and no place was named.
        var directory: String? { output ?? (isTraining || seedCount < 30 ? nil : "perf/runs") }
    }

    static func parse(_ arguments: [String]) throws(Options.Mistake) -> Request {
        var (request, rest) = (Request(), arguments[...])
        while let word = rest.popFirst() {
            switch word {
            case "--training": request.isTraining = true
            case "--help", "-h": request.wantsHelp = true
            case "--seeds", "--output":
                guard let value = rest.popFirst() else {
                    throw Options.Mistake("\(word) needs a value")
                }
                if word == "--output" {
                    request.output = value
                } else {
                    request.seedCount = try Options.number(value, for: word, in: 1...30)
                }
            default: throw Options.Mistake("what is \(word)? see adaptation --help")
            }
        }
        return request
    }

    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    public static func run(_ arguments: [String], commit: () -> String) -> Int32 {
        do {
            let request = try parse(arguments)
            if request.wantsHelp {
                show(help)
                return 0
            }
            try measure(request, commit: commit())
            return 0
        } catch let mistake as Options.Mistake {
            say("millrace-bench adaptation: \(mistake)")
            return 2
        } catch {
            say("millrace-bench adaptation: \(error)")
            return 1
        }
    }

    private static func measure(_ request: Request, commit: String) throws {
        let date = ISO8601DateFormatter().string(from: Date())
        let kind = request.isTraining ? "training" : "held-out"
        let command = request.isTraining ? "adaptation --training" : "adaptation"
        var run = AdaptationRun(facts: [
            "date: \(date)", "commit: \(commit)",
            "command: millrace-bench \(command) --seeds \(request.seedCount)",
            "\(kind) seeds \(request.seeds), \(kind) traces; nothing was timed, all is played",
        ])
        run.cells = GridCell.all.map { cell in cellResult(cell, request) }
        say("grid: through")
        let traces = request.isTraining ? LinkTrace.training : LinkTrace.heldOut
        run.traces = traces.map { trace in
            defer { say("\(trace.name): through") }
            return traceResult(trace, request)
        }
        show(run.markdown)
        guard let directory = request.directory else { return }
        let name = try RunFiles.freeName("\(date.prefix(10))-\(commit)-adaptation", in: directory)
        try RunFiles.write(run, markdown: run.markdown, to: name)
        try draw(run, traces, request, into: name)
        say("written: \(name).md, .json and drawings in \(name)")
    }

    private static func cellResult(_ cell: GridCell, _ request: Request) -> AdaptationRun.Cell {
        let result = UploadContest(seeds: request.seeds).run(cell.link)
        let seconds = cell.secondsBetweenFailures
        return AdaptationRun.Cell(
            megabitsPerSecond: cell.megabitsPerSecond,
            roundTripMilliseconds: cell.roundTripMilliseconds,
            secondsBetweenFailures: seconds < .infinity ? seconds : nil,
            oracleBytes: result.oracleBytes, oracle: result.oracle, fixedBytes: result.fixedBytes,
            fixed: result.fixed, adaptive: result.adaptive, predictive: result.predictive)
    }

    /// Each seed is a link of its own; the best length is one for all of them.
    private static func traceResult(
        _ trace: LinkTrace, _ request: Request
    ) -> AdaptationRun.Trace {
        var byLength = UploadContest.lengths.map { _ in 0.0 }
        var result = AdaptationRun.Trace(
            name: trace.name, story: trace.story, oracle: 0, fixed: 0, adaptive: 0, predictive: 0,
            informed: 0, foreseen: 0,
            adaptiveBySeed: [], predictiveBySeed: [], foreseenBySeed: [])
        let count = Double(request.seedCount)
        for seed in request.seeds {
            let link = trace.link(seed: seed)
            let contest = UploadContest(size: trace.size(link), seeds: seed..<seed + 1)
            for (index, length) in UploadContest.lengths.enumerated() {
                byLength[index] += contest.seconds(link, .length(length)) / count
            }
            let tiers = contest.tiers(link).map { contest.seconds(link, .length($0)) }
            result.fixed += (tiers.min() ?? 0) / count
            result.adaptiveBySeed.append(contest.seconds(link, .planned(.adaptive)))
            result.predictiveBySeed.append(contest.seconds(link, .planned(.predictive)))
            result.foreseenBySeed.append(contest.seconds(link, .foreseen))
            result.informed += contest.seconds(link, .informed) / count
        }
        result.adaptive = result.adaptiveBySeed.reduce(0, +) / count
        result.predictive = result.predictiveBySeed.reduce(0, +) / count
        result.foreseen = result.foreseenBySeed.reduce(0, +) / count
        result.oracle = byLength.min() ?? 0
        return result
    }

    // MARK: Drawings

    private static func draw(
        _ run: AdaptationRun, _ traces: [LinkTrace], _ request: Request, into directory: String
    ) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try grid(run).svg.write(
            toFile: directory + "/grid.svg", atomically: true, encoding: .utf8)
        guard let trace = traces.first, let svg = timeline(trace, request).svg else { return }
        try svg.write(
            toFile: directory + "/trace-\(trace.name).svg", atomically: true, encoding: .utf8)
    }

    private static func grid(_ run: AdaptationRun) -> HeatMap {
        let panels = GridCell.failureTimes.map { time in
            let wanted: Double? = time < .infinity ? time : nil
            let shares = GridCell.rates.map { rate in
                run.cells.filter {
                    $0.secondsBetweenFailures == wanted && $0.megabitsPerSecond == rate
                }.map(\.loss)
            }
            let title = wanted.map { "a failure every \(Digits.fixed($0, 0)) s" } ?? "no failures"
            return HeatMap.Panel(title: title, shares: shares)
        }
        return HeatMap(
            title: "Upload time with adaptive chunks, over the oracle's",
            subtitle: "percent, by rate and round trip; 100 MiB; the oracle is the best one length",
            columns: GridCell.roundTrips.map { "\(Digits.fixed($0, 0)) ms" },
            rows: GridCell.rates.map {
                $0 < 1000 ? "\(Int($0)) Mbit/s" : "\(Int($0 / 1000)) Gbit/s"
            },
            panels: panels)
    }

    private static func timeline(_ trace: LinkTrace, _ request: Request) -> LinkTimeline {
        let seed = request.seeds.lowerBound
        let link = trace.link(seed: seed)
        let contest = UploadContest(size: trace.size(link), seeds: seed..<seed + 1)
        let moments = contest.steps(link, .planned(.predictive)).map { step in
            LinkTimeline.Moment(
                seconds: step.seconds, megabytesPerSecond: step.truth / 1e6,
                estimated: step.estimate.bytesPerSecond.map { $0 / 1e6 },
                chunkMegabytes: Double(step.plan.chunkBytes) / 1e6, failed: step.failed)
        }
        return LinkTimeline(
            title: "Chunks that predictive advises over a changing link: \(trace.name)",
            subtitle: trace.story, moments: moments)
    }

    private static func show(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
