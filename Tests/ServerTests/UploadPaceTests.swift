// Goal:   a client that has sent fast is trusted with large buffers on the same connection, and on
//         no other.
// Method: the same uploads one behind the other; counted are the writes that they take.

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `The pace of an upload` {
    /// Writes of a signed PUT of 1 MiB.
    private func writes(_ bed: StoredBed, _ client: Client, _ name: String) throws -> Int {
        let before = bed.front.plan.counts[.write, default: 0]
        let answers = client.responses.count
        client.send(try bed.signed(name, 1 << 20))
        bed.front.settle()
        client.send(noise(1 << 20, seed: 3))
        bed.front.settle()
        #expect(client.responses.count == answers + 1)
        #expect(client.responses.last?.status == 201)
        return bed.front.plan.counts[.write, default: 0] - before
    }

    @Test func `is kept for the connection's next one`() throws {
        try StoredBed.run(SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance)) { bed in
            // Segments are written once, ahead of their use.
            #expect(try bed.put("warm", noise(1 << 20, seed: 2)) == 201)
            let client = bed.front.connect()
            let first = try writes(bed, client, "a")
            let second = try writes(bed, client, "b")
            // 256 KiB, 512 KiB and the rest; then all at once.
            #expect(first - second == 2)
            let other = bed.front.connect()
            #expect(try writes(bed, other, "c") == first)
            for end in [client, other] { end.endSending() }
            bed.front.settle()
        }
    }
}
