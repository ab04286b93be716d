// Goal:   a connection that ends while the kernel still sends out of our buffers waits for a client
//         that takes something, for no other, and not for a kernel that never lets go.
// Method: see ZeroCopyBed.swift.

import IO
import Loop
import Testing

@testable import Server

@Suite struct `A connection that has lent buffers` {
    private let bytes = noise(200_000, seed: 1)

    /// `client` has its whole answer on the way, and has acknowledged nothing.
    private func withTail(_ body: (StoredBed, Client) throws -> Void) throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let client = bed.reader(of: "o") { $0.holdsAcknowledgements = true }
            #expect(bed.lentBytes > 0 && client.untaken.count > 1)
            try body(bed, client)
        }
    }

    @Test func `stays when its peer ends, until that has everything`() throws {
        try withTail { bed, client in
            client.endSending()
            bed.front.pass(seconds: 2)
            #expect(!client.isClosed)
            bed.front.acknowledge(client)
            #expect(client.isClosed && !client.resetsOnClose)
            bed.expectWhole(client, bytes)
        }
    }

    @Test func `takes other requests meanwhile`() throws {
        try withTail { bed, client in
            bed.ask("o", client)
            bed.front.acknowledge(client)
            #expect(client.responses.count == 2)
            #expect(client.responses.allSatisfy { $0.body == bytes })
            bed.leave(client)
        }
    }

    @Test func `is reset if its peer takes nothing for as long as a send may take`() throws {
        try withTail { bed, client in
            client.endSending()
            bed.front.pass(seconds: StoredBed.sendTimeout - 1)
            #expect(!client.isClosed && bed.lentBytes > 0)
            bed.front.pass(seconds: 2)
            #expect(client.isClosed && client.resetsOnClose && bed.lentBytes == 0)
        }
    }

    @Test func `stays for a peer that takes something in time`() throws {
        let long = noise(1_700_000, seed: 4)
        try withZeroCopy { bed in
            try bed.put("long", long)
            let client = try bed.trustedReader(of: "long")
            client.endSending()
            #expect(bed.front.on { $0.lentSends.count } > 2)
            while bed.lentBytes > 0 {
                bed.front.pass(seconds: StoredBed.sendTimeout - 1)
                try #require(!client.isClosed)
                // What was copied tells nobody when it is acknowledged.
                while case .bytes? = client.untaken.first {
                    bed.front.acknowledge(client, count: 1)
                }
                bed.front.acknowledge(client, count: 1)
            }
            #expect(client.isClosed && !client.resetsOnClose)
            bed.front.acknowledge(client)
            bed.expectWhole(client, long)
        }
    }

    @Test func `is idle as long as any other`() throws {
        try withTail { bed, client in
            bed.front.pass(seconds: Int(StoredBed.settings.idleTimeoutSeconds) + 1)
            #expect(client.sawEnd && !client.isClosed)
            bed.front.acknowledge(client)
            #expect(client.isClosed)
        }
    }

    @Test func `ends at once when its peer vanishes and the kernel lets go`() throws {
        try withTail { bed, client in
            bed.front.reset(client)
            #expect(client.isClosed && bed.lentBytes == 0)
        }
    }

    /// A card that hangs, say. The buffer stays lent; the connection does not stay for it.
    @Test func `ends though the kernel never lets go`() throws {
        try withTail { bed, client in
            client.isNeverNotified = true
            bed.front.reset(client)
            bed.front.pass(seconds: StoredBed.sendTimeout + 1)
            #expect(client.isClosed)
            let core = bed.front.core
            #expect(core.assumeIsolated { $0.connectionCount } == 0)
            #expect(bed.lentBytes > 0, "the kernel may still read it")
            // Somebody else has its slot when word comes at last.
            let other = bed.reader(of: "o") { $0.holdsAcknowledgements = true }
            let lent = bed.lentBytes
            bed.front.acknowledge(client)
            #expect(bed.lentBytes > 0 && bed.lentBytes < lent)
            bed.front.acknowledge(other)
            bed.expectWhole(other, bytes)
            bed.leave(other)
        }
    }

    @Test func `holds up no stop`() throws {
        try withTail { bed, client in
            client.isNeverNotified = true
            bed.front.on { $0.endAll() }
            bed.front.settle()
            #expect(client.isClosed && client.resetsOnClose && bed.lentBytes > 0)
            #expect(bed.front.core.load.count == 0)
            bed.front.acknowledge(client)
            #expect(bed.lentBytes == 0)
        }
    }

    @Test func `is waited for by a stop that may take its time`() throws {
        try withTail { bed, client in
            bed.front.on { $0.drain() }
            bed.front.pass(seconds: 2)
            #expect(!client.isClosed && bed.front.core.load.count == 1)
            bed.front.acknowledge(client)
            #expect(client.isClosed && bed.front.core.load.count == 0)
            bed.expectWhole(client, bytes)
        }
    }

    @Test func `that breaks in the midst of a send gives everything back`() throws {
        let long = noise(1_700_000, seed: 4)
        try withZeroCopy { bed in
            try bed.put("long", long)
            for isHeld in [false, true] {
                let client = bed.reader(of: "long") { $0.holdsSends = true }
                bed.front.release(client)
                client.holdsAcknowledgements = isHeld
                bed.front.release(client)
                bed.front.release(client, count: 5)
                bed.front.reset(client)
                bed.front.pass(seconds: 1)
                #expect(client.isClosed && bed.lentBytes == 0)
            }
        }
    }
}
