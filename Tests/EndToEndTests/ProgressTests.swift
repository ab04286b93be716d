// Goal:   offsets that a real server told while it was killed are there when it starts again, also
//         those that only its progress log has had.
// Method: tus over raw sockets, chunks of odd lengths one behind the other on three uploads, on two
//         cores; SIGKILL amid them, several times.

import Foundation
import Glibc
import Testing

@Suite struct `A server that is killed amid many chunks` {
    private static let version = "Tus-Resumable: 1.0.0"
    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"
    private static let type = "Content-Type: application/offset+octet-stream"

    private struct Upload {
        let bytes: [UInt8]
        var place = ""
        var told = 0
    }

    private func ask(
        _ client: RawClient, _ method: String, _ target: String, _ fields: [String] = [],
        _ body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        try client.exchange(
            method, target, fields: [Self.version, Self.token] + fields, body: body)
    }

    private func create(_ upload: inout Upload, _ server: RunningServer) throws {
        let answer = try ask(
            RawClient(server.port), "POST", "/files", ["Upload-Length: \(upload.bytes.count)"], [])
        #expect(answer.status == 201)
        upload.place = try #require(answer.fields["location"])
    }

    /// The next bytes, as many of them.
    private func send(_ upload: inout Upload, _ count: Int, _ server: RunningServer) throws {
        let end = min(upload.told + count, upload.bytes.count)
        let answer = try ask(
            RawClient(server.port), "PATCH", upload.place,
            [Self.type, "Upload-Offset: \(upload.told)"], Array(upload.bytes[upload.told..<end]))
        #expect(answer.status == 204)
        upload.told = end
    }

    @Test func `has every offset that it told`() throws {
        let scratch = try ScratchDirectory()
        var server = try RunningServer(in: scratch)
        var uploads = (0..<3).map { Upload(bytes: pattern(2_000_003, seed: 800 + $0)) }
        for index in uploads.indices { try create(&uploads[index], server) }
        for turn in 0..<4 {
            for step in 0..<12 {
                try send(&uploads[step % 3], 70_001 + 1000 * step + turn, server)
            }
            // What was told is in the log by now, and the catalog knows of none of it.
            #expect(try server.metric("upload_progress_entries_total") > 0)
            _ = server.process.end(SIGKILL)
            server = try RunningServer(in: scratch)
            for upload in uploads {
                let head = try ask(RawClient(server.port), "HEAD", upload.place)
                #expect(head.fields["upload-offset"] == "\(upload.told)")
            }
        }
        for index in uploads.indices {
            while uploads[index].told < uploads[index].bytes.count {
                try send(&uploads[index], 300_000, server)
            }
            let got = try ask(RawClient(server.port), "GET", uploads[index].place)
            #expect(got.body == uploads[index].bytes)
        }
        #expect(server.stop() == 0)
    }
}
