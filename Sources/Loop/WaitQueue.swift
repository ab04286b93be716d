/// Handlers of one loop that wait until something has happened.
///
/// Whoever is woken asks again what for: others may have been first. A class, so that nobody holds
/// its owner while it waits.
public final class WaitQueue {
    private var tickets: [Ticket] = []

    public init() {}

    /// Returns after the next `wakeAll`.
    public func wait(on loop: EventLoop) async {
        let ticket = loop.makeTicket()
        tickets.append(ticket)
        _ = await loop.answer(ticket)
    }

    public func wakeAll(on loop: EventLoop) {
        let woken = tickets
        tickets = []
        for ticket in woken { loop.wake(ticket) }
    }
}
