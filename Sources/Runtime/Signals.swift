/// The signals that steer a server: SIGTERM and SIGINT drain, a second one ends, SIGHUP is noted.

import CMachine
import Configuration
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

    /// From now on, until the process ends, a thread waits for signals and passes them on.
    static func steer<Opened>(
        _ steering: Steering<Opened>, _ settings: Settings, _ journal: Journal
    ) throws(ServeError) {
        let drainTimeout = settings.server.drainTimeout
        do {
            let thread = try CoreThread.start(name: "millrace-signal", cpu: nil) {
                while true {
                    switch wait() {
                    case .hangUp:
                        journal.notice(
                            "SIGHUP: this release reads its configuration only at start")
                    case .stop(let name):
                        let answer = steering.toldToStop()
                        if answer == .endAtOnce {
                            journal.warning("\(name) again: ending at once")
                            _exit(1)
                        }
                        journal.notice("\(name): draining", [("timeout", "\(drainTimeout)")])
                        steering.wake(for: answer)
                    }
                }
            }
            thread.leaveRunning()
        } catch {
            throw ServeError("no thread can wait for signals: errno \(error.code)")
        }
    }
}
