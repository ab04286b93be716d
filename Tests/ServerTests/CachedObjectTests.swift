// Goal:   an object in the hot cache is answered whole and in order, under its own name only.
// Method: entries are put into the core's cache by hand; the test plays the kernel (FrontBed).

import HTTP
import IO
import Loop
import Testing

@testable import Engine
@testable import Server

@Suite struct `A cached object` {
    private func get(_ name: String, _ fields: String = "") -> String {
        "GET /\(name) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
    }

    private func content(_ seed: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) &+ seed) }
    }

    @Test(arguments: [0, 1, 1000, 12_000, 16_000, 20_000, 65_536])
    func `comes back whole`(count: Int) throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, count))
            let client = bed.connect()
            client.send(get("a"))
            bed.settle()
            #expect(client.responses.map(\.status) == [200])
            #expect(client.responses.map(\.body) == [content(1, count)])
        }
    }

    /// Small ones share a SEND; those that do not fit wait for the output to leave.
    @Test(arguments: [10, 1000, 15_000, 30_000])
    func `comes as often as it is asked for, between others`(count: Int) throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, count))
            bed.cache("b", content(2, 100))
            let client = bed.connect()
            for _ in 0..<30 { client.send(get("a") + get("b")) }
            bed.settle()
            let (first, second) = (content(1, count), content(2, 100))
            let bodies = client.responses.map(\.body)
            #expect(bodies.count == 60)
            for (index, body) in bodies.enumerated() {
                #expect(body == (index.isMultiple(of: 2) ? first : second))
            }
        }
    }

    @Test func `is found only under its own name`() throws {
        try FrontBed.run { bed in
            // The object whose name has a percent sign is not the one that the escape names.
            bed.cache("a%41", content(1, 10))
            let client = bed.connect()
            client.send(get("a%41"))
            bed.settle()
            #expect(client.responses.map(\.status) == [503])
        }
    }

    @Test func `answers ranges, conditions and HEAD`() throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, 1000))
            let client = bed.connect()
            client.send(get("a", "Range: bytes=10-19\r\n"))
            client.send(get("a", "Range: bytes=-5\r\n"))
            client.send(get("a", "Range: bytes=1000-\r\n"))
            client.send(get("a", "Range: pages=1\r\n"))
            client.send(get("a", "If-None-Match: *\r\n"))
            client.send(get("a", "If-Match: \"none\"\r\n"))
            bed.settle()
            let responses = client.responses
            #expect(responses.map(\.status) == [206, 206, 416, 200, 304, 412])
            #expect(responses[0].body == Array(content(1, 1000)[10...19]))
            #expect(responses[0].fields.contains("content-range: bytes 10-19/1000"))
            #expect(responses[1].body == Array(content(1, 1000)[995...]))
            #expect(responses[2].fields.contains("content-range: bytes */1000"))
            #expect(responses[3].body == content(1, 1000))
        }
    }

    @Test func `sends no content in answer to HEAD, whatever the outcome`() throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, 1000))
            let client = bed.connect()
            client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.settle()
            #expect(client.text.contains("Content-Length: 1000\r\n"))
            #expect(client.text.hasSuffix("\r\n\r\n"))
            client.forgetOutput()
            client.send("HEAD /a HTTP/1.1\r\nHost: h\r\nIf-Match: \"none\"\r\n\r\n")
            bed.settle()
            #expect(client.statuses == [412])
            #expect(client.text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `closes behind the answer when asked to`() throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, 30_000))
            let client = bed.connect()
            client.send(get("a", "Connection: close\r\n"))
            bed.settle()
            #expect(client.responses.map(\.body) == [content(1, 30_000)])
            #expect(client.sawEnd)
        }
    }

    @Test func `is refused like any other for an unknown expectation`() throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, 10))
            let client = bed.connect()
            client.send(get("a", "Expect: the-moon\r\n"))
            bed.settle()
            #expect(client.responses.map(\.status) == [417])
        }
    }

    @Test func `stays in place while it is sent, though it is forgotten meanwhile`() throws {
        try FrontBed.run { bed in
            bed.cache("a", content(1, 30_000))
            let client = bed.connect()
            client.holdsSends = true
            client.send(get("a"))
            bed.settle()
            bed.release(client)
            bed.core.assumeIsolated { $0.cache.forget(Array("a".utf8).span, upTo: .max) }
            // Whatever wants room now must not get the bytes that are still to be sent.
            let other = content(3, 60_000)
            for index in 0..<100 { bed.cache("other\(index)", other) }
            bed.release(client)
            #expect(client.responses.map(\.body) == [content(1, 30_000)])
        }
    }

    @Test func `of another base path is found under that`() throws {
        var settings = FrontSettings(secret: [1], adminToken: [2])
        settings.basePath = Array("/up/".utf8)
        try FrontBed.run(settings: settings) { bed in
            bed.cache("a", content(1, 10))
            let client = bed.connect()
            for path in ["up/a", "a", "u", "up/", "upp/a"] { client.send(get(path)) }
            bed.settle()
            #expect(client.responses.map(\.status) == [200, 404, 404, 404, 404])
        }
    }
}

extension FrontBed {
    /// Puts an object into the hot cache, as a download does.
    func cache(_ name: String, _ content: [UInt8]) {
        core.assumeIsolated { core in
            let fields = ObjectFields(
                length: UInt64(content.count), sequence: 7, checksum: 9, modifiedSeconds: 1_000)
            let others = [UInt8](capacity: 1024) { output in
                fields.append(to: &output, mediaType: Array("text/plain".utf8).span)
            }
            guard let lease = core.memory.leaseNow(content.count) else { return }
            let data = lease.region.part(from: 0, count: content.count)
            core.arena.copy(content.span, to: data)
            core.cache(Array(name.utf8), fields, others, data)
            core.memory.giveBack(lease)
        }
    }
}

/// One answer as a client reads it; not for answers to HEAD.
struct Response {
    let status: Int
    /// In lower case.
    let fields: [String]
    let body: [UInt8]
    /// Whether all of the body came that the head announced.
    let isWhole: Bool
}

extension Client {
    var responses: [Response] {
        var found: [Response] = []
        var rest = output[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            let lines = head.split(separator: "\r\n").map { $0.lowercased() }
            let status = Int(lines[0].dropFirst(9).prefix(3)) ?? 0
            let length =
                lines.first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) }
                ?? 0
            let wanted = status == 304 ? 0 : length
            let body = rest[end.upperBound...].prefix(wanted)
            found.append(
                Response(
                    status: status, fields: Array(lines.dropFirst()), body: Array(body),
                    isWhole: body.count == wanted))
            rest = rest[body.endIndex...]
        }
        return found
    }
}
