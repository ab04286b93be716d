// Other programs.

import BenchMachine
import Foundation

/// Other programs: run to their end, or started as a server.
enum Command {
    /// Runs `program`, found in PATH, and answers what it wrote to both outputs.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws -> String {
        do throws(ChildProgram.Failure) {
            return try ChildProgram.run(program, arguments)
        } catch {
            throw BenchError(error.description)
        }
    }

    /// Starts a server with all it will ever run confined to `cpu`; both its outputs go to `log`.
    /// It is told to stop should the bench die.
    static func serve(_ program: [String], cpu: Int, log: String) throws -> ServerProcess {
        guard FileManager.default.createFile(atPath: log, contents: nil),
            let file = FileHandle(forWritingAtPath: log)
        else { throw BenchError("cannot write \(log)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", "\(cpu)"] + program
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return ServerProcess(process, name: program[0], log: log)
    }
}

/// A server that runs beside the bench.
final class ServerProcess: @unchecked Sendable {
    // Unchecked: Foundation's Process may be asked to end from any thread.
    private let process: Process
    private let name: String
    let log: String
    /// Longer than any server here drains.
    private static let stopMilliseconds: UInt32 = 40_000

    init(_ process: Process, name: String, log: String) {
        (self.process, self.name, self.log) = (process, name, log)
    }

    var isRunning: Bool { process.isRunning }

    /// The server's first process.
    var pid: Int32 { process.processIdentifier }

    /// The last lines of its log, for a failure's message.
    var lastWords: String {
        let lines = (TextFile.read(log) ?? "").split(separator: "\n").suffix(3)
        return lines.isEmpty ? "it said nothing" : lines.joined(separator: " / ")
    }

    /// Waits until `isReady` answers; the server must stay alive meanwhile.
    func waitUntil(_ isReady: () -> Bool) throws {
        let patienceMilliseconds: UInt32 = 30_000
        var waited: UInt32 = 0
        while !isReady() {
            guard isRunning else { throw BenchError("\(name) ended at start: \(lastWords)") }
            guard waited < patienceMilliseconds else {
                throw BenchError("\(name) is not ready after 30 s: \(lastWords)")
            }
            Clocks.sleep(milliseconds: 20)
            waited += 20
        }
    }

    /// SIGKILL: nothing that it holds in memory is left.
    func kill() {
        _ = Foundation.kill(pid, SIGKILL)
        while process.isRunning { Clocks.sleep(milliseconds: 1) }
    }

    /// SIGTERM, and SIGKILL if that does not help.
    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        var waited: UInt32 = 0
        while process.isRunning {
            if waited >= ServerProcess.stopMilliseconds { kill() }
            Clocks.sleep(milliseconds: 20)
            waited += 20
        }
    }
}
