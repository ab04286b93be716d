// Goal:   more clients at once than there is memory for all get their answers: what they send stays
//         with the kernel until there is room for it.
// Method: the front and the store on a kernel that the test plays (StoredBed), with little memory.

import Catalog
import IO
import Simulator
import Testing

@testable import Server

@Suite struct `More clients than memory` {
    private func run(megabytes: Int, _ body: (StoredBed) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, megabytes: megabytes) { bed in
            try body(bed)
            try bed.expectNothingLeft("after the crowd")
        }
    }

    /// Every one sends all it has before anybody is answered.
    private func expectAll(
        _ clients: [Client], _ status: Int, on bed: StoredBed
    ) {
        for _ in 0..<60 where clients.contains(where: { $0.finalResponse?.isWhole != true }) {
            bed.front.pass(seconds: 1)
        }
        let statuses = clients.map { $0.finalResponse?.status ?? 0 }
        #expect(Set(statuses) == [status])
        let overflows = bed.front.on { $0.counters.inputOverflows }
        #expect(overflows == 0)
        for client in clients { client.endSending() }
        bed.front.settle()
    }

    struct Crowd: Sendable {
        let megabytes: Int
        let count: Int
        let size: Int
    }

    @Test(arguments: [
        Crowd(megabytes: 4, count: 200, size: 30_000),
        Crowd(megabytes: 8, count: 500, size: 4000),
        Crowd(megabytes: 8, count: 1000, size: 10_000),
        Crowd(megabytes: 8, count: 200, size: 300_000),
        Crowd(megabytes: 16, count: 1000, size: 100_000),
    ])
    func `upload at once, and none is sent away`(_ crowd: Crowd) throws {
        try run(megabytes: crowd.megabytes) { bed in
            let size = crowd.size
            let names = (0..<crowd.count).map { "object\($0)" }
            let clients = names.map { _ in bed.front.connect() }
            for (client, name) in zip(clients, names) {
                client.send(try bed.signed(name, size))
                client.send([UInt8](repeating: 7, count: size))
            }
            bed.front.settle()
            expectAll(clients, 201, on: bed)
            for name in names { bed.believe([[UInt8](repeating: 7, count: size)], of: name) }
            for name in names { #expect(bed.get(name) == 200) }
        }
    }
}
