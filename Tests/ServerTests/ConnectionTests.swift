// Goal:   whatever a client sends, in whatever pieces, each request is answered once and in order,
//         and a connection that ends leaves nothing behind.
// Method: the test plays the kernel (FrontBed); without a store, since that needs none.

import Foundation
import HTTP
import IO
import Synchronization
import Testing

@testable import Engine
@testable import Server

private let health = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"

@Suite struct `A connection` {
    @Test func `answers a request`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(health)
            bed.settle()
            #expect(client.statuses == [200])
            #expect(client.text.hasSuffix("\r\n\r\nalive\n"))
            #expect(!client.sawEnd)
        }
    }

    @Test(arguments: 1...health.utf8.count)
    func `answers a request in two pieces, cut anywhere`(cut: Int) throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(String(health.prefix(cut)))
            bed.settle()
            client.send(String(health.dropFirst(cut)))
            bed.settle()
            #expect(client.statuses == [200])
        }
    }

    @Test func `answers pipelined requests in order, however many`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            for index in 0..<500 {
                let path = index.isMultiple(of: 3) ? "/health" : "/nothing/\(index)"
                client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            }
            bed.settle()
            #expect(client.statuses.count == 500)
            for (index, status) in client.statuses.enumerated() {
                #expect(status == (index.isMultiple(of: 3) ? 200 : 503))
            }
        }
    }

    @Test func `holds no buffer while it idles, nor while its head is in pieces`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(health)
            bed.settle()
            #expect(bed.frontBytesUsed == 0)
            client.send("GET /hea")
            bed.settle()
            // The kept bytes, and nothing for an answer that nobody has asked for yet.
            #expect(bed.frontBytesUsed <= 4096)
        }
    }

    @Test func `sends no content in answer to HEAD`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("HEAD /health HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.settle()
            #expect(client.text.hasSuffix("Content-Length: 6\r\n\r\n"))
            client.forgetOutput()
            client.send("HEAD /nothing/here HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.settle()
            #expect(client.text.hasSuffix("\r\n\r\n"))
        }
    }
}

@Suite struct `A peer that ends its half` {
    @Test func `still gets the answer, and then the end`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(health)
            client.endSending()
            bed.settle()
            #expect(client.statuses == [200])
            #expect(client.isClosed)
        }
    }

    @Test func `gets all answers that it asked for`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            for _ in 0..<200 { client.send(health) }
            client.endSending()
            bed.settle()
            #expect(client.statuses.count == 200)
            #expect(client.isClosed)
        }
    }

    @Test func `in the middle of a head gets nothing`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("GET /hea")
            client.endSending()
            bed.settle()
            #expect(client.output.isEmpty)
            #expect(client.isClosed)
        }
    }
}

@Suite struct `A request whose body nobody wants` {
    @Test func `is answered before its body comes, and the connection stays`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
            bed.settle()
            #expect(client.statuses == [503])
            client.send(String(repeating: "x", count: 1000) + health)
            bed.settle()
            #expect(client.statuses == [503, 200])
        }
    }

    @Test func `closes the connection if that would be long`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
            bed.settle()
            #expect(client.statuses == [503])
            #expect(client.text.contains("Connection: close"))
            #expect(client.sawEnd)
            bed.pass(seconds: 5)
            #expect(client.isClosed)
        }
    }

    @Test func `and which waits for 100 is closed without one`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(
                "PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n"
                    + "Expect: 100-continue\r\n\r\n")
            bed.settle()
            #expect(client.statuses == [503])
            #expect(client.text.contains("Connection: close"))
        }
    }

    @Test func `may be chunked`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("POST /health HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            bed.settle()
            #expect(client.statuses == [405])
            for piece in ["5\r", "\nab", "cde\r\n0\r\n", "X: y\r\n\r\n", health] {
                client.send(piece)
                bed.settle()
            }
            #expect(client.statuses == [405, 200])
        }
    }

    @Test(arguments: ["zz\r\n", "5\r\nabcdefg\r\n", "-1\r\n", "5 5\r\n", "\r\n\r\n"])
    func `is refused for garbage between its chunks`(garbage: String) throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(
                "PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + garbage)
            bed.settle()
            #expect(client.statuses == [400])
            #expect(client.text.contains("Connection: close"))
            #expect(client.sawEnd)
        }
    }

    @Test func `is not followed by another after garbage that comes later`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("POST /health HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            bed.settle()
            client.send("zz\r\n" + health)
            bed.settle()
            #expect(client.statuses == [405])
            #expect(client.sawEnd)
        }
    }

    @Test func `that never comes is waited for only so long`() throws {
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send("PUT /a?v=00 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc")
            bed.settle()
            bed.pass(seconds: 40)
            #expect(client.isClosed)
        }
    }
}

@Suite struct `A fault that ends a connection` {
    private func logged(_ request: String) throws -> (statuses: [Int], lines: [String]) {
        let log = Mutex<[String]>([])
        var settings = FrontSettings(secret: [1], adminToken: [2])
        settings.log = { line in log.withLock { $0.append(line) } }
        var statuses: [Int] = []
        try FrontBed.run(settings: settings) { bed in
            let client = bed.connect()
            client.send(request)
            bed.settle()
            statuses = client.statuses
        }
        return (statuses, log.withLock { $0 })
    }

    @Test(arguments: [
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", Refusal.unsupportedVersion),
        ("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", .unknownCoding),
        (String(repeating: "M", count: 33) + " / HTTP/1.1\r\nHost: h\r\n\r\n", .methodTooLong),
    ])
    func `is logged under a number if its status is 5xx`(request: String, refusal: Refusal) throws {
        let (statuses, lines) = try logged(request)
        #expect(statuses == [Int(refusal.status.rawValue)])
        #expect(lines == ["request 0-1: \(refusal.line)"])
    }

    @Test func `is none if somebody asks whether we are ready while we are not`() throws {
        let (statuses, lines) = try logged("GET /ready HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(statuses == [503])
        #expect(lines == [])
        let other = try logged("GET /object HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(other.lines == ["request 0-1: recovering: not ready yet"])
    }

    @Test func `is the client's own if its status is 4xx, and not logged`() throws {
        let (statuses, lines) = try logged("GET / HTTP/1.1\r\n\r\n")
        #expect(statuses == [400])
        #expect(lines == [])
    }
}
