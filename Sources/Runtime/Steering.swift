/// Where the thread that starts and stops a server waits for what others tell it: that the store is
/// open, or cannot be, and that it is time to stop.

import Synchronization

final class Steering<Opened: Sendable>: Sendable {
    enum Opening: Sendable {
        case opened(Opened)
        case failed(ServeError)
        /// The stop came first.
        case cut
    }

    private let life = Mutex(ServerLife())
    private let opening = Mutex<Opening?>(nil)
    private let openingEnded = Gate()
    private let stop = Gate()

    // MARK: Those who tell

    /// What is to be done; `wake` lets those who wait do it.
    func toldToStop() -> ServerLife.Answer { life.withLock { $0.toldToStop() } }

    func wake(for answer: ServerLife.Answer) {
        switch answer {
        case .cutRecovery: end(.cut)
        case .drain: stop.open()
        case .endAtOnce: preconditionFailure("who is to end at once waits for nothing")
        }
    }

    /// To be asked between recovery and the first object served. If it may, `opened` or `failed`
    /// must follow.
    func mayServe() -> Bool { life.withLock { $0.recovered() } }

    func opened(_ store: Opened) { end(.opened(store)) }

    func failed(_ error: ServeError) {
        if life.withLock({ $0.failed() }) { end(.failed(error)) }
    }

    private func end(_ how: Opening) {
        opening.withLock { $0 = how }
        openingEnded.open()
    }

    // MARK: Who waits

    func waitForOpening() -> Opening {
        openingEnded.wait()
        guard let how = opening.withLock({ $0 }) else {
            preconditionFailure("the gate opened without an answer")
        }
        return how
    }

    /// Only behind an opening that was not cut.
    func waitForStop() { stop.wait() }
}
