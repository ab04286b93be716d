/// Writes of one upload that are on their way to the disk: counted, and waited for.

import Loop

final class WritesInFlight {
    private let store: ObjectStore
    private let ends = WaitQueue()
    private var count = 0

    init(_ store: ObjectStore) { self.store = store }

    func began() { count += 1 }

    func ended() {
        count -= 1
        ends.wakeAll(on: store.loop)
    }

    /// Waits until no more than that many are in flight.
    func wait(atMost limit: Int) async {
        guard count > limit else { return }
        let start = store.loop.now
        while count > limit { await ends.wait(on: store.loop) }
        store.countWait(.disk, since: start)
    }
}
