/// The signals that steer a server: SIGTERM and SIGINT drain, a second one ends, SIGHUP is noted.

import CMachine
import Glibc
import IO

enum Signals {
    enum Received {
        case stop(name: String)
        case hangUp
    }

    /// Before any thread starts, so that all inherit the mask.
    static func prepare() throws(ServeError) {
        let status = cmachine_prepare_signals()
        guard status == 0 else { throw ServeError("signals cannot be set up: errno \(-status)") }
    }

    static func wait() -> Received {
        switch cmachine_wait_for_signal() {
        case SIGHUP: .hangUp
        case SIGINT: .stop(name: "SIGINT")
        default: .stop(name: "SIGTERM")
        }
    }

    /// From now on a thread waits for the next SIGTERM or SIGINT and ends the process with it.
    static func endAtOnceOnNext(_ journal: Journal) {
        do {
            let thread = try CoreThread.start(name: "millrace-signal", cpu: nil) {
                while true {
                    guard case .stop(let name) = wait() else { continue }
                    journal.warning("\(name) again: ending at once")
                    _exit(1)
                }
            }
            thread.leaveRunning()
        } catch {
            journal.warning("a second signal will not end the drain: errno \(error.code)")
        }
    }
}
