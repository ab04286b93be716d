// Goal:   what a client has told of an upload comes back to it, also when a core has memory for no
//         more than an answer of the usual length.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `An answer with a long head` {
    @Test func `finds its room where memory is short`() throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: StoredBed.lasting()) { bed in
            let tus = "Tus-Resumable: 1.0.0"
            let metadata = "x " + String(repeating: "abcd", count: 1000)
            let created = bed.ask(
                "POST", "/files", [tus, "Upload-Length: 5", "Upload-Metadata: \(metadata)"], [])
            let field = try #require(created?.fields.first { $0.hasPrefix("location: ") })
            let location = String(field.dropFirst("location: ".count))
            let taken = bed.front.takeRoom()
            let head = bed.ask("HEAD", location, [tus])
            bed.front.giveBack(taken)
            #expect(head?.status == 200)
            #expect(head?.fields.contains("upload-metadata: \(metadata)") == true)
            #expect(bed.ask("DELETE", location, [tus])?.status == 204)
        }
    }
}
