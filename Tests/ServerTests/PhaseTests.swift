// Goal:   each wait of a request is counted in its phase, for as long as it took, and answers from
//         the hot cache in none; the page tells it in a form that Prometheus reads.
// Method: the front and the store on a kernel that the test plays, time included (StoredBed).

import Catalog
import IO
import Loop
import Simulator
import Store
import Testing

@testable import Server

private let second: UInt64 = 1_000_000_000
/// What the disk takes for each of its operations.
private let writeTime: UInt64 = 3_000_000
private let syncTime: UInt64 = 5_000_000
private let readTime: UInt64 = 700_000
private let spliceTime: UInt64 = 900_000

/// How often something waited, and how long in all.
private struct Waits: Equatable {
    var count: UInt64 = 0
    var nanoseconds: UInt64 = 0

    init(_ count: UInt64, _ nanoseconds: UInt64) {
        (self.count, self.nanoseconds) = (count, nanoseconds)
    }

    init(_ histogram: LatencyHistogram) {
        count = (0...LatencyHistogram.boundCount).reduce(0) { $0 + histogram.count(in: $1) }
        nanoseconds = histogram.nanosecondsSum
    }
}

extension StoredBed {
    /// What `body` adds to each phase; phases without waits are left out.
    fileprivate func waits(during body: () throws -> Void) rethrows -> [WaitPhase: Waits] {
        let before = front.on { $0.snapshot() }
        try body()
        let after = front.on { $0.snapshot() }
        var grown: [WaitPhase: Waits] = [:]
        for phase in WaitPhase.allCases {
            let (old, new) = (Waits(before.waits(phase)), Waits(after.waits(phase)))
            let waits = Waits(new.count - old.count, new.nanoseconds - old.nanoseconds)
            if waits.count > 0 { grown[phase] = waits }
        }
        return grown
    }

    /// A client that has asked for `name`.
    fileprivate func ask(_ name: String, holdsSends: Bool = false) -> Client {
        let client = front.connect()
        client.holdsSends = holdsSends
        client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
        front.settle()
        return client
    }
}

@Suite struct `A request's phases` {
    /// With space for records that is ready, and a large volume.
    private func run(_ body: (StoredBed) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        var settings = StoredBed.settings
        // A question between two steps takes a turn, in which the played disk goes on.
        settings.estimatesLinks = false
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            for size in [1, 100_000] { try bed.put("first-\(size)", noise(size, seed: 0)) }
            bed.front.pass(seconds: 3)
            bed.front.diskTime = { operation in
                switch operation {
                case .write: writeTime
                case .sync: syncTime
                case .read: readTime
                case .splice: spliceTime
                default: 0
                }
            }
            try body(bed)
            bed.front.pass(seconds: 3)
        }
    }

    @Test func `of a small upload are its body, its record and the flush`() throws {
        try run { bed in
            let client = bed.front.connect()
            let waits = try bed.waits {
                client.send(try bed.signed("a", 3000))
                bed.front.settle()
                bed.front.pass(seconds: 2)
                client.send(noise(3000, seed: 1))
                bed.front.settle()
            }
            #expect(client.statuses == [201])
            #expect(
                waits == [
                    .queue: Waits(1, 0), .receive: Waits(1, 2 * second),
                    .commit: Waits(1, writeTime), .flush: Waits(1, syncTime),
                ])
        }
    }

    @Test func `of a large upload are its writes and two flushes besides`() throws {
        try run { bed in
            let client = bed.front.connect()
            let waits = try bed.waits {
                client.send(try bed.signed("a", 300_000))
                bed.front.settle()
                bed.front.pass(seconds: 1)
                client.send(noise(300_000, seed: 1))
                bed.front.settle()
            }
            #expect(client.statuses == [201])
            // Two buffers; the first is written while the second is filled, and so only the second
            // write has to be waited for. Space and name are at hand: it is the ledger's core.
            #expect(
                waits == [
                    .queue: Waits(1, 0), .receive: Waits(2, second + writeTime),
                    .disk: Waits(1, writeTime),
                    .flush: Waits(2, 2 * syncTime), .commit: Waits(2, writeTime),
                ])
        }
    }

    @Test func `of a removal are its claim, its record and the flush`() throws {
        try run { bed in
            try bed.put("a", [1, 2, 3])
            bed.front.pass(seconds: 3)
            let client = bed.front.connect()
            let waits = bed.waits {
                client.send(
                    "DELETE /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer admin\r\n\r\n")
                bed.front.settle()
            }
            #expect(client.statuses == [204])
            #expect(
                waits == [
                    .queue: Waits(1, 0), .commit: Waits(3, writeTime), .flush: Waits(1, syncTime),
                ])
        }
    }

    @Test func `of a cold read are the disk and the client; of a hot one there is none`() throws {
        try run { bed in
            try bed.put("a", noise(3000, seed: 1))
            let waits = bed.waits {
                let client = bed.ask("a", holdsSends: true)
                for seconds in 1...2 {
                    bed.front.pass(seconds: seconds)
                    bed.front.release(client)
                }
                #expect(client.finalResponse?.isWhole == true)
            }
            #expect(
                waits == [
                    .queue: Waits(1, 0), .disk: Waits(1, readTime), .send: Waits(2, 3 * second),
                ])
            let hot = bed.waits {
                let client = bed.ask("a", holdsSends: true)
                bed.front.pass(seconds: 1)
                bed.front.release(client)
                #expect(client.finalResponse?.isWhole == true)
            }
            #expect(hot == [:])
        }
    }

    @Test func `of a large read are the record, the bytes, and a client's full socket`() throws {
        try run { bed in
            try bed.put("a", noise(200_000, seed: 1))
            // Record and bytes by O_DIRECT; head and body.
            let direct = bed.waits { _ = bed.ask("a") }
            #expect(
                direct == [
                    .queue: Waits(1, 0), .disk: Waits(2, 2 * readTime), .send: Waits(2, 0),
                ])
            // Through a pipe into the page cache; sendfile has found it missing before.
            let piped = bed.waits { _ = bed.ask("a") }
            #expect(
                piped == [
                    .queue: Waits(1, 0), .disk: Waits(1, spliceTime), .send: Waits(3, 0),
                ])
            let cached = bed.waits {
                let client = bed.ask("a", holdsSends: true)
                bed.front.release(client)
                #expect(client.pollToken != nil, "it does not wait for the socket")
                bed.front.pass(seconds: 6)
                bed.front.resume(client)
                #expect(client.finalResponse?.isWhole == true)
            }
            // The head, a socket that is full, the wait for it, the body.
            #expect(cached == [.queue: Waits(1, 0), .send: Waits(4, 6 * second)])
        }
    }

    @Test func `of a short range from the page cache is one step to the client`() throws {
        try run { bed in
            try bed.put("a", noise(200_000, seed: 1))
            for _ in 0..<3 { bed.get("a") }
            let waits = bed.waits { bed.get("a", 100_000...110_000) }
            #expect(waits == [.queue: Waits(1, 0), .send: Waits(1, 0)])
        }
    }

    @Test func `of one that found no buffer are that, too`() throws {
        try run { bed in
            let memory = bed.front.memory
            var taken: [Region] = []
            while let lease = memory.leaseNow(64 << 10) { taken.append(lease.detach()) }
            let client = bed.front.connect()
            let waits = try bed.waits {
                client.send(try bed.signed("a", 3000))
                client.send(noise(3000, seed: 1))
                bed.front.settle()
                bed.front.pass(seconds: 4)
                #expect(client.statuses == [] && memory.queueLength == 1)
                bed.front.on { _ in
                    for region in taken { memory.giveBack(BufferLease(attaching: region)) }
                }
                bed.front.settle()
            }
            #expect(client.statuses == [201])
            #expect(waits[.queue] == Waits(2, 4 * second))
            #expect(waits[.receive] == Waits(1, 0))
        }
    }

    @Test func `of a body that nobody wants are its pieces, also in chunks`() throws {
        try run { bed in
            for (framing, end) in [
                ("Content-Length: 5", "12345"), ("Transfer-Encoding: chunked", "0\r\n\r\n"),
            ] {
                let client = bed.front.connect()
                let waits = bed.waits {
                    client.send("POST /a HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
                    bed.front.settle()
                    bed.front.pass(seconds: 3)
                    #expect(client.statuses == [405])
                    client.send(end)
                    bed.front.settle()
                }
                // The answer does not wait for it, but is sent before.
                #expect(
                    waits == [
                        .queue: Waits(1, 0), .receive: Waits(1, 3 * second), .send: Waits(1, 0),
                    ])
            }
        }
    }

    @Test func `are counted also where they end in failure`() throws {
        try run { bed in
            bed.front.plan.strike(.sync, number: 1, with: .error(.io))
            let waits = try bed.waits {
                let status = try bed.put("a", noise(3000, seed: 1))
                #expect(status == 503)
            }
            #expect(waits[.flush] == Waits(1, syncTime))
            #expect(waits[.commit] == Waits(1, writeTime))
        }
    }

    @Test func `are on the page, with what is announced and not sent`() throws {
        try run { bed in
            try bed.put("a", noise(3000, seed: 1))
            let writer = bed.front.connect()
            writer.send(try bed.signed("large", 200_000))
            bed.front.settle()
            let flush = "core=\"0\",phase=\"flush\""
            // Three of before, when the disk took no time, are in each bucket.
            let expected = [
                "millrace_phase_seconds_bucket{\(flush),le=\"0.004096\"} 3",
                "millrace_phase_seconds_bucket{\(flush),le=\"0.008192\"} 4",
                "millrace_phase_seconds_sum{\(flush)} 0.005",
                "millrace_phase_seconds_count{\(flush)} 4", "millrace_reserved_bytes 200000",
            ]
            let page = scrape(bed)
            #expect(page.filter(expected.contains) == expected)
            bed.front.reset(writer)
            #expect(scrape(bed).contains("millrace_reserved_bytes 0"))
        }
    }

    private func scrape(_ bed: StoredBed) -> [String] {
        let core = bed.front.core
        bed.front.on { $0.setPeers([core]) }
        let client = bed.front.connect(to: FrontBed.metricsListener)
        client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        bed.front.settle()
        return String(decoding: client.finalResponse?.body ?? [], as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}

@Suite struct `A phase's histogram` {
    private func lines(_ counters: Counters, _ store: StoreStatistics) -> [Substring] {
        let snapshots = (0..<2).map { CoreSnapshot.example(core: $0, counters, store) }
        return MetricsDocument.phaseText(snapshots).split(separator: "\n")
    }

    @Test func `is cumulative, ends with all, and is there for every core and phase`() {
        var (counters, store) = (Counters(), StoreStatistics())
        let times: [UInt64] = [0, 8_000, 8_001, 30_000, 1_500_000_000, 100_000_000_000]
        for time in times {
            counters.receiveWaits.add(time)
            store.commitWaits.add(time)
        }
        let lines = lines(counters, store)
        #expect(lines[0].hasPrefix("# HELP millrace_phase_seconds "))
        #expect(lines[1] == "# TYPE millrace_phase_seconds histogram")
        var rest = lines.dropFirst(2)
        for core in 0..<2 {
            for phase in WaitPhase.allCases {
                let hasWaits = phase == .receive || phase == .commit
                let labels = "core=\"\(core)\",phase=\"\(phase)\""
                let bucket = "millrace_phase_seconds_bucket{\(labels),le=\""
                for number in 0...LatencyHistogram.boundCount {
                    let words = (rest.popFirst() ?? "").split(separator: " ")
                    let bound = LatencyHistogram.bound(of: number)
                    let text = bound.map { MetricsDocument.seconds($0) } ?? "+Inf"
                    let expected = times.count { hasWaits && $0 <= bound ?? .max }
                    #expect(words == ["\(bucket)\(text)\"}", "\(expected)"])
                }
                let (sum, count) = hasWaits ? ("101.500046001", 6) : ("0", 0)
                let ends = [rest.popFirst(), rest.popFirst()]
                #expect(ends[0] == "millrace_phase_seconds_sum{\(labels)} \(sum)")
                #expect(ends[1] == "millrace_phase_seconds_count{\(labels)} \(count)")
            }
        }
        #expect(rest.isEmpty)
    }

    @Test func `has seconds as exact decimals`() {
        let texts: [(UInt64, String)] = [
            (0, "0"), (1, "0.000000001"), (8_000, "0.000008"), (500_000_000, "0.5"),
            (2 * second, "2"), (67_108_864_000, "67.108864"), (1_000_000_010, "1.00000001"),
            (.max, "18446744073.709551615"),
        ]
        for (nanoseconds, text) in texts { #expect(MetricsDocument.seconds(nanoseconds) == text) }
    }
}
