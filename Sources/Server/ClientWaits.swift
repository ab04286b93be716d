/// Whether a request waits for its client, or for us although it asks its client for more: bytes
/// that have come already are not read before it is their turn. Whoever has waited from one probe
/// to the next but one, waits for its client.

struct ClientWaits {
    private struct Wait {
        let slot: UInt32
        let number: UInt32
    }

    private var number: UInt32 = 0
    /// Begun since the last probe, and before it.
    private var young: [Wait] = []
    private var old: [Wait] = []

    /// The number of a wait that begins, never 0.
    mutating func begin(_ slot: Int) -> UInt32 {
        number = number == .max ? 1 : number + 1
        young.append(Wait(slot: UInt32(slot), number: number))
        return number
    }

    /// A probe is back: calls `late` with those that have begun before the one before it.
    mutating func age(_ late: (_ slot: Int, _ number: UInt32) -> Void) {
        for wait in old { late(Int(wait.slot), wait.number) }
        old.removeAll(keepingCapacity: true)
        swap(&young, &old)
    }
}
