// Goal:   a core that has more connections than another hands new ones on, and whatever becomes of
//         the other core meanwhile, a connection is served or closed, once.
// Method: two cores in one test (FrontBed.runPair), each acting only when the test lets it.

import HTTP
import IO
import Testing

@testable import Server

private let health = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"

private func counts(_ beds: FrontBed...) -> [Int] {
    beds.map { bed in bed.on { $0.connectionCount } }
}

private func handedOver(_ bed: FrontBed) -> UInt64 {
    bed.on { $0.counters.connectionsHandedOver }
}

@Suite struct `A core with more connections than another` {
    @Test func `hands new ones to it, where they are served as if accepted there`() throws {
        try FrontBed.runPair { one, two in
            let clients = (0..<16).map { _ in one.connect() }
            #expect(counts(one, two) == [8, 0])
            #expect(one.core.load.count == 8 && two.core.load.count == 8)
            two.settle()
            #expect(counts(one, two) == [8, 8])
            #expect(handedOver(one) == 8 && handedOver(two) == 0)
            #expect(two.on { $0.counters.connections } == 8)
            for client in clients { client.send(health) }
            one.settle()
            two.settle()
            #expect(clients.allSatisfy { $0.statuses == [200] })
        }
    }

    @Test func `keeps one more when the other has as many`() throws {
        try FrontBed.runPair { one, two in
            for _ in 0..<4 { _ = one.connect() }
            two.settle()
            for _ in 0..<4 { _ = two.connect() }
            one.settle()
            // Two and two; of four more on the second, it keeps every other.
            #expect(handedOver(one) == 2 && handedOver(two) == 2)
            #expect(counts(one, two) == [4, 4])
        }
    }

    @Test func `counts those that have ended no more`() throws {
        try FrontBed.runPair { one, two in
            let clients = (0..<8).map { _ in one.connect() }
            two.settle()
            for client in clients { client.endSending() }
            one.settle()
            two.settle()
            #expect(clients.allSatisfy { $0.isClosed })
            #expect(one.core.load.count == 0 && two.core.load.count == 0)
        }
    }

    @Test func `keeps those of the metrics listener, which count for nothing`() throws {
        try FrontBed.runPair { one, two in
            for _ in 0..<5 { _ = one.connect(to: FrontBed.metricsListener) }
            _ = one.connect()
            two.settle()
            #expect(handedOver(one) == 0)
            #expect(one.core.load.count == 1 && two.core.load.count == 0)
            #expect(one.on { $0.connectionCount } == 6)
        }
    }

    @Test func `keeps them when the other has as many as it may`() throws {
        var settings = FrontSettings(secret: [1], adminToken: [2])
        settings.connectionsMax = 3
        try FrontBed.runPair(settings: settings) { one, two in
            let clients = (0..<8).map { _ in one.connect() }
            two.settle()
            one.settle()
            #expect(counts(one, two) == [3, 3])
            #expect(clients.count { $0.isClosed } == 2)
            #expect(one.on { $0.counters.connectionsRefused } == 2)
            #expect(two.on { $0.counters.connectionsRefused } == 0)
        }
    }
}

private func orders<Element>(of elements: [Element]) -> [[Element]] {
    guard !elements.isEmpty else { return [[]] }
    return elements.indices.flatMap { index in
        var rest = elements
        let first = rest.remove(at: index)
        return orders(of: rest).map { [first] + $0 }
    }
}

@Suite struct `A connection on its way to another core` {
    /// Two connections to `one`, the second of them handed over and not yet taken.
    private func underWay(_ body: (FrontBed, FrontBed, Client) throws -> Void) throws {
        try FrontBed.runPair { one, two in
            _ = one.connect()
            let client = one.connect()
            #expect(handedOver(one) == 1)
            try body(one, two, client)
        }
    }

    @Test func `is served though bytes of it have come already`() throws {
        try underWay { one, two, client in
            client.send(health)
            two.settle()
            #expect(client.statuses == [200])
        }
    }

    @Test func `is closed if that core drains meanwhile`() throws {
        try underWay { one, two, client in
            two.on { $0.drain() }
            two.settle()
            #expect(client.isClosed)
            #expect(two.core.load.count == 0)
            #expect(two.on { $0.counters.connectionsRefused } == 1)
        }
    }

    @Test func `is drained there if its first core drains meanwhile`() throws {
        try underWay { one, two, client in
            one.on { $0.drain() }
            one.settle()
            two.settle()
            #expect(!client.isClosed)
            two.on { $0.drain() }
            two.settle()
            #expect(client.isClosed)
            #expect(counts(one, two) == [0, 0])
        }
    }

    /// Two cores drain, each when it gets to it, and look at their mail, each when it gets to it.
    private enum Step: CaseIterable { case firstDrains, firstTurns, secondDrains, secondTurns }

    @Test(arguments: orders(of: Step.allCases))
    private func `holds up a stop until it is closed, whatever happens in which order`(
        steps: [Step]
    ) throws {
        try underWay { one, two, client in
            for step in steps + [.firstTurns, .secondTurns] {
                switch step {
                case .firstDrains: one.on { $0.drain() }
                case .firstTurns: one.settle()
                case .secondDrains: two.on { $0.drain() }
                case .secondTurns: two.settle()
                }
                let waitedFor = two.on { $0.objectConnectionCount }
                #expect(waitedFor == (client.isClosed ? 0 : 1), "after \(step) of \(steps)")
            }
            #expect(client.isClosed)
            #expect(counts(one, two) == [0, 0])
        }
    }

    @Test func `is closed if that core has no room left`() throws {
        var settings = FrontSettings(secret: [1], adminToken: [2])
        settings.connectionsMax = 3
        try FrontBed.runPair(settings: settings) { one, two in
            // Those of the metrics listener take slots, too.
            for _ in 0..<3 { _ = two.connect(to: FrontBed.metricsListener) }
            let clients = (0..<2).map { _ in one.connect() }
            two.settle()
            #expect(clients.map(\.isClosed) == [false, true])
            #expect(two.core.load.count == 0)
            #expect(two.on { $0.counters.connectionsRefused } == 1)
        }
    }
}
