// Goal:   what a core holds back for want of memory costs nobody else: requests whose answer is on
//         its way count for nothing, and keep the time that they have.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `While nothing is read for want of memory` {
    private func run(_ body: (StoredBed) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: StoredBed.settings) { bed in
            try bed.put("large", noise(3_000_000, seed: 1))
            try bed.put("small", noise(30_000, seed: 2))
            for name in ["large", "small"] { bed.get(name) }
            try body(bed)
            try bed.expectNothingLeft("after holding back")
        }
    }

    private func ask(_ client: Client, _ name: String) {
        client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
    }

    @Test func `downloads that are under way need no room for an answer`() throws {
        try run { bed in
            let reader = bed.front.connect()
            reader.holdsSends = true
            ask(reader, "large")
            bed.front.settle()
            #expect(bed.front.on { $0.handlers.unansweredCount } == 1, "its head is held")
            bed.front.release(reader)
            #expect(bed.front.on { $0.handlers.busyCount } == 1)
            #expect(bed.front.on { $0.handlers.unansweredCount } == 0)
            bed.front.resume(reader)
            #expect(bed.finalAnswer(reader)?.body.count == 3_000_000)
            #expect(bed.front.on { $0.handlers.unansweredCount } == 0)
        }
    }

    @Test func `an answer that is being sent keeps its deadline`() throws {
        try run { bed in
            let busy = bed.front.connectBusy()
            let reader = bed.front.connect()
            reader.holdsSends = true
            bed.front.settle()
            let taken = bed.front.takeRoom()
            ask(reader, "small")
            bed.front.settle()
            let (isDeferred, deadline) = bed.front.on { core in
                let slot = (0..<core.connections.slotEnd).first {
                    core.connections[$0].flags.contains(.sending)
                }
                guard let slot else { return (false, 0 as UInt32) }
                let connection = core.connections[slot]
                return (connection.flags.contains(.receiveDeferred), connection.deadline)
            }
            #expect(isDeferred)
            #expect(deadline > 0)
            bed.front.giveBack(taken)
            bed.front.resume(reader)
            #expect(bed.finalAnswer(reader)?.body.count == 30_000)
            busy.endSending()
            bed.front.pass(seconds: 60)
        }
    }
}
