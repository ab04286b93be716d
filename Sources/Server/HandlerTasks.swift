/// Which handler tasks of a core are idle: a task, once made, answers one request after the other,
/// because making one costs nine allocations. Which request or connection it last had is no matter.

import Loop

struct HandlerTasks {
    /// A parked task holds about 6 KiB.
    static let parkedMax = 256

    /// For tasks that were just made or woken: one each.
    private var requests = Queue<Request>()
    /// Requests that were begun and are not answered.
    private(set) var busyCount = 0
    /// Those of them whose head has left: they need no more memory of the front.
    private var streamingCount = 0
    var unansweredCount: Int { busyCount - streamingCount }
    private var parked: [Ticket] = []
    /// The fewest that were parked since the last `takeUnneeded`: so many were never needed.
    private var parkedLeast = 0

    mutating func next() -> Request? { requests.pop() }

    var hasRoom: Bool { parked.count < HandlerTasks.parkedMax }

    mutating func begin(_ request: Request) {
        busyCount += 1
        requests.push(request)
    }

    mutating func end() {
        precondition(busyCount > 0, "a request ends once")
        busyCount -= 1
    }

    /// A request's head has left, and its body follows: until `endStreaming`.
    mutating func beginStreaming() { streamingCount += 1 }

    mutating func endStreaming() {
        precondition(streamingCount > 0, "a body ends once")
        streamingCount -= 1
    }

    mutating func park(_ ticket: Ticket) { parked.append(ticket) }

    /// The one parked last: its memory is the warmest.
    mutating func takeParked() -> Ticket? {
        let ticket = parked.popLast()
        parkedLeast = min(parkedLeast, parked.count)
        return ticket
    }

    mutating func takeUnneeded() -> [Ticket] {
        let unneeded = Array(parked.prefix(parkedLeast))
        parked.removeFirst(parkedLeast)
        parkedLeast = parked.count
        return unneeded
    }
}
