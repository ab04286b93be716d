// Clients behind a network card, and a store of which every large download is read from the disk.
// The played kernel reads a lent buffer only when its client acknowledges, so that one that is used
// again too early shows as wrong bytes.

import Catalog
import Engine
import IO
import Loop
import Simulator
import Testing

@testable import Server

/// A store of which every large download is read from the disk, and clients behind a card.
func withZeroCopy(_ isOn: Bool = true, _ body: (StoredBed) throws -> Void) throws {
    var settings = StoredBed.settings
    settings.verifiesAlways = true
    settings.sendsZeroCopy = isOn
    let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
    try StoredBed.run(disk, catalog, settings: settings) { bed in
        bed.front.queue = FrontBed.card
        try body(bed)
        try bed.expectNothingLeft("at the end")
    }
}

extension FrontBed {
    /// The queue of a card.
    static let card: Int32 = 8193
}

extension StoredBed {
    static let sendTimeout = Int(settings.sendTimeoutSeconds)

    func count(_ kind: OperationKind) -> Int { front.plan.counts[kind, default: 0] }
    var lentBytes: Int { front.on { $0.zeroCopy.lentBytes } }
    var copied: Int { front.on { Int($0.counters.zeroCopyCopied) } }
    var sends: Int { front.on { Int($0.counters.zeroCopySends) } }

    /// Asks for `name` on a connection that is kept.
    func ask(_ name: String, _ client: Client) {
        client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
        front.settle()
    }

    /// One that asks for `name`, and is prepared otherwise before it does.
    func reader(
        of name: String, _ prepare: (Client) -> Void = { _ in }
    ) -> Client {
        let client = front.connect()
        prepare(client)
        ask(name, client)
        return client
    }

    /// The same, of a client whose card has shown what it does; it acknowledges nothing more.
    func trustedReader(of name: String) throws -> Client {
        try put("first", noise(100_000, seed: 8))
        let client = reader(of: "first")
        client.forgetOutput()
        client.holdsAcknowledgements = true
        ask(name, client)
        return client
    }

    func expectWhole(_ client: Client, _ bytes: [UInt8]) {
        let isWhole = client.finalResponse?.body == bytes
        #expect(isWhole, "wrong bytes, or not all")
    }

    func leave(_ client: Client) {
        client.endSending()
        front.settle()
        #expect(client.isClosed)
    }
}
