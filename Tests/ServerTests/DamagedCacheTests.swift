// Goal:   a volume that is damaged behind bytes that were verified costs its objects their ends,
//         never a wrong byte; the operator learns where, and the others are served.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import IO
import Simulator
import Synchronization
import Testing

@testable import Server

@Suite struct `A file behind the page cache` {
    private final class Log: Sendable {
        let lines = Mutex<[String]>([])

        func hasLine(with text: String) -> Bool {
            lines.withLock { lines in lines.contains { $0.contains(text) } }
        }
    }

    private static let volume = "volumes/large-0000"

    /// `o` leaves from the page cache, and `other`, too.
    private func with(_ body: (StoredBed, Log, [UInt8]) throws -> Void) throws {
        let log = Log()
        var settings = StoredBed.settings
        settings.log = { line in log.lines.withLock { $0.append(line) } }
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            try bed.put("other", noise(200_000, seed: 2))
            let bytes = noise(3_000_000, seed: 1)
            try bed.put("o", bytes)
            for _ in 0..<3 { for name in ["other", "o"] { bed.get(name) } }
            try body(bed, log, bytes)
            #expect(bed.get("other") == 200)
            try bed.expectNothingLeft("after the damage")
        }
    }

    private func expectCut(_ bed: StoredBed, _ client: Client, _ log: Log, _ bytes: [UInt8]) {
        let body = bed.finalAnswer(client)?.body ?? []
        #expect(body.count < bytes.count)
        let isRight = bytes.starts(with: body)
        #expect(isRight)
        #expect(log.hasLine(with: " large-0000 at offset "))
    }

    private func cut(_ bed: StoredBed, behind count: UInt64, of bytes: [UInt8]) throws {
        let blocks = bed.disk.visible.files[Self.volume]?.blocks ?? [:]
        let first = try #require(blocks.first { $0.value.starts(with: bytes.prefix(4096)) })
        bed.disk.truncate(Self.volume, to: (first.key * 4096 + count) / 4096 * 4096)
    }

    private func ask(_ bed: StoredBed, holding: Bool) -> Client {
        let client = bed.front.connect()
        client.holdsSends = holding
        client.send("GET /o HTTP/1.1\r\nHost: h\r\n\r\n")
        bed.front.settle()
        return client
    }

    /// One of two windows.
    @Test(arguments: [FaultPlan.Outcome.nothing, .error(.io)], 1...2)
    func `is read directly where it cannot be sent`(outcome: FaultPlan.Outcome, number: Int) throws
    {
        try with { bed, _, bytes in
            bed.front.plan.strike(.sendFile, number: number, with: outcome)
            let isWhole = bed.finalAnswer(ask(bed, holding: false))?.body == bytes
            #expect(isWhole)
            #expect(bed.front.plan.hasStruck)
        }
    }

    @Test(arguments: [0, 70_000, 1_500_000, 2_500_000] as [UInt64])
    func `that was cut off ends downloads short`(count: UInt64) throws {
        try with { bed, log, bytes in
            try cut(bed, behind: count, of: bytes)
            for _ in 0..<3 { expectCut(bed, ask(bed, holding: false), log, bytes) }
        }
    }

    @Test(arguments: [200_000, 1_500_000, 2_500_000] as [UInt64])
    func `that is cut off in the midst of a download ends it short`(count: UInt64) throws {
        try with { bed, log, bytes in
            let client = ask(bed, holding: true)
            client.room = 100_000
            bed.front.release(client)
            try cut(bed, behind: count, of: bytes)
            bed.front.resume(client)
            expectCut(bed, client, log, bytes)
        }
    }

    @Test func `that cannot be read any more ends downloads with an error`() throws {
        try with { bed, log, bytes in
            bed.front.plan.strike(.sendFile, number: 1, with: .error(.io))
            bed.disk.fail(.read, number: 1)
            expectCut(bed, ask(bed, holding: false), log, bytes)
        }
    }
}
