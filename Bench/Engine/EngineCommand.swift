/// `millrace-bench fio`: from its command line to its exit code.

import BenchMachine
import BenchMeasure
import Foundation

public enum EngineCommand {
    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    ///
    /// - Parameters:
    ///   - arguments: those behind `fio`.
    ///   - commit: asked only for a result.
    public static func run(_ arguments: [String], commit: () -> String) -> Int32 {
        let options: EngineOptions
        do throws(Options.Mistake) {
            options = try EngineOptions(arguments)
        } catch {
            say("millrace-bench fio: \(error)")
            return 2
        }
        if options.wantsHelp {
            show(EngineOptions.help)
            return 0
        }
        do {
            try run(options, commit: commit())
            return 0
        } catch {
            say("millrace-bench fio: \(error)")
            return 1
        }
    }

    private static func run(_ options: EngineOptions, commit: String) throws {
        let fio = FioProgram(program: options.fio, cpu: options.cpu)
        let version = options.only == .millrace ? "not run" : try fio.version()
        let directory = options.data ?? ".build/bench-data"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        var run = EngineRun(
            facts: facts(options, version: version, commit: commit, directory: directory))
        let name = try options.directory.map { directory in
            try RunFiles.freeName("\(day())-\(commit)-fio", in: directory)
        }
        say("laying out a file of \(options.fileBytes >> 20) MiB")
        let comparison = try EngineComparison(options, fio, directory: directory)
        for cell in options.cells {
            let row = try comparison.run(cell)
            say(progress(row))
            run.rows.append(row)
            // After every cell: a run that is stopped leaves what it has.
            if let name { try RunFiles.write(run, markdown: run.markdown, to: name) }
        }
        show(run.markdown)
        if let name { say("written: \(name).md and .json") }
    }

    private static func progress(_ row: EngineRow) -> String {
        guard let cpu = row.cpuRatio, let throughput = row.throughputRatio else { return row.name }
        return "\(row.name): CPU \(Digits.ratio(cpu.ratio)) of fio's, throughput"
            + " \(Digits.ratio(throughput.ratio))"
    }

    private static func day() -> String {
        String(ISO8601DateFormatter().string(from: Date()).prefix(10))
    }

    private static func facts(
        _ options: EngineOptions, version: String, commit: String, directory: String
    ) -> [String] {
        let kernel = (TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let model = ProcessText.value(
            of: "model name\t", status: TextFile.read("/proc/cpuinfo") ?? "")
        let path = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        let mount = ProcessText.mount(
            of: path, mountInfo: TextFile.read("/proc/self/mountinfo") ?? "")
        return [
            "date: \(ISO8601DateFormatter().string(from: Date()))", "commit: \(commit)",
            "fio: \(version)", "kernel: \(kernel)",
            "CPU: \(model ?? "unknown"), \(ProcessInfo.processInfo.processorCount) of them;"
                + " both sides on CPU \(options.cpu)",
            "file: \(options.fileBytes >> 20) MiB on"
                + " \(mount.map { "\($0.type), \($0.source), \($0.options)" } ?? "unknown")",
            "\(options.pairs) interleaved pairs, rounds of \(options.seconds) s",
        ]
    }

    private static func show(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
