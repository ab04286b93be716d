// What tests of digest fields send, and expect to be told, on a stored bed.

import Catalog
import Checksums
import Cryptography
import Foundation
import Simulator
import Testing

@testable import Server

/// Fields as clients send them; values by the libraries below the server.
enum DigestField {
    static func sha256(_ bytes: [UInt8]) -> String {
        guard var digest = try? Digest(.sha256) else { preconditionFailure("no SHA-256") }
        digest.update(bytes.span.rawBytes)
        return "sha-256=:\(Data(digest.finish()).base64EncodedString()):"
    }

    static func crc32c(_ bytes: [UInt8]) -> String {
        let sum = Checksums.crc32c(bytes.span.rawBytes)
        let octets = (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
        return "crc32c=:\(Data(octets).base64EncodedString()):"
    }
}

func withDigestBed(
    keepsSHA256: Bool = false, _ body: (StoredBed) throws -> Void
) throws {
    try StoredBed.run(
        SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance),
        settings: StoredBed.lasting(), keepsSHA256: keepsSHA256
    ) { bed in
        try body(bed)
        try bed.expectNothingLeft("after the digests")
    }
}

extension StoredBed {
    /// A signed PUT with further fields; the answer to it.
    func put(
        _ name: String, _ bytes: [UInt8], fields: [String]
    ) throws -> Response? {
        let more = fields.map { $0 + "\r\n" }.joined()
        return exchange(try signed(name, bytes.count, more), bytes).answer
    }

    /// One that breaks off behind so many bytes.
    func breakOff(_ name: String, _ bytes: [UInt8], sent: Int, fields: [String]) throws {
        let client = front.connect()
        client.send(try signed(name, bytes.count, fields.map { $0 + "\r\n" }.joined()))
        front.settle()
        client.send(Array(bytes[..<sent]))
        front.settle()
        client.endSending()
        front.settle()
        for _ in 0..<10 where !client.isClosed { front.pass(seconds: 1) }
    }

    /// Path and query of a signed URL.
    func target(_ name: String, _ count: Int) throws -> String {
        String(try signed(name, count).split(separator: " ")[1])
    }

    func get(_ path: String, _ fields: [String], method: String = "GET") -> Response? {
        let lines = fields.map { $0 + "\r\n" }.joined()
        return exchange("\(method) \(path) HTTP/1.1\r\nHost: h\r\n\(lines)\r\n").answer
    }

    var mismatches: UInt64 { front.core.assumeIsolated { $0.counters.digestMismatches } }
}

extension Response {
    var reprDigest: String? { field("repr-digest") }
}
