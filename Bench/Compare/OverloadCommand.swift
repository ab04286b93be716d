/// `millrace-bench overload`: from its command line to its exit code.

import BenchMachine
import BenchMeasure
import BenchPlot
import Foundation
import IO

enum OverloadCommand {
    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    static func run(_ arguments: [String]) -> Int32 {
        let options: OverloadOptions
        do throws(Options.Mistake) {
            options = try OverloadOptions(arguments)
        } catch {
            say("millrace-bench overload: \(error)")
            return 2
        }
        if options.wantsHelp {
            show(OverloadOptions.help)
            return 0
        }
        let undo = Undo()
        let signals = undo.watchSignals()
        defer {
            undo.all()
            withExtendedLifetime(signals) {}
        }
        do {
            try run(options, undo)
            return 0
        } catch {
            say("millrace-bench overload: \(error)")
            return 1
        }
    }

    private static func run(_ options: OverloadOptions, _ undo: Undo) throws {
        do { try Limits.bind(toCPU: options.clientCPU) } catch {
            throw BenchError("cannot run on CPU \(options.clientCPU): errno \(error.code)")
        }
        let congestion = CongestionControl.set(undo: undo)
        let bench = try OverloadBench(options, undo)
        let commit = EnvironmentFacts.commit(in: ".")
        var run = OverloadRun(facts: facts(options, bench, commit))
        run.facts.append("congestion control: \(congestion)")
        let name = try options.directory.map { directory in
            try RunFiles.freeName("\(day())-\(commit)-overload", in: directory)
        }
        for work in options.works {
            run.overload.append(try bench.row(work))
            // After every row: a run that is stopped leaves what it has.
            if let name { try RunFiles.write(run, markdown: run.markdown, to: name) }
        }
        show(run.markdown)
        guard let name else { return }
        say("written: \(name).md and .json")
        let count = try PlotCommand.draw(name + ".json", into: name)
        say("drawn: \(count) files in \(name)")
    }

    private static func day() -> String {
        String(ISO8601DateFormatter().string(from: Date()).prefix(10))
    }

    private static func facts(
        _ options: OverloadOptions, _ bench: OverloadBench, _ commit: String
    ) -> [String] {
        let kernel = (TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let model = ProcessText.value(
            of: "model name\t", status: TextFile.read("/proc/cpuinfo") ?? "")
        let command = (["millrace-bench"] + CommandLine.arguments.dropFirst())
            .joined(separator: " ")
        return [
            "date: \(ISO8601DateFormatter().string(from: Date()))", "commit: \(commit)",
            "command: `\(command)`", "kernel: \(kernel)",
            "CPU: \(model ?? "unknown"), \(ProcessInfo.processInfo.processorCount) of them",
            "server on CPU \(options.serverCPU) with \(bench.limits.words); client on CPU"
                + " \(options.clientCPU), \(options.connections) connections",
            "file system: \(bench.fileSystem)",
            "\(options.seconds) s of each load count, behind \(options.warmupSeconds) s"
                + " that do not; uploads go to a fresh server each time",
        ]
            + (options.keys.isEmpty
                ? [] : ["`[limits]` has \(options.keys.map { "`\($0)`" }.joined(separator: ", "))"])
    }
}

/// How much of its CPU, and of its disk, a server may have.
struct ServerLimits {
    private let groups: [ControlGroup]
    /// For a result's head.
    let words: String

    /// `disk`: its `major:minor`.
    init(_ options: OverloadOptions, disk: String?, _ undo: Undo) throws {
        var groups: [ControlGroup] = []
        func add(_ name: String, _ limit: ControlGroup.Limit) throws -> String {
            let pid = ProcessInfo.processInfo.processIdentifier
            let group = try ControlGroup.make(name: "millrace-bench-\(name)-\(pid)", limit)
            undo.add { group.remove() }
            groups.append(group)
            return group.words
        }
        var words: [String] = []
        if options.hasThief {
            let thief = try CPUThief(
                cpu: options.serverCPU,
                takenMicros: max(0, options.periodMicros - options.quotaMicros),
                periodMicros: options.periodMicros)
            undo.add { thief.stop() }
            words.append(thief.words)
        } else {
            words.append(
                try add(
                    "cpu",
                    .processor(micros: options.quotaMicros, periodMicros: options.periodMicros)))
        }
        if let bytes = options.diskBytes {
            guard let disk else { throw BenchError("--disk: the data lies on no disk") }
            words.append(try add("disk", .writes(bytesPerSecond: bytes, device: disk)))
        }
        (self.groups, self.words) = (groups, words.joined(separator: ", and "))
    }

    /// A thief takes from whoever is there.
    func add(_ pid: Int32) throws(ControlGroup.Refusal) {
        for group in groups { try group.add(pid) }
    }
}
