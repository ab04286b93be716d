// Goal:   every wrong chunk, and every upload that cannot be, is refused, and nothing of it is
//         taken.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Store
import Testing

@testable import Server

@Suite struct `A numbered chunk is refused` {
    @Test func `that is not what its number says, and nothing of it is taken`() throws {
        let data = noise(ChunkSession.bytesMin + 1000, seed: 10)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            #expect(session.send(0, Array(data[..<(ChunkSession.bytesMin - 1)]))?.status == 400)
            #expect(session.send(0, Array(data[..<(ChunkSession.bytesMin + 1)]))?.status == 400)
            #expect(session.send(1, [])?.status == 400)
            #expect(session.send(1, Array(data[..<1001]))?.status == 400)
            #expect(session.send(2, [])?.status == 400)
            for number in ["-1", "x", "99999999999999999999", "18446744073709551615"] {
                let fields = ["X-Upload-Session-ID: \(session.id)", "X-Chunk-Number: \(number)"]
                #expect(bed.ask("PUT", "/chunked-upload", fields, [1])?.status == 400)
            }
            let missing = ["X-Upload-Session-ID: \(session.id)"]
            #expect(bed.ask("PUT", "/chunked-upload", missing, [1])?.status == 400)
            let head = bed.head(
                "PUT", "/chunked-upload", session.fields(1) + ["Transfer-Encoding: chunked"],
                length: nil)
            #expect(bed.exchange(head, chunked(session.part(1), 100)).answer?.status == 411)
            let status = try session.status()
            #expect(status.member("uploaded_bytes") == "0" && status.member("progress") == "0.000")
        }
    }

    @Test func `of no upload, or of one that was given up or is another's`() throws {
        var settings = StoredBed.lasting()
        settings.tokens = [UploadCredential(owner: "token:other", secret: Array("other".utf8))]
        try withChunkBed(settings) { bed in
            let session = try ChunkSession(bed, noise(1000, seed: 11))
            for id in ["0", String(repeating: "0", count: 32), session.id + "0"] {
                let fields = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: 0"]
                #expect(bed.ask("PUT", "/chunked-upload", fields, [1])?.status == 404)
                #expect(bed.ask("GET", "/upload-status?session_id=\(id)")?.status == 404)
            }
            let other = "Authorization: Bearer other\r\n"
            let status =
                "GET /upload-status?session_id=\(session.id) HTTP/1.1\r\nHost: h\r\n\(other)\r\n"
            #expect(bed.exchange(status).answer?.status == 404)
            let chunk =
                "PUT /chunked-upload HTTP/1.1\r\nHost: h\r\n\(other)Content-Length: 1\r\n"
                + session.fields(0).map { $0 + "\r\n" }.joined() + "\r\n"
            #expect(bed.exchange(chunk, [1]).answer?.status == 404)
            #expect(bed.ask("DELETE", "/files/\(session.id)")?.status == 204)
            #expect(session.send(0)?.status == 404)
            #expect(try session.status().status == 404)
        }
    }

    @Test func `whose object was deleted`() throws {
        try withChunkBed { bed in
            let session = try ChunkSession(bed, noise(1000, seed: 12))
            #expect(session.send(0)?.status == 200)
            let list = bed.ask("GET", "/admin/objects")
            let path = try #require(list?.member("path"))
            #expect(path.hasPrefix("u/") && path.hasSuffix("/f.txt"))
            #expect(bed.ask("DELETE", "/\(path)")?.status == 204)
            #expect(session.send(0)?.status == 404)
        }
    }

    @Test func `whose time is over`() throws {
        var settings = StoredBed.lasting()
        settings.uploadSecondsToLive = 1
        try withChunkBed(settings) { bed in
            let session = try ChunkSession(bed, noise(1000, seed: 13))
            bed.front.pass(seconds: 3)
            #expect([404, 410].contains(session.send(0)?.status))
        }
    }
}

@Suite struct `An upload of numbered chunks is refused` {
    private func expect(_ status: Int, _ fields: [String]) throws {
        try withChunkBed(StoredBed.lasting(uploadBytesMax: 1000)) { bed in
            let answer = bed.ask("POST", "/chunked-upload", fields, [])
            #expect(answer?.status == status, "\(fields)")
            #expect(bed.shared.unfinishedUploads == (status == 201 ? 1 : 0))
        }
    }

    @Test func `without a name and a size that can be ones`() throws {
        let size = "X-Total-Size: 10"
        try expect(400, [])
        try expect(400, [size])
        try expect(400, ["X-Filename: a"])
        for name in ["../a", "a/b", "a\\b", "..", String(repeating: "a", count: 256)] {
            try expect(400, ["X-Filename: \(name)", size])
        }
        for number in ["-1", "1.5", "0x10", "99999999999999999999", "1, 2"] {
            try expect(400, ["X-Filename: a", "X-Total-Size: \(number)"])
        }
        try expect(400, ["X-Filename: a", size, size])
        try expect(400, ["X-Filename: a", size, "X-Chunk-Number: 0"])
        try expect(413, ["X-Filename: a", "X-Total-Size: 1001"])
        try expect(201, ["X-Filename: a", "X-Total-Size: 1000"])
    }

    @Test func `without the token, by another method, or without its query`() throws {
        try withChunkBed { bed in
            for target in ["/chunked-upload", "/upload-status?session_id=0"] {
                let method = target.hasPrefix("/c") ? "PUT" : "GET"
                let head = "\(method) \(target) HTTP/1.1\r\nHost: h\r\n"
                #expect(bed.exchange(head + "\r\n").answer?.status == 401)
                let wrong = "Authorization: Bearer nobody\r\n\r\n"
                #expect(bed.exchange(head + wrong).answer?.status == 403)
                #expect(bed.ask("DELETE", target)?.status == 405)
                #expect(bed.ask("OPTIONS", target)?.status == 204)
            }
            let options = bed.ask("OPTIONS", "/chunked-upload")?.fields
            #expect(options?.contains("allow: put, post, options") == true)
            let status = bed.ask("OPTIONS", "/upload-status")?.fields
            #expect(status?.contains("allow: get, head, options") == true)
            #expect(bed.ask("GET", "/upload-status")?.status == 400)
            #expect(bed.ask("GET", "/upload-status?session_id=1&session_id=1")?.status == 400)
            #expect(bed.ask("GET", "/upload-status?session_id=%zz")?.status == 400)
            #expect(bed.ask("GET", "/upload-status/x?session_id=0")?.status == 404)
            #expect(bed.ask("PUT", "/chunked-upload/x", [], [])?.status == 404)
        }
    }

    @Test func `if there are too many already`() throws {
        try withChunkBed(uploadsMax: 1) { bed in
            let fields = ["X-Filename: a", "X-Total-Size: 10"]
            #expect(bed.ask("POST", "/chunked-upload", fields, [])?.status == 201)
            #expect(bed.ask("POST", "/chunked-upload", fields, [])?.status == 429)
        }
    }
}
