/// The signals that ask a command to end: each is passed on, and what it means is the command's.

import CMachine
import Glibc
import IO

public struct StopSignal: Sendable {
    public let number: Int32
    public let name: String

    /// As a shell reports a program that a signal has ended.
    public var exitCode: Int32 { 128 + number }

    /// From now on, until the process ends, a thread waits for signals and calls `told` with each.
    /// To be called before any other thread starts, so that all inherit the mask.
    public static func watch(
        _ told: @escaping @Sendable (StopSignal) -> Void
    ) throws(ServeError) {
        try Signals.prepare()
        do {
            let thread = try CoreThread.start(name: "millrace-signal", cpu: nil) {
                while true { told(next()) }
            }
            thread.leaveRunning()
        } catch {
            throw ServeError("no thread can wait for signals: errno \(error.code)")
        }
    }

    private static func next() -> StopSignal {
        switch Signals.wait() {
        case .hangUp: StopSignal(number: SIGHUP, name: "SIGHUP")
        case .stop(let name):
            StopSignal(number: name == "SIGINT" ? SIGINT : SIGTERM, name: name)
        }
    }

    /// Ends the process without a word to anybody.
    public func endAtOnce() -> Never { _exit(exitCode) }
}
