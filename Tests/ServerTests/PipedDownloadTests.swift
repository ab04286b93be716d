// Goal:   a large object that is not in the page cache comes out of pipes byte for byte, whatever
//         disk, pipe or client do; and what was left in a pipe reaches nobody.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Server

@Suite struct `A download through pipes` {
    /// A window of 2 MiB and a part of one.
    private let count = 3_300_000

    /// Two objects that this core has verified, neither in the page cache.
    private func run(_ body: (StoredBed) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog) { bed in
            for (seed, name) in ["a", "b"].enumerated() {
                try bed.put(name, noise(count, seed: UInt64(seed)))
                #expect(bed.get(name) == 200)
            }
            #expect(sent(bed).cached == 0)
            try body(bed)
            try bed.expectNothingLeft("at the end")
        }
    }

    private func sent(_ bed: StoredBed) -> (cached: Int, direct: Int) {
        bed.front.core.assumeIsolated {
            (Int($0.counters.sentFileBytes), Int($0.counters.sentDirectBytes))
        }
    }

    @Test func `is whole, and in the page cache afterwards`() throws {
        try run { bed in
            let before = sent(bed).direct
            for round in 1...3 {
                #expect(bed.get("a") == 200)
                #expect(sent(bed) == (round * count, before))
                // It would fail where anything is brought from the disk again.
                bed.front.plan.strike(.splice, number: 1, with: .error(.io))
            }
            #expect(!bed.front.plan.hasStruck)
        }
    }

    @Test func `to a client that takes little at a time is whole`() throws {
        try run { bed in
            for room in [0, 1, 100_000, 1 << 20, (1 << 20) + 1, 2_500_000] {
                let name = room % 2 == 0 ? "a" : "b"
                let client = bed.front.connect()
                client.holdsSends = true
                client.room = room
                client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                bed.front.settle()
                #expect(client.finalResponse?.isWhole != true)
                bed.front.release(client)
                client.holdsSends = false
                let answer = bed.finalAnswer(client)
                #expect(answer?.body == noise(count, seed: name == "a" ? 0 : 1))
            }
        }
    }

    @Test func `leaves nothing behind when its client goes`() throws {
        for room in [0, 200_000, 1_500_000] {
            try run { bed in
                let client = bed.front.connect()
                client.holdsSends = true
                client.room = room
                client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
                bed.front.settle()
                bed.front.reset(client)
                #expect(bed.get("b") == 200)
            }
        }
    }

    private static let faults: [(OperationKind, FaultPlan.Outcome)] = [
        (.splice, .error(.io)), (.splice, .short), (.splice, .nothing),
        (.sendPipe, .error(.reset)), (.sendPipe, .short), (.sendPipe, .nothing),
        (.sendPipe, .error(.wouldBlock)), (.discard, .error(.io)), (.openPipe, .error(.io)),
    ]

    /// What must not happen is that "b" gets bytes of "a", and `get` compares.
    @Test(arguments: faults.indices, 1...4)
    func `is right or ends, and so is the next, when one step fails`(
        index: Int, number: Int
    ) throws {
        let (kind, outcome) = Self.faults[index]
        try run { bed in
            bed.front.plan.strike(kind, number: number, with: outcome)
            bed.get("a")
            bed.front.plan.disarm()
            #expect(bed.get("b") == 200)
            #expect(bed.get("a") == 200)
        }
    }
}
