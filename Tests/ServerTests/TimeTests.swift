// Goal:   every wait for a client has an end, nobody who moves is cut off, and a stopping server
//         lets go of everybody.
// Method: the test plays the kernel and the clock (FrontBed).

import HTTP
import IO
import Loop
import Testing

@testable import Engine
@testable import Server

private let health = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"

private func settings() -> FrontSettings {
    var settings = FrontSettings(secret: [1], adminToken: [2])
    settings.headTimeoutSeconds = 10
    settings.idleTimeoutSeconds = 60
    settings.bodyTimeoutSeconds = 30
    settings.sendTimeoutSeconds = 60
    return settings
}

@Suite struct `A client that is too slow` {
    @Test func `with its first byte is dropped`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            bed.pass(seconds: 8)
            #expect(!client.isClosed)
            bed.pass(seconds: 4)
            #expect(client.isClosed)
            #expect(client.output.isEmpty)
        }
    }

    @Test func `with its head gets 408, however it drips`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            for byte in "GET /health H" where !client.sawEnd {
                client.send(String(byte))
                bed.pass(seconds: 1)
            }
            #expect(client.statuses == [408])
            #expect(client.sawEnd)
        }
    }

    @Test func `with a later head is held to the same time`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.holdsSends = true
            client.send(health + "GET /hea")
            bed.settle()
            client.holdsSends = false
            bed.release(client)
            #expect(client.statuses == [200])
            bed.pass(seconds: 12)
            #expect(client.statuses == [200, 408])
        }
    }

    @Test func `with its next request is dropped`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.send(health)
            bed.settle()
            bed.pass(seconds: 58)
            #expect(!client.isClosed)
            bed.pass(seconds: 4)
            #expect(client.isClosed)
        }
    }

    @Test func `to take its answer is dropped`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.holdsSends = true
            client.send(health)
            bed.settle()
            bed.pass(seconds: 62)
            #expect(client.isClosed)
        }
    }

    @Test func `to end after we did is dropped`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.send("GET /health HTTP/1.0\r\n\r\n")
            bed.settle()
            #expect(client.sawEnd)
            #expect(!client.isClosed)
            bed.pass(seconds: 5)
            #expect(client.isClosed)
        }
    }
}

@Suite struct `A body` {
    /// 100 bytes a second would hold a buffer for hours.
    @Test func `that drips below the minimum rate is given up`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
            for _ in 0..<70 where !client.isClosed {
                client.send([UInt8](repeating: 0, count: 100))
                bed.pass(seconds: 1)
            }
            #expect(client.isClosed)
        }
    }

    @Test func `that is slow but moves is taken`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
            for _ in 0..<100 {
                client.send([UInt8](repeating: 0, count: 2000))
                bed.pass(seconds: 1)
            }
            client.send(health)
            bed.settle()
            #expect(client.statuses == [503, 200])
        }
    }
}

@Suite struct `A draining core` {
    private func drain(_ bed: FrontBed) {
        bed.core.assumeIsolated { $0.drain() }
        bed.settle()
    }

    @Test func `closes its listener, so that a successor may have the port`() throws {
        try FrontBed.run(settings: settings()) { bed in
            drain(bed)
            #expect(bed.closedDescriptors.contains(FrontBed.listener.number))
        }
    }

    @Test func `ends idle connections at once, and busy ones behind their answer`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let idle = bed.connect()
            let reader = bed.connect()
            reader.holdsSends = true
            reader.send(health)
            let writer = bed.connect()
            writer.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc")
            bed.settle()
            drain(bed)
            #expect(idle.isClosed)
            #expect(!reader.isClosed)
            #expect(!writer.isClosed)
            bed.release(reader)
            #expect(reader.statuses == [200])
            #expect(reader.sawEnd)
            writer.send([UInt8](repeating: 0, count: 100_000 - 3))
            bed.settle()
            #expect(writer.sawEnd)
        }
    }

    @Test func `lets a lingering client read its last answer`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let client = bed.connect()
            client.send("GET /health HTTP/1.0\r\n\r\n")
            bed.settle()
            drain(bed)
            #expect(!client.isClosed)
            client.endSending()
            bed.settle()
            #expect(client.isClosed)
        }
    }

    /// Who balances load learns from 503 there that nothing more should come here.
    @Test func `says on the metrics listener that it drains, until it has drained`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let early = bed.connect(to: FrontBed.metricsListener)
            let idle = bed.connect(to: FrontBed.metricsListener)
            let writer = bed.connect()
            writer.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc")
            bed.settle()
            drain(bed)
            let late = bed.connect(to: FrontBed.metricsListener)
            for client in [early, late] {
                client.send("GET /ready HTTP/1.1\r\nHost: h\r\n\r\n")
                bed.settle()
                #expect(client.statuses == [503])
                #expect(client.text.contains("draining"))
                #expect(client.text.contains("Connection: close\r\n"))
            }
            let third = bed.connect(to: FrontBed.metricsListener)
            third.send(health)
            bed.settle()
            #expect(third.statuses == [200])
            #expect(bed.core.assumeIsolated { $0.objectConnectionCount } == 1)

            writer.send([UInt8](repeating: 0, count: 100_000 - 3))
            writer.endSending()
            bed.settle()
            #expect(bed.core.assumeIsolated { $0.objectConnectionCount } == 0)
            #expect(!idle.isClosed)
            #expect(!bed.closedDescriptors.contains(FrontBed.metricsListener.number))
            bed.core.assumeIsolated { $0.endAll() }
            bed.settle()
            #expect(idle.isClosed)
            #expect(bed.closedDescriptors.contains(FrontBed.metricsListener.number))
        }
    }
}

@Suite struct `A client that came while room was short` {
    @Test func `is served once there is room, however long another request takes`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let busy = bed.connectBusy()
            let taken = bed.takeRoom()
            let client = bed.connect()
            client.send(health)
            bed.settle()
            #expect(client.output.isEmpty)
            bed.giveBack(taken)
            bed.pass(seconds: 2)
            #expect(client.statuses == [200])
            #expect(!busy.isClosed)
        }
    }

    @Test func `is served, too, if a later one was the first to find the room`() throws {
        try FrontBed.run(settings: settings()) { bed in
            let busy = bed.connectBusy()
            let taken = bed.takeRoom()
            let client = bed.connect()
            client.send(health)
            bed.settle()
            #expect(client.output.isEmpty)
            // What was borrowed from the cache comes back, and nobody else moves but a newcomer.
            let cacheStart = bed.memory.cache.offset
            bed.on { core in
                for region in taken where region.offset >= cacheStart {
                    core.cache.takeBack(region)
                }
            }
            let newcomer = bed.connect()
            newcomer.send(health)
            bed.settle()
            #expect(newcomer.statuses == [200])
            bed.pass(seconds: 2)
            #expect(client.statuses == [200])
            #expect(!busy.isClosed)
            bed.giveBack(taken.filter { $0.offset < cacheStart })
        }
    }
}
