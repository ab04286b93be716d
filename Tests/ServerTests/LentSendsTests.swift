// Goal:   a buffer is free when, and only when, its handler and the kernel are through with it, in
//         whatever order they say so.

import Engine
import IO
import Loop
import Testing

@testable import Server

private let buffer = Region(offset: 4096, count: 1024)
private let connection = Token(.send, generation: 3, slot: 5)

/// What can happen to a buffer that is with the kernel.
private enum Event { case result, notification, letGo }

@Suite struct `A buffer that is lent` {
    private var lent = LentSends()
    private let loop: EventLoop

    init() throws { loop = try EventLoop(index: 0) }

    private mutating func lend() -> Token {
        lent.lend(buffer, connection: connection, route: .card(queue: 1))
    }

    private mutating func take(_ token: Token, _ event: Event) -> Region? {
        switch event {
        case .result:
            let ticket = lent.took(Completion(token: token, result: 100, more: true))
            #expect(ticket != nil)
        case .notification:
            let ticket = lent.took(
                Completion(token: token, result: Completion.wasCopied, isNotification: true))
            #expect(ticket == nil)
        case .letGo: lent.letGo(token)
        }
        return lent.takeFree(token)
    }

    @Test(arguments: [
        [Event.result, .notification, .letGo], [.result, .letGo, .notification],
        [.notification, .result, .letGo],
    ])
    private mutating func `is free behind the last who needs it`(order: [Event]) {
        let token = lend()
        lent.submit(token, loop.makeTicket())
        #expect(lent[token].buffer == buffer && lent[token].connection == connection)
        for event in order.dropLast() {
            let early = take(token, event)
            #expect(early == nil && lent.count == 1)
        }
        #expect(lent[token].count == 100 && lent[token].wasCopied != false)
        let free = take(token, order[2])
        #expect(free == buffer && lent.count == 0)
    }

    @Test mutating func `is its handler's alone until it is submitted`() {
        let token = lend()
        #expect(lent[token].isReleased)
        lent.letGo(token)
        let free = lent.takeFree(token)
        #expect(free == buffer)
    }

    @Test mutating func `is the kernel's no more if no second answer is announced`() {
        let token = lend()
        lent.submit(token, loop.makeTicket())
        #expect(!lent[token].isReleased)
        _ = lent.took(Completion(token: token, result: -22))
        #expect(lent[token].isReleased && lent[token].count == 0 && lent[token].wasCopied == nil)
    }

    @Test mutating func `leaves its place to another, under another token`() {
        let first = lend()
        lent.letGo(first)
        _ = lent.takeFree(first)
        let second = lend()
        #expect(second.slot == first.slot && second.generation != first.generation)
        let third = lend()
        #expect(third.slot != second.slot && lent.count == 2)
    }

    @Test func `cannot be let go of twice by the kernel`() async {
        await #expect(processExitsWith: .failure) { try answerTwice(isNotification: true) }
    }

    @Test func `cannot be answered twice`() async {
        await #expect(processExitsWith: .failure) { try answerTwice(isNotification: false) }
    }

    @Test func `is not known any more when it is free`() async {
        await #expect(processExitsWith: .failure) {
            var lent = LentSends()
            let token = lent.lend(
                Region(offset: 0, count: 1024), connection: Token(.send), route: .none)
            lent.letGo(token)
            _ = lent.takeFree(token)
            _ = lent[token]
        }
    }
}

private func answerTwice(isNotification: Bool) throws {
    var lent = LentSends()
    let token = lent.lend(buffer, connection: connection, route: .none)
    lent.submit(token, try EventLoop(index: 0).makeTicket())
    for _ in 0..<2 {
        _ = lent.took(
            Completion(token: token, result: 0, more: true, isNotification: isNotification))
    }
}
