// Goal:   nothing is tried without a copy where it cannot pay, nothing twice where it did not pay,
//         and never more is lent than can be spared.

import Testing

@testable import Engine

private let minute = ZeroCopy.retryNanoseconds
private let trial = ZeroCopy.Route.trial(queue: 9)
private let card = ZeroCopy.Route.card(queue: 9)

extension ZeroCopy {
    /// Of a connection that has lent nothing, of few.
    fileprivate func allows(
        _ route: Route, _ count: Int, ownBytes: Int = 0, transfers: Int = 1, isShort: Bool = false
    ) -> Bool {
        allows(
            route, count: count, bufferBytes: count, ownBytes: ownBytes, transfers: transfers,
            isShort: isShort)
    }
}

@Suite struct `Sending without a copy` {
    private var zeroCopy = ZeroCopy(isOn: true, poolBytes: 16 << 20)

    @Test func `is for cards and 16 KiB or more`() {
        #expect(zeroCopy.allows(card, 16 << 10) && zeroCopy.allows(trial, 16 << 10))
        #expect(!zeroCopy.allows(card, (16 << 10) - 1))
        #expect(!zeroCopy.allows(.none, 1 << 20))
        #expect(!zeroCopy.allows(.unknown, 1 << 20))
    }

    @Test func `asks for the route once, and only for what is worth it`() {
        #expect(zeroCopy.mustAsk(.unknown, count: 16 << 10))
        #expect(!zeroCopy.mustAsk(.unknown, count: (16 << 10) - 1))
        #expect(!zeroCopy.mustAsk(trial, count: 1 << 20))
        #expect(!zeroCopy.mustAsk(card, count: 1 << 20))
        #expect(!zeroCopy.mustAsk(.none, count: 1 << 20))
    }

    @Test func `asks for nothing when it is off`() {
        let off = ZeroCopy(isOn: false, poolBytes: 16 << 20)
        #expect(!off.mustAsk(.unknown, count: 1 << 20))
    }

    @Test(arguments: [0, -92])
    func `finds no card behind what comes from this machine or is not told`(queue: Int32) {
        #expect(zeroCopy.route(queue: queue, now: 0) == .none)
    }

    @Test mutating func `ends for good on a connection whose bytes were copied`() {
        for route in [trial, card] {
            let route = zeroCopy.ended(route, count: 1, wasCopied: true, now: 5)
            #expect(route == .none)
            #expect(!zeroCopy.allows(route, 1 << 20))
        }
    }

    @Test mutating func `is tried with one send until that has shown what the card does`() {
        #expect(!zeroCopy.allows(trial, 16 << 10, ownBytes: 16 << 10))
        let unsent = zeroCopy.ended(trial, count: 0, wasCopied: true, now: 5)
        #expect(unsent == trial)
        let shown = zeroCopy.ended(trial, count: 1, wasCopied: false, now: 5)
        #expect(shown == card)
        #expect(zeroCopy.allows(shown, 16 << 10, ownBytes: 16 << 10))
    }

    @Test mutating func `goes on where nothing was copied, or nothing was sent`() {
        let sent = zeroCopy.ended(card, count: 1 << 20, wasCopied: false, now: 5)
        let failed = zeroCopy.ended(card, count: 0, wasCopied: true, now: 5)
        #expect(sent == card && failed == card)
        #expect(zeroCopy.route(queue: 9, now: 5) == trial)
    }

    @Test mutating func `leaves a card that copied alone for a minute, and that one only`() {
        _ = zeroCopy.ended(card, count: 1, wasCopied: true, now: 5)
        #expect(zeroCopy.route(queue: 9, now: 5) == .none)
        #expect(zeroCopy.route(queue: 9, now: 4 + minute) == .none)
        #expect(zeroCopy.route(queue: 8, now: 5) == .trial(queue: 8))
        #expect(zeroCopy.route(queue: 9, now: 5 + minute) == trial)
    }

    /// Several may be on their way when the first tells.
    @Test mutating func `counts the minute from the last of its sends that was copied`() {
        for now in [5, 100] as [UInt64] {
            _ = zeroCopy.ended(card, count: 1, wasCopied: true, now: now)
        }
        #expect(zeroCopy.route(queue: 9, now: 99 + minute) == .none)
        #expect(zeroCopy.route(queue: 9, now: 100 + minute) == trial)
    }

    @Test mutating func `remembers so many queues, the latest ones`() {
        let most = Int32(ZeroCopy.queuesMax)
        for queue in 1...most + 1 {
            _ = zeroCopy.ended(
                .card(queue: UInt32(queue)), count: 1, wasCopied: true, now: UInt64(queue))
        }
        #expect(zeroCopy.route(queue: 1, now: 100) == .trial(queue: 1))
        for queue in 2...most + 1 { #expect(zeroCopy.route(queue: queue, now: 100) == .none) }
    }

    @Test mutating func `says nothing of what was sent after its route had been given up`() {
        let route = zeroCopy.ended(.none, count: 1, wasCopied: false, now: 5)
        #expect(route == .none)
    }
}

@Suite struct `Memory lent to the kernel` {
    private static let buffer = 1 << 20
    private var zeroCopy = ZeroCopy(isOn: true, poolBytes: 16 * buffer)

    @Test mutating func `is a quarter of the pool at most`() {
        for _ in 0..<4 {
            #expect(zeroCopy.allows(card, Self.buffer))
            zeroCopy.lent(Self.buffer)
        }
        #expect(zeroCopy.lentBytes == 4 * Self.buffer)
        #expect(!zeroCopy.allows(card, Self.buffer) && !zeroCopy.allows(card, 16 << 10))
        zeroCopy.returned(Self.buffer)
        #expect(zeroCopy.allows(card, Self.buffer))
    }

    @Test func `is nothing while others wait for memory`() {
        #expect(!zeroCopy.allows(card, Self.buffer, isShort: true))
    }

    @Test func `is one buffer for each connection, or its share`() {
        #expect(zeroCopy.allows(card, Self.buffer, transfers: 100))
        #expect(!zeroCopy.allows(card, Self.buffer, ownBytes: Self.buffer, transfers: 3))
        #expect(zeroCopy.allows(card, Self.buffer, ownBytes: Self.buffer, transfers: 2))
        #expect(zeroCopy.allows(card, Self.buffer, ownBytes: 3 * Self.buffer))
        #expect(zeroCopy.allows(card, Self.buffer, ownBytes: 3 * Self.buffer, transfers: 0))
    }

    /// Its part counts, not what of it is sent.
    @Test mutating func `is counted in whole buffers`() {
        zeroCopy.lent(3 * Self.buffer + 1)
        let mayLend = zeroCopy.allows(
            card, count: 16 << 10, bufferBytes: Self.buffer, ownBytes: 0, transfers: 1,
            isShort: false)
        #expect(!mayLend)
    }

    @Test func `cannot come back twice`() async {
        await #expect(processExitsWith: .failure) {
            var zeroCopy = ZeroCopy(isOn: true, poolBytes: 1 << 20)
            zeroCopy.returned(1)
        }
    }
}
