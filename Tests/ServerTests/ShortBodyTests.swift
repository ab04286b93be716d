// Goal:   a short body leaves the page cache in one step with its head, and whatever holds part of
//         the two back, the client gets every byte once.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import IO
import Simulator
import Testing

@testable import Server

@Suite struct `A short body from the page cache` {
    private static let range = 100_000...116_383

    /// `o` is verified and cached.
    private func with(_ body: (StoredBed, [UInt8]) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: StoredBed.settings) { bed in
            let bytes = noise(3_000_000, seed: 1)
            try bed.put("o", bytes)
            for _ in 0..<3 { bed.get("o") }
            try body(bed, Array(bytes[Self.range]))
            try bed.expectNothingLeft("after short bodies")
        }
    }

    private func ask(_ bed: StoredBed, room: Int? = nil) -> Client {
        let client = bed.front.connect()
        client.holdsSends = room != nil
        client.room = room ?? 0
        client.send(
            "GET /o HTTP/1.1\r\nHost: h\r\n"
                + "Range: bytes=\(Self.range.lowerBound)-\(Self.range.upperBound)\r\n\r\n")
        bed.front.settle()
        return client
    }

    @Test func `needs no other step than that with its head`() throws {
        try with { bed, bytes in
            let before = bed.front.plan.counts
            let answer = bed.finalAnswer(ask(bed))
            #expect(answer?.status == 206)
            let isRight = answer?.body == bytes
            #expect(isRight)
            for kind in [OperationKind.send, .cork, .read] {
                #expect(bed.front.plan.counts[kind] == before[kind])
            }
        }
    }

    /// Bytes that the socket takes at first: of a part of the head to nearly all.
    @Test(arguments: [1, 150, 400, 5_000, 16_500])
    func `goes on where a full socket has stopped it`(room: Int) throws {
        try with { bed, bytes in
            let client = ask(bed, room: room)
            bed.front.resume(client)
            let isRight = bed.finalAnswer(client)?.body == bytes
            #expect(isRight)
        }
    }

    @Test(arguments: [FaultPlan.Outcome.nothing, .short, .error(.io), .error(.brokenPipe)])
    func `is sent another way where that step fails`(outcome: FaultPlan.Outcome) throws {
        try with { bed, bytes in
            bed.front.plan.strike(.sendFile, number: 1, with: outcome)
            let isRight = bed.finalAnswer(ask(bed))?.body == bytes
            #expect(isRight)
            #expect(bed.front.plan.hasStruck)
        }
    }

    @Test func `is nobody's any more when its client has gone`() throws {
        try with { bed, _ in
            let client = ask(bed, room: 100)
            bed.front.plan.strike(.send, number: 1, with: .error(.brokenPipe))
            bed.front.resume(client)
            #expect(bed.front.plan.hasStruck)
            #expect(client.isClosed)
        }
    }
}
