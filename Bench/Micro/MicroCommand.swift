/// `millrace-bench micro`: from its command line to its exit code.

import BenchMachine
import BenchMeasure
import Foundation
import IO

public enum MicroCommand {
    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    ///
    /// - Parameters:
    ///   - arguments: those behind `micro`.
    ///   - commit: asked only for a result that is written down or shown.
    public static func run(_ arguments: [String], commit: () -> String) -> Int32 {
        let options: MicroOptions
        do throws(Options.Mistake) {
            options = try MicroOptions(arguments)
        } catch {
            say("millrace-bench micro: \(error)")
            return 2
        }
        do {
            return try run(options, commit: commit)
        } catch {
            say("millrace-bench micro: \(error)")
            return 1
        }
    }

    private static func run(_ options: MicroOptions, commit: () -> String) throws -> Int32 {
        if options.wantsHelp {
            show(MicroOptions.help)
            return 0
        }
        let benches = Microbench.all.filter {
            options.filter.isEmpty || $0.name.contains(options.filter)
        }
        guard !benches.isEmpty else {
            throw MicroError("no bench is called \(options.filter); see --list")
        }
        if options.lists {
            show(benches.map(\.name).joined(separator: "\n"))
            return 0
        }
        let directory = try scratch(options)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let place = MicroPlace(
            directory: directory,
            isQuick: options.isQuick || options.checks || options.iterations != nil)
        if let iterations = options.iterations {
            let exact = benches.first { $0.name == options.filter }
            guard let bench = exact ?? (benches.count == 1 ? benches[0] : nil) else {
                throw MicroError("--filter \(options.filter) names \(benches.count) benches")
            }
            try Measurer(place: place, sampling: nil).runCounted(bench, iterations: iterations)
            return 0
        }
        if options.checks { return try check(benches, place) }
        try time(benches, place, options, commit: commit)
        return 0
    }

    private static func check(_ benches: [Microbench], _ place: MicroPlace) throws -> Int32 {
        let measurer = Measurer(place: place, sampling: nil)
        var objections: [String] = []
        for bench in benches {
            let result = try measurer.measure(bench)
            let limit = AllocationLimits.limit(of: bench.name)
            if let objection = result.objection(limit: limit) { objections.append(objection) }
            show("\(bench.name): \(Digits.fixed(result.allocations, 3))")
        }
        for objection in objections { say(objection) }
        return objections.isEmpty ? 0 : 1
    }

    private static func time(
        _ benches: [Microbench], _ place: MicroPlace, _ options: MicroOptions,
        commit: () -> String
    ) throws {
        do { try Limits.bind(toCPU: options.cpu) } catch {
            throw MicroError("cannot run on CPU \(options.cpu): errno \(error.code); see --cpu")
        }
        let measurer = Measurer(place: place, sampling: options.isQuick ? .quick : .usual)
        var run = MicroRun(facts: MicroFacts.lines(options, commit: commit()), results: [])
        for bench in benches {
            say(bench.name)
            run.results.append(try measurer.measure(bench))
        }
        show(run.markdown)
        if let directory = options.directory {
            let name = try MicroFacts.write(run, commit: commit(), to: directory)
            say("written: \(name).md")
        }
    }

    /// A directory for this run.
    private static func scratch(_ options: MicroOptions) throws -> String {
        let base = options.data ?? FileManager.default.temporaryDirectory.path
        let path = base + "/millrace-micro-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func show(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}

extension Microbench {
    static let all =
        parsing + storage + memory + planning + loop + rings + catalog + server
}
