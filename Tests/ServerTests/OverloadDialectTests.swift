// Goal:   under overload whatever begins something is refused, in its dialect, and nothing else is.
// Method: one request of each kind, at a core that the test has made slow (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

private let bearer = "Authorization: Bearer admin\r\n"

@Suite struct `Of what is asked under overload` {
    struct Request: Sendable, CustomStringConvertible {
        let line: String
        var fields = ""
        let isNew: Bool
        var tells: String?
        var description: String { line + " " + fields }
    }

    static let requests = [
        Request(line: "GET /cold", isNew: true),
        Request(line: "GET /u/cold", isNew: true),
        Request(line: "GET /files/abc", isNew: true),
        Request(line: "GET /hot", isNew: false),
        Request(line: "HEAD /cold", isNew: false),
        Request(line: "DELETE /cold", fields: bearer, isNew: false),
        Request(line: "OPTIONS /cold", isNew: false),
        Request(line: "GET /health", isNew: false),
        Request(line: "GET /ready", isNew: false),
        Request(line: "GET /admin/objects", fields: bearer, isNew: false),
        Request(line: "GET /upload-status", fields: bearer, isNew: false),
        Request(line: "PUT /new?v=x", fields: "Content-Length: 0\r\n", isNew: true),
        Request(
            line: "PUT /new?v=x", fields: "Upload-Complete: ?1\r\nContent-Length: 0\r\n",
            isNew: true, tells: "upload-limit"),
        Request(line: "POST /new", fields: "Content-Length: 0\r\n", isNew: false),
        Request(line: "PATCH /new?v=x", fields: "Content-Length: 0\r\n", isNew: false),
        Request(line: "POST /upload", fields: "\(bearer)Content-Length: 0\r\n", isNew: true),
        Request(
            line: "POST /chunked-upload", fields: "\(bearer)Content-Length: 0\r\n", isNew: true),
        Request(
            line: "POST /chunked-upload",
            fields: "\(bearer)X-Upload-Session-ID: abc\r\nContent-Length: 0\r\n", isNew: false),
        Request(
            line: "POST /files", fields: "\(bearer)Content-Length: 0\r\n", isNew: true,
            tells: "upload-limit"),
        Request(
            line: "POST /files",
            fields: "\(bearer)Tus-Resumable: 1.0.0\r\nUpload-Length: 1\r\n", isNew: true,
            tells: "tus-resumable"),
        Request(
            line: "POST /files",
            fields: "\(bearer)Tus-Resumable: 1.0.0\r\nUpload-Concat: partial\r\n"
                + "Upload-Length: 1\r\n", isNew: true, tells: "tus-resumable"),
        Request(
            line: "POST /files",
            fields: "\(bearer)Tus-Resumable: 1.0.0\r\nUpload-Concat: final;/files/a\r\n",
            isNew: false),
        Request(
            line: "POST /files/abc",
            fields: "\(bearer)Tus-Resumable: 1.0.0\r\nX-HTTP-Method-Override: PATCH\r\n",
            isNew: false),
        Request(line: "POST /health", fields: "Content-Length: 0\r\n", isNew: false),
        Request(line: "POST /u/x", fields: "Content-Length: 0\r\n", isNew: false),
    ]

    private func run(_ basePath: String, _ request: Request) throws {
        var settings = StoredBed.settings
        settings.basePath = Array(basePath.utf8)
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            let parts = request.line.split(separator: " ", maxSplits: 1)
            let line = "\(parts[0]) \(basePath)\(parts[1].dropFirst()) HTTP/1.1\r\nHost: h\r\n"
            if basePath == "/" {
                try bed.put("hot", [1, 2, 3])
                bed.get("hot")
            }
            let waiting = try waitingClients(bed, basePath)
            bed.overload()
            let client = bed.front.connect()
            bed.send(client, line + request.fields + "\r\n")
            for _ in 0..<50 where client.finalResponse == nil { bed.front.pass(milliseconds: 1) }
            if request.isNew {
                bed.expectRefused(client, keptAlive: true, "\(request)")
                if let field = request.tells {
                    #expect(client.finalResponse?.field(field) != nil, "\(request)")
                }
            } else {
                #expect(client.finalResponse?.status != nil)
                #expect(client.finalResponse?.status != 503, "\(request)")
                #expect(bed.refusals == 0, "\(request)")
            }
            bed.front.slowness = 0
            for client in waiting + [client] { client.endSending() }
            bed.front.settle()
        }
    }

    private func waitingClients(_ bed: StoredBed, _ basePath: String) throws -> [Client] {
        let clients = (0..<10).map { _ in bed.front.connect() }
        for (number, client) in clients.enumerated() {
            let head = try bed.signed("w\(number)", 3000)
            client.send("PUT \(basePath)" + head.dropFirst("PUT /".count))
        }
        bed.front.settle()
        #expect(bed.front.on { $0.handlers.unansweredCount } == 10)
        return clients
    }

    @Test(arguments: requests)
    func `only what begins something is refused`(request: Request) throws {
        try run("/", request)
    }

    @Test(arguments: requests.filter { $0.line != "GET /hot" })
    func `the same holds under a base path`(request: Request) throws {
        try run("/up/", request)
    }
}
