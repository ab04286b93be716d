// fio as a program that is run.

import BenchMachine
import Foundation

/// fio, run to its end on one CPU.
struct FioProgram {
    /// A path, or a name to be found in PATH.
    let program: String
    let cpu: Int

    /// Such as "fio-3.33".
    func version() throws(EngineError) -> String {
        guard let text = try? run(["--version"], confined: false).text else {
            throw EngineError("no \(program): apt-get install fio, or say --fio PATH")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the job did, and what fio took to start and end.
    func run(_ job: FioJob) throws -> EngineTally {
        let (text, processCPU) = try run(job.arguments, confined: true)
        guard let report = FioReport(text, job.cell.direction) else {
            throw EngineError("\(job.cell.name): fio's report is not as expected")
        }
        return EngineTally(
            requestCount: report.requestCount, seconds: report.seconds, cpu: report.cpu,
            cpuBeside: max(0, processCPU - report.cpu))
    }

    private func run(
        _ arguments: [String], confined: Bool
    ) throws -> (text: String, cpuSeconds: Double) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = (confined ? ["taskset", "-c", "\(cpu)"] : []) + [program] + arguments
        let (output, complaints) = (Foundation.Pipe(), Foundation.Pipe())
        process.standardOutput = output
        process.standardError = complaints
        process.standardInput = FileHandle.nullDevice
        let before = Clocks.children()
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        // Never so many that fio would have to wait for somebody to read them.
        let complaint = try complaints.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: complaint, as: UTF8.self).split(separator: "\n")
            throw EngineError("fio failed: \(lines.first.map(String.init) ?? "no word why")")
        }
        let seconds = Double(Clocks.children() - before) / 1e9
        return (String(decoding: text, as: UTF8.self), seconds)
    }
}
