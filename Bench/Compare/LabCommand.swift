/// `millrace-bench lab`: from its command line to its exit code.

import BenchMachine
import BenchMeasure
import BenchNetwork
import Foundation
import IO

enum LabCommand {
    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    static func run(_ arguments: [String]) -> Int32 {
        let options: LabOptions
        do throws(Options.Mistake) { options = try LabOptions(arguments) } catch {
            say("millrace-bench lab: \(error)")
            return 2
        }
        if options.wantsHelp {
            show(LabOptions.help)
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
            say("millrace-bench lab: \(error)")
            return 1
        }
    }

    private static func run(_ options: LabOptions, _ undo: Undo) throws {
        do { try Limits.bind(toCPU: options.clientCPU) } catch {
            throw BenchError("cannot run on CPU \(options.clientCPU): errno \(error.code)")
        }
        let bench = try LabBench(options, undo)
        let commit = EnvironmentFacts.commit(in: ".")
        let date = ISO8601DateFormatter().string(from: Date())
        let name = try options.directory.map { directory in
            let base = "\(date.prefix(10))-\(commit)-\(options.part.suffix)"
            return try RunFiles.freeName(base, in: directory)
        }
        let facts = facts(options, bench, date, commit)
        switch options.part {
        case .chunks:
            try fill(LabRun(facts: facts), options, name) { round, link, run in
                for way in options.ways { try bench.round(round, link, way, into: &run) }
            }
        case .tuning:
            try fill(TuningRun(facts: facts), options, name) { round, link, run in
                try bench.round(round, link, into: &run)
            }
        case .parallel:
            try fill(ParallelRun(facts: facts), options, name) { round, link, run in
                try bench.round(round, link, into: &run)
            }
        }
    }

    private static func fill<Run: LabTables>(
        _ empty: Run, _ options: LabOptions, _ name: String?,
        _ measure: (Int, LabLink, inout Run) throws -> Void
    ) throws {
        var run = empty
        for link in options.links {
            for round in 0..<options.rounds {
                try measure(round, link, &run)
                // After every round: a run that is stopped leaves what it has.
                if let name { try RunFiles.write(run, markdown: run.markdown, to: name) }
            }
        }
        show(run.markdown)
        if let name { say("written: \(name).md and .json") }
    }

    private static func facts(
        _ options: LabOptions, _ bench: LabBench, _ date: String, _ commit: String
    ) -> [String] {
        let kernel = (TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let model = ProcessText.value(
            of: "model name\t", status: TextFile.read("/proc/cpuinfo") ?? "")
        let command = (["millrace-bench"] + CommandLine.arguments.dropFirst())
            .joined(separator: " ")
        return [
            "date: \(date)", "commit: \(commit)", "command: `\(command)`", "kernel: \(kernel)",
            "CPU: \(model ?? "unknown"), \(ProcessInfo.processInfo.processorCount) of them;"
                + " server on CPU \(options.serverCPU), client and link on \(options.clientCPU)",
            "file system: \(bench.fileSystem)",
            "congestion control of both ends: \(CongestionControl.wanted); rates"
                + (options.part == .tuning ? "," : " by tc-tbf,")
                + " lengths, jitter, losses, outages and cuts by the bench's relay of packets",
            "\(options.rounds) rounds; median [least–greatest], and of ratios 95 %",
            words(options),
        ]
    }

    /// What a round is.
    private static func words(_ options: LabOptions) -> String {
        switch options.part {
        case .chunks:
            "in each \(options.visits) uploads in a row by one client, known by its network, to a"
                + " server that knew nobody; all algorithms meet the same schedule of failures;"
                + " every upload was read back and compared"
        case .tuning:
            "in each an upload in one request, then \(options.visits) downloads of it over one"
                + " connection, every byte compared, and beside those a small request every 100 ms;"
                + " both ends have \(CongestionControl.wanted) where the server chooses nothing"
        case .parallel:
            "in each two uploads of a quarter over one connection, so that the server knows the"
                + " link, then the one that counts, which was read back and compared"
        }
    }
}
