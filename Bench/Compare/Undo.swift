// Puts the machine back as it was, also when the bench is interrupted.

import Dispatch
import Foundation
import Synchronization

/// What must be put back when the bench ends, however it ends: settings, mounts, servers, files.
final class Undo: Sendable {
    private typealias Step = @Sendable () -> Void
    private let steps = Mutex<[Step]>([])
    /// Held while steps are taken: who comes second waits until everything is put back.
    private let isUndoing = Mutex<Void>(())

    /// Adds a step; the last added is taken first.
    func add(_ step: @escaping @Sendable () -> Void) {
        steps.withLock { $0.append(step) }
    }

    /// Takes every step once.
    func all() {
        isUndoing.withLock { _ in
            while let step = steps.withLock({ $0.popLast() }) { step() }
        }
    }

    /// SIGINT and SIGTERM undo everything and end the bench, for as long as the answer is kept.
    func watchSignals() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in
                say("millrace-bench: interrupted, putting everything back")
                all()
                exit(1)
            }
            source.resume()
            return source
        }
    }
}
