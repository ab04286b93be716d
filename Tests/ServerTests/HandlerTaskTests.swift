// Goal:   which handler tasks a core keeps, and which it lets go.

import Loop
import Testing

@testable import Server

@Suite struct `Handler tasks` {
    private func tickets(_ count: Int) throws -> [Ticket] {
        let loop = try EventLoop(index: 0)
        return (0..<count).map { _ in loop.makeTicket() }
    }

    @Test func `are used again, the one parked last first`() throws {
        let tickets = try tickets(2)
        var tasks = HandlerTasks()
        #expect(tasks.takeParked() == nil)
        for ticket in tickets { tasks.park(ticket) }
        #expect(tasks.takeParked() == tickets[1])
        #expect(tasks.takeParked() == tickets[0])
        #expect(tasks.takeParked() == nil)
    }

    @Test func `are let go when nobody has needed them for a while`() throws {
        let tickets = try tickets(3)
        var tasks = HandlerTasks()
        for ticket in tickets { tasks.park(ticket) }
        // Whoever was parked only now may be needed yet.
        #expect(tasks.takeUnneeded() == [])
        // Two were in use at once, so one of three was not needed.
        let inUse = [tasks.takeParked(), tasks.takeParked()]
        for ticket in inUse { if let ticket { tasks.park(ticket) } }
        #expect(tasks.takeUnneeded() == [tickets[0]])
        #expect(tasks.takeUnneeded().count == 2)
        #expect(tasks.takeParked() == nil)
    }

    @Test func `are no more than a set number`() throws {
        let tickets = try tickets(HandlerTasks.parkedMax)
        var tasks = HandlerTasks()
        for ticket in tickets {
            #expect(tasks.hasRoom)
            tasks.park(ticket)
        }
        #expect(!tasks.hasRoom)
    }
}
