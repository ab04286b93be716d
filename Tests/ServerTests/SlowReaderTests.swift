// Goal:   clients that read slowly get all of it, and are let go if they no longer read.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `A slow reader of what is in the page cache` {
    private static let timeout = Int(StoredBed.settings.sendTimeoutSeconds)

    /// `reader` has the head of an object that leaves from the page cache, and no more.
    private func withReader(_ body: (StoredBed, Client, [UInt8]) throws -> Void) throws {
        let bytes = noise(200_000, seed: 1)
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog) { bed in
            try bed.put("o", bytes)
            for _ in 0..<3 { bed.get("o") }
            let reader = bed.front.connect()
            reader.holdsSends = true
            reader.send("GET /o HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            bed.front.release(reader)
            #expect(reader.pollToken != nil, "it does not wait for the socket")
            try body(bed, reader, bytes)
            try bed.expectNothingLeft("after the reader")
        }
    }

    @Test func `gets all of it if it takes some of it in time`() throws {
        try withReader { bed, reader, bytes in
            for _ in 0..<10 {
                reader.room = 20_000
                bed.front.pass(seconds: Self.timeout + 1)
            }
            let hasAll = reader.finalResponse?.body == bytes
            #expect(hasAll)
            reader.endSending()
        }
    }

    @Test(arguments: [0, 1, 3])
    func `is let go once it takes nothing for that long`(pieces: Int) throws {
        try withReader { bed, reader, _ in
            for _ in 0..<pieces {
                reader.room = 20_000
                bed.front.pass(seconds: Self.timeout + 1)
            }
            #expect(!reader.isClosed)
            bed.front.pass(seconds: Self.timeout + 1)
            #expect(reader.isClosed)
        }
    }
}
