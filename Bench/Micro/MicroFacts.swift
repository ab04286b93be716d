/// Where and when a run of microbenches was made, and the files it goes into.

import BenchMachine
import BenchMeasure
import Foundation

enum MicroFacts {
    static func lines(_ options: MicroOptions, commit: String) -> [String] {
        let kernel = (TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let model = ProcessText.value(
            of: "model name\t", status: TextFile.read("/proc/cpuinfo") ?? "")
        let load = (TextFile.read("/proc/loadavg") ?? "unknown").prefix { $0 != " " }
        return [
            "date: \(ISO8601DateFormatter().string(from: Date()))", "commit: \(commit)",
            "build: \(AllocationLimits.configuration)", "kernel: \(kernel)",
            "CPU: \(model ?? "unknown"), \(ProcessInfo.processInfo.processorCount) of them;"
                + " the bench on CPU \(options.cpu), load average at the start \(load)",
        ]
    }

    /// Answers the files' name without extension.
    static func write(
        _ run: MicroRun, commit: String, to directory: String
    ) throws -> String {
        let date = ISO8601DateFormatter().string(from: Date()).prefix(10)
        let name = try RunFiles.freeName("\(date)-\(commit)-micro", in: directory)
        try RunFiles.write(run, markdown: run.markdown, to: name)
        return name
    }
}
