/// How many connections for objects one core has, those on their way to it included: for all cores
/// to read and to claim.
///
/// Invariant: whoever adds one is the core that opens the connection, or hands its descriptor to
/// the core that does; that core takes it off again when the connection is closed or refused.

import Synchronization

final class ConnectionLoad: Sendable {
    // Two cache lines' worth on either side, which processors fetch in pairs: nobody else's writes
    // are in the way of these.
    private let before = InlineArray<16, UInt64>(repeating: 0)
    private let value = Atomic<Int>(0)
    private let after = InlineArray<16, UInt64>(repeating: 0)

    var count: Int { value.load(ordering: .sequentiallyConsistent) }

    // In one order for all cores: of two that add at once, at least one sees the other's.
    func add() { value.add(1, ordering: .sequentiallyConsistent) }

    func remove() {
        let (had, _) = value.subtract(1, ordering: .sequentiallyConsistent)
        precondition(had > 0, "a connection was taken off that nobody had added")
    }

    /// Adds one if there are still `count`.
    func claim(expecting count: Int) -> Bool {
        value.compareExchange(
            expected: count, desired: count + 1, ordering: .sequentiallyConsistent
        ).exchanged
    }
}
