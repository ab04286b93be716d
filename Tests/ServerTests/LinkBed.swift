// A store for clients whose links the test plays, and whose operator's remarks are kept.

import Catalog
import Simulator
import Synchronization
import Testing

@testable import Server

/// A bed whose operator's remarks are kept.
func withLinks(
    _ change: (inout FrontSettings) -> Void = { _ in }, _ body: (StoredBed, Remarks) throws -> Void
) throws {
    let remarks = Remarks()
    var settings = FrontSettings(secret: [1], adminToken: Array("admin".utf8))
    settings.uploadSecondsToLive = 3600
    settings.remark = { line in remarks.add(line) }
    change(&settings)
    let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
    try StoredBed.run(disk, catalog, settings: settings) { bed in
        try body(bed, remarks)
        try bed.expectNothingLeft("at the end")
        #expect(bed.front.on { $0.links.count } == 0, "a link outlived its connection")
    }
}

final class Remarks: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

extension StoredBed {
    var links: LinkCounters { front.on { $0.links.counters } }

    func put(_ client: Client, _ name: String, _ bytes: [UInt8]) throws {
        client.send(try signed(name, bytes.count))
        front.settle()
        client.send(bytes)
        front.settle()
        #expect(client.responses.last?.status == 201)
    }

    /// Another answer than those that are there.
    func get(_ client: Client, _ name: String, _ fields: String = "") -> Response? {
        client.forgetOutput()
        client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        front.settle()
        return client.finalResponse
    }

    func page() -> String {
        MetricsDocument.text([front.on { $0.snapshot() }], nil)
    }
}
