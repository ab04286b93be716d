// Goal:   a core that is too slow for what is asked of it refuses what is new, in every dialect, at
//         once and with a time to come again; what was begun ends as if nothing were.
// Method: the front and the store on a kernel that the test plays (StoredBed), whose answers it
//         makes late.

import Catalog
import Engine
import IO
import Loop
import Simulator
import Synchronization
import Testing

@testable import Server

private let bearer = "Authorization: Bearer admin\r\n"

extension StoredBed {
    var isShedding: Bool { front.on { $0.admission.isShedding } }
    var refusals: UInt64 {
        front.on { core in
            Admission.Reason.allCases.reduce(0) {
                $0 + core.counters.admissionRefusals[$1.rawValue]
            }
        }
    }

    var pressing: Int { front.on { $0.underWay.pressing } }

    /// Uploads that wait for their bodies: enough for others to be refused.
    func connectWaiting(_ count: Int = 10) throws -> [Client] {
        let clients = (0..<count).map { _ in front.connect() }
        for (number, client) in clients.enumerated() {
            client.send(try signed("waiting-\(number)", 3000))
        }
        front.settle()
        return clients
    }

    /// Everything that is ready waits for 20 ms from now on, until new requests are refused.
    func overload() {
        front.slowness = 20_000_000
        for _ in 0..<500 where !isShedding { front.pass(milliseconds: 1) }
        #expect(isShedding)
    }

    func send(_ client: Client, _ parts: String...) {
        for part in parts { client.send(part) }
        front.settle()
    }

    func expectRefused(_ client: Client, keptAlive: Bool, _ what: String = "") {
        let answer = client.finalResponse
        #expect(answer?.status == 503, "\(what)")
        let seconds = answer?.field("retry-after").flatMap { Int($0) } ?? 0
        #expect((1...4).contains(seconds), "\(what)")
        #expect(answer?.isWhole == true, "\(what)")
        #expect(client.sawEnd == !keptAlive, "\(what)")
        #expect((answer?.field("connection") == "close") == !keptAlive, "\(what)")
        // The end leaves in the answer's packet.
        #expect(client.isLeftWaiting == !keptAlive, "\(what)")
    }
}

@Suite struct `A core with too much to do` {
    private func run(
        settings: FrontSettings = StoredBed.settings, _ body: (StoredBed) throws -> Void
    ) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            try body(bed)
            bed.front.slowness = 0
            try bed.expectNothingLeft("after overload")
        }
    }

    private func whole(_ name: String, _ bytes: [UInt8], _ bed: StoredBed) throws -> String {
        try bed.signed(name, bytes.count) + String(decoding: bytes, as: UTF8.self)
    }

    @Test func `refuses new uploads and goes on with those that it has`() throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            #expect(bed.pressing == 0, "they wait for their clients")
            bed.overload()
            let tickets = bed.front.loop.ticketsOutstanding
            let late = bed.front.connect()
            bed.send(late, try whole("late", [1, 2, 3], bed))
            bed.expectRefused(late, keptAlive: true)
            #expect(bed.refusals == 1)
            #expect(bed.front.loop.ticketsOutstanding == tickets, "a handler was begun")
            for client in waiting { client.send(noise(3000, seed: 1)) }
            bed.front.settle()
            #expect(waiting.map(\.statuses) == Array(repeating: [201], count: 10))
            for number in 0..<10 {
                bed.believe([noise(3000, seed: 1)], of: "waiting-\(number)")
                #expect(bed.get("waiting-\(number)") == 200)
            }
            // With those gone there is room, however slow the machine.
            bed.send(late, try whole("late", [1, 2, 3], bed))
            #expect(late.statuses == [503, 201])
            for client in waiting + [late] { client.endSending() }
        }
    }

    @Test func `takes everything again once it is fast enough`() throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            bed.overload()
            bed.front.slowness = 0
            bed.front.pass(milliseconds: 300)
            #expect(!bed.isShedding)
            try bed.put("new", [1, 2, 3])
            #expect(bed.refusals == 0)
            for client in waiting { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `drops the body of who was refused, however it comes`() throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            let client = bed.front.connect()
            bed.overload()
            let body = String(repeating: "GET / HTTP/1.1\r\n", count: 1000)
            let head = try bed.signed("a", body.utf8.count)
            let health = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"
            // With its head; behind it in pieces; after its head in pieces; while the answer waits.
            bed.send(client, head + body + health)
            #expect(client.statuses == [503, 200])
            bed.send(client, head + body.prefix(100))
            #expect(client.statuses.last == 503)
            let used = bed.front.frontBytesUsed
            bed.send(client, String(body.dropFirst(100).prefix(9000)))
            #expect(bed.front.frontBytesUsed == used, "it keeps what nobody wants")
            bed.send(client, String(body.dropFirst(9100)), health)
            #expect(client.statuses == [503, 200, 503, 200])
            bed.send(client, String(head.prefix(30)))
            bed.send(
                client, String(head.dropFirst(30)), String(body.prefix(1)),
                String(body.dropFirst()), health)
            #expect(client.statuses == [503, 200, 503, 200, 503, 200])
            client.holdsSends = true
            bed.send(client, head)
            bed.send(client, body + health)
            bed.front.resume(client)
            #expect(client.statuses == [503, 200, 503, 200, 503, 200, 503, 200])
            #expect(bed.refusals == 4)
            for client in waiting + [client] { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `closes where the next request could not be found`() throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            bed.overload()
            let chunked =
                "POST /upload HTTP/1.1\r\nHost: h\r\n\(bearer)"
                + "Transfer-Encoding: chunked\r\n\r\n"
            for head in [
                try bed.signed("a", 3000, "Expect: 100-continue\r\n"),
                try bed.signed("a", 300_000), chunked,
                try bed.signed("a", 0, "Connection: close\r\n"),
            ] {
                let client = bed.front.connect()
                bed.send(client, head)
                bed.expectRefused(client, keptAlive: false, head)
                #expect(client.statuses == [503], "the body was asked for")
                client.endSending()
            }
            for client in waiting { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `has a peer that breaks off in the midst of a refused body end`() throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            bed.overload()
            let client = bed.front.connect()
            bed.send(client, try bed.signed("a", 3000) + "half")
            bed.expectRefused(client, keptAlive: true)
            client.endSending()
            bed.front.settle()
            #expect(client.isClosed)
            let silent = bed.front.connect()
            bed.overload()
            bed.send(silent, try bed.signed("a", 3000) + "half")
            bed.expectRefused(silent, keptAlive: true)
            bed.front.slowness = 0
            bed.front.pass(seconds: 61)
            #expect(silent.isClosed, "it may stay for ever")
            for client in waiting { client.endSending() }
            bed.front.settle()
        }
    }

    @Test(arguments: [FaultPlan.Outcome.error(.reset), .nothing, .short])
    func `leaves a long body with the kernel, whatever becomes of it`(
        outcome: FaultPlan.Outcome
    ) throws {
        try run { bed in
            let waiting = try bed.connectWaiting()
            bed.overload()
            bed.front.plan.strike(.dropReceived, number: 1, with: outcome)
            let client = bed.front.connect()
            let received = bed.front.on { $0.counters.bytesIn }
            bed.send(client, try bed.signed("a", 200_000))
            client.send(noise(200_000, seed: 1))
            bed.front.settle()
            #expect(client.finalResponse?.status == 503)
            #expect(bed.front.plan.hasStruck)
            #expect(client.isClosed == (outcome != .short))
            if outcome == .short {
                #expect(bed.front.on { $0.counters.bytesIn } > received + 200_000)
                bed.send(client, "GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(client.statuses == [503, 200])
            }
            for client in waiting + [client] { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `does not count who waits for a client that does not read`() throws {
        try run { bed in
            try bed.put("large", noise(600_000, seed: 2))
            let reader = bed.front.connect()
            reader.holdsSends = true
            bed.send(reader, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(bed.front.on { $0.handlers.busyCount } == 1)
            #expect(bed.pressing == 0)
            reader.holdsSends = false
            bed.front.resume(reader)
            #expect(reader.statuses == [200])
            #expect(bed.front.on { $0.handlers.busyCount } == 0)
            reader.endSending()
            bed.front.settle()
        }
    }

    @Test func `says so once in the log, and to the metrics each time`() throws {
        let lines = Mutex<[String]>([])
        var settings = StoredBed.settings
        settings.log = { line in lines.withLock { $0.append(line) } }
        try run(settings: settings) { bed in
            let waiting = try bed.connectWaiting()
            for _ in 0..<3 {
                bed.overload()
                let client = bed.front.connect()
                bed.send(client, try bed.signed("a", 0))
                bed.expectRefused(client, keptAlive: true)
                client.endSending()
                bed.front.slowness = 0
                bed.front.pass(milliseconds: 300)
            }
            let told = lines.withLock { $0 }
            #expect(told == ["core 0 is overloaded: new requests are refused with 503"])
            let snapshot = bed.front.on { $0.snapshot() }
            let page = MetricsDocument.text([snapshot], nil)
            let name = "millrace_admission"
            #expect(page.contains("\(name)_refusals_total{core=\"0\",reason=\"delay\"} 3\n"))
            #expect(page.contains("\(name)_refusals_total{core=\"0\",reason=\"bytes\"} 0\n"))
            #expect(page.contains("\(name)_shedding{core=\"0\"} 0\n"))
            #expect(page.contains("\(name)_queue_delay_seconds_count{core=\"0\"} "))
            for client in waiting { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `refuses for bytes that were announced`() throws {
        var settings = StoredBed.settings
        settings.admission.bytesInFlightMax = 5000
        try run(settings: settings) { bed in
            let waiting = try bed.connectWaiting(1)
            let second = bed.front.connect()
            bed.send(second, try bed.signed("b", 2001))
            bed.expectRefused(second, keptAlive: true)
            let third = bed.front.connect()
            bed.send(third, try whole("c", [UInt8](repeating: 65, count: 2000), bed))
            #expect(third.statuses == [201])
            for client in waiting { client.endSending() }
            bed.front.settle()
            #expect(waiting[0].statuses == [408])
            // Alone it may be as long as it likes.
            bed.send(third, try whole("d", [UInt8](repeating: 65, count: 6000), bed))
            #expect(third.statuses == [201, 201])
            let counted = bed.front.on { $0.counters.admissionRefusals[2] }
            #expect(counted == 1)
            for client in [second, third] { client.endSending() }
        }
    }

    @Test func `refuses when the line for buffers stands still`() throws {
        try run { bed in
            let memory = bed.front.memory
            var taken: [Region] = []
            while let lease = memory.leaseNow(64 << 10) { taken.append(lease.detach()) }
            let waiting = try bed.connectWaiting()
            #expect(memory.queueLength == 10)
            #expect(bed.pressing == 10, "they wait for us")
            for _ in 0..<500 where !bed.isShedding { bed.front.pass(milliseconds: 1) }
            let client = bed.front.connect()
            bed.send(client, try bed.signed("a", 0))
            bed.expectRefused(client, keptAlive: true)
            let counted = bed.front.on { $0.counters.admissionRefusals[1] }
            #expect(counted == 1)
            bed.front.on { _ in
                for region in taken { memory.giveBack(BufferLease(attaching: region)) }
            }
            for client in waiting { client.send(noise(3000, seed: 1)) }
            bed.front.settle()
            #expect(waiting.map(\.statuses) == Array(repeating: [201], count: 10))
            for client in waiting + [client] { client.endSending() }
        }
    }

    @Test func `with admission off takes all there is`() throws {
        var settings = StoredBed.settings
        settings.admission.delayTarget = 0
        try run(settings: settings) { bed in
            let waiting = try bed.connectWaiting(50)
            bed.front.slowness = 100_000_000
            bed.front.pass(milliseconds: 500)
            try bed.put("new", [1, 2, 3])
            #expect(bed.refusals == 0 && !bed.isShedding)
            for client in waiting { client.endSending() }
            bed.front.settle()
        }
    }

    @Test func `that only has many requests refuses none`() throws {
        try run { bed in
            bed.front.diskTime = { _ in 300_000 }
            for round in 0..<5 {
                let clients = (0..<300).map { _ in bed.front.connect() }
                for (number, client) in clients.enumerated() {
                    client.send(try whole("\(round)-\(number)", [1, 2, UInt8(round)], bed))
                }
                bed.front.settle()
                bed.front.pass(milliseconds: 20)
                #expect(clients.allSatisfy { $0.statuses == [201] })
                for client in clients { client.endSending() }
                bed.front.settle()
            }
            #expect(bed.refusals == 0)
        }
    }
}
