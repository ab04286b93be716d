// Goal:   whoever asks for the digest of an object is told the best that is known, with every
//         answer that is about the object and with no other, wherever the bytes come from.
// Method: small and large objects, cold, hot, in part and by HEAD; with RFC 9530's own value.

import Catalog
import Simulator
import Testing

@testable import Server

/// RFC 9530 §B.1 and what its digests are.
private let hello = Array("{\"hello\": \"world\"}\n".utf8)
private let helloSHA256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"

private let best = "Want-Repr-Digest: sha-256=10, crc32c=3"

@Suite struct `A download that wants a digest` {
    @Test func `is told the one of RFC 9530`() throws {
        try withDigestBed { bed in
            #expect(try bed.put("hello", hello) == 201)
            for _ in 0..<3 {
                let answer = try #require(bed.get("/hello", [best]))
                #expect(answer.status == 200 && answer.body == hello)
                #expect(answer.reprDigest == helloSHA256.lowercased())
            }
            #expect(DigestField.sha256(hello) == helloSHA256)
        }
    }

    @Test(arguments: [0, 1, 5000, 65_536, 65_537, 700_001])
    func `is told that of the whole with each answer that is about it`(size: Int) throws {
        try withDigestBed { bed in
            let bytes = noise(size, seed: 30)
            #expect(try bed.put("a", bytes) == 201)
            let told = DigestField.crc32c(bytes).lowercased()
            let want = "Want-Repr-Digest: sha-256=0, crc32c=1"
            // The first reads the disk; of small objects the others come from the hot cache.
            for _ in 0..<2 {
                let whole = try #require(bed.get("/a", [want]))
                #expect(whole.status == 200 && whole.body == bytes && whole.reprDigest == told)
                let head = try #require(bed.get("/a", [want], method: "HEAD"))
                #expect(head.status == 200 && head.reprDigest == told)
                #expect(head.fields.sorted() == whole.fields.sorted())
                let tag = try #require(whole.field("etag"))
                let same = try #require(bed.get("/a", [want, "If-None-Match: \(tag)"]))
                #expect(same.status == 304 && same.reprDigest == told)
                let failed = try #require(bed.get("/a", [want, "If-Match: \"x\""]))
                #expect(failed.status == 412 && failed.reprDigest == nil)
                let beyond = try #require(bed.get("/a", [want, "Range: bytes=\(size)-"]))
                #expect(beyond.status == 416 && beyond.reprDigest == nil)
                let silent = try #require(bed.get("/a", []))
                #expect(silent.body == bytes && silent.reprDigest == nil)
                guard size > 100 else { continue }
                let part = try #require(bed.get("/a", [want, "Range: bytes=10-99"]))
                #expect(part.status == 206 && part.body == Array(bytes[10...99]))
                #expect(part.reprDigest == told)
                let several = try #require(bed.get("/a", [want, "Range: bytes=0-1,5-6"]))
                #expect(several.status == 200 && several.reprDigest == told)
            }
            #expect(bed.get("/none", [want])?.reprDigest == nil)
        }
    }

    /// It is a wish: an object goes out without.
    @Test func `is answered where none can be made`() throws {
        try FrontBed.run { bed in
            bed.cache("a", hello)
            let client = bed.connect()
            client.send("GET /a HTTP/1.1\r\nHost: h\r\n\(best)\r\n\r\n")
            client.send("GET /a HTTP/1.1\r\nHost: h\r\nWant-Repr-Digest: crc32c=1\r\n\r\n")
            bed.settle()
            #expect(client.responses.map(\.body) == [hello, hello])
            #expect(client.responses.map(\.status) == [200, 200])
            // What was told when it was put into the cache.
            #expect(client.responses.map(\.reprDigest) == [nil, "crc32c=:aaaacq==:"])
        }
    }

    @Test(arguments: [0, 5000, 65_536])
    func `of a small object is told its SHA-256, from the disk and from memory`(size: Int) throws {
        try withDigestBed { bed in
            let bytes = noise(size, seed: 31)
            let status = try bed.put("a", bytes)
            #expect(status == 201)
            let hits = bed.front.core.assumeIsolated { $0.counters.cacheHits }
            for _ in 0..<2 {
                let answer = bed.get("/a", [best])
                #expect(answer?.reprDigest == DigestField.sha256(bytes).lowercased())
                #expect(answer?.body == bytes)
            }
            #expect(bed.front.core.assumeIsolated { $0.counters.cacheHits } == hits + 1)
        }
    }

    /// Who asks for what nobody has made of a large object makes nobody read it.
    @Test func `of a large object is told its SHA-256 if that is known`() throws {
        try withDigestBed { bed in
            let bytes = noise(300_001, seed: 32)
            let (sha256, crc32c) = (DigestField.sha256(bytes), DigestField.crc32c(bytes))
            #expect(try bed.put("plain", bytes, fields: [])?.status == 201)
            #expect(try bed.put("said", bytes, fields: ["Repr-Digest: \(sha256)"])?.status == 201)
            let want = ["Want-Repr-Digest: sha-256=1"]
            #expect(try bed.put("wanted", bytes, fields: want)?.status == 201)
            let resumable = ["Upload-Complete: ?1", "Repr-Digest: \(sha256)"]
            #expect(try bed.put("resumable", bytes, fields: resumable)?.status == 201)
            #expect(bed.get("/plain", [best])?.reprDigest == crc32c.lowercased())
            #expect(bed.get("/plain", want)?.reprDigest == nil)
            for name in ["said", "wanted", "resumable"] {
                let answer = try #require(bed.get("/\(name)", [best]))
                #expect(answer.reprDigest == sha256.lowercased() && answer.body == bytes)
                let part = try #require(bed.get("/\(name)", [best, "Range: bytes=5-9"]))
                #expect(part.status == 206 && part.reprDigest == sha256.lowercased())
            }
        }
    }

    @Test func `of every large object is told it where all are kept`() throws {
        try withDigestBed(keepsSHA256: true) { bed in
            let bytes = noise(300_001, seed: 33)
            let told = DigestField.sha256(bytes).lowercased()
            #expect(try bed.put("put", bytes) == 201)
            #expect(bed.get("/put", [best])?.reprDigest == told)
            // In two parts, which are read back.
            let created = bed.ask("POST", "/files", ["Upload-Complete: ?0"], Array(bytes[..<9]))
            let location = try #require(created?.field("location"))
            let patch = [
                "Upload-Offset: 9", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ]
            let done = try #require(bed.ask("PATCH", location, patch, Array(bytes[9...])))
            #expect(done.status == 201)
            let path = try #require(done.field("location"))
            #expect(bed.get(path, [best])?.reprDigest == told)
            // As a form, of which nobody knows how long it is.
            let form =
                Array("--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n".utf8)
                + bytes + Array("\r\n--b--\r\n".utf8)
            let type = "Content-Type: multipart/form-data; boundary=b"
            let posted = bed.ask("POST", "/upload", [type], form)
            #expect(posted?.status == 200)
            let url = try #require(posted?.member("url"))
            #expect(bed.get(url, [best])?.reprDigest == told)
        }
    }

    @Test(arguments: ["sha-256=11", "sha-256", "md5=5", "sha-256=0, crc32c=0", ""])
    func `wants nothing that can be told, and is answered as if it wanted none`(
        value: String
    ) throws {
        try withDigestBed { bed in
            let status = try bed.put("a", hello)
            #expect(status == 201)
            for _ in 0..<2 {
                let answer = bed.get("/a", ["Want-Repr-Digest: \(value)"])
                #expect(answer?.status == 200 && answer?.body == hello)
                #expect(answer?.reprDigest == nil)
            }
            // Only the whole has one here.
            let content = bed.get("/a", ["Want-Content-Digest: sha-256=1"])
            #expect(content?.reprDigest == nil && content?.field("content-digest") == nil)
        }
    }
}
