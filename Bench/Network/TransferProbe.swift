/// What a link's other users feel while a transfer goes on: a small request now and then, over a
/// connection of its own.

import BenchMachine
import Dispatch
import Foundation
import Synchronization

final class TransferProbe: Sendable {
    private struct State {
        var milliseconds: [Double] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let hasEnded = DispatchSemaphore(value: 0)
    private static let pauseMilliseconds: UInt32 = 100

    /// Asks until it is stopped. A probe whose connection breaks has no more figures.
    init(_ server: LabServer, from network: NetworkNamespace?) throws(LabFailure) {
        let line = try LabLine(to: server, from: network)
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopping }) {
                let start = Clocks.now()
                guard (try? line.ask("GET", "/ready", [], [])) != nil else { break }
                let milliseconds = Double(Clocks.now() - start) / 1e6
                state.withLock { $0.milliseconds.append(milliseconds) }
                Clocks.sleep(milliseconds: TransferProbe.pauseMilliseconds)
            }
            hasEnded.signal()
        }
    }

    /// How long each request took.
    func stop() -> [Double] {
        state.withLock { $0.isStopping = true }
        hasEnded.wait()
        return state.withLock { $0.milliseconds }
    }
}
