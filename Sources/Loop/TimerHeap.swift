/// Who wants to be woken when: a binary heap by deadline. Nothing here knows the time.
struct TimerHeap {
    private struct Entry {
        let deadline: UInt64
        let ticket: Ticket
    }

    private var entries: [Entry] = []

    /// The earliest deadline, in monotonic nanoseconds.
    var first: UInt64? { entries.first?.deadline }

    mutating func push(_ ticket: Ticket, deadline: UInt64) {
        entries.append(Entry(deadline: deadline, ticket: ticket))
        var child = entries.count - 1
        while child > 0, entries[child].deadline < entries[(child - 1) / 2].deadline {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popDue(now: UInt64) -> Ticket? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        entries[0] = entries[entries.count - 1]
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].deadline < entries[least].deadline { least = child }
            }
            guard least != parent else { return first.ticket }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
