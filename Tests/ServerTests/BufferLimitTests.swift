// Goal:   downloads lease what the configuration says, from their first read on.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Engine
import IO
import Loop
import Simulator
import Testing

@testable import Server

@Suite struct `Buffers of one size` {
    /// What a reader holds that has not taken its head yet, in KiB.
    private func kibibytesHeld(objectBytes: Int) throws -> Int {
        var settings = StoredBed.settings
        settings.verifiesAlways = true
        settings.buffers = BufferLimits(smallest: 64 << 10, largest: 64 << 10, isAdaptive: false)
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        var held = 0
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            try bed.put("object", [UInt8](repeating: 9, count: objectBytes))
            let reader = bed.front.connect()
            reader.holdsSends = true
            reader.send("GET /object HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            held = (bed.front.memory.bytesTotal - bed.front.memory.bytesFree) >> 10
            bed.front.resume(reader)
            #expect(bed.finalAnswer(reader)?.body.count == objectBytes)
        }
        return held
    }

    @Test func `hold for the read before the head, too`() throws {
        #expect(try kibibytesHeld(objectBytes: 3_000_000) == 64)
    }

    @Test func `do not hold for objects that are verified whole before it`() throws {
        #expect(try kibibytesHeld(objectBytes: 1 << 20) == 1024)
    }
}
