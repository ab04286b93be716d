// Goal:   what a client says of its bytes is what is published, or nothing is; whichever field says
//         it, at whichever request, and however the bytes come (RFC 9530, the resumable draft).
// Method: uploads with right and wrong values on the simulated disk, of sizes around every limit.

import Catalog
import Simulator
import Store
import Testing

@testable import Server

private let sizes = [0, 3, 4096, 65_536, 65_537, 300_001, 2_000_000]

@Suite struct `A PUT that says its digest` {
    @Test(arguments: sizes, ["Content-Digest", "Repr-Digest"])
    func `is taken if its bytes have it, and told the one that it wants`(
        size: Int, field: String
    ) throws {
        try withDigestBed { bed in
            let bytes = noise(size, seed: UInt64(size))
            let (sha256, crc32c) = (DigestField.sha256(bytes), DigestField.crc32c(bytes))
            let said = "\(field): \(sha256), \(crc32c), sha-512=:Zg==:"
            let first = try bed.put("a", bytes, fields: [said, "Want-Repr-Digest: crc32c=2"])
            #expect(first?.status == 201)
            #expect(first?.reprDigest == crc32c.lowercased())
            let other = try bed.put("b", bytes, fields: ["Want-Repr-Digest: sha-256=2, crc32c=1"])
            #expect(other?.status == 201)
            #expect(other?.reprDigest == sha256.lowercased())
            let silent = try bed.put("c", bytes, fields: [said])
            #expect(silent?.status == 201 && silent?.reprDigest == nil)
            #expect(bed.object("/a") == bytes && bed.object("/b") == bytes)
            #expect(bed.mismatches == 0)
        }
    }

    @Test(arguments: sizes, ["Content-Digest", "Repr-Digest"])
    func `is refused if not, and nothing of it is left`(size: Int, field: String) throws {
        try withDigestBed { bed in
            let before = try bed.largeBytesAtRest()
            let bytes = noise(size, seed: 3)
            let wrong = noise(size + 1, seed: 4)
            for value in [
                DigestField.sha256(wrong), DigestField.crc32c(wrong),
                DigestField.sha256(bytes) + ", " + DigestField.crc32c(wrong),
                DigestField.crc32c(bytes) + ", " + DigestField.sha256(wrong),
            ] {
                let answer = try #require(try bed.put("a", bytes, fields: ["\(field): \(value)"]))
                #expect(answer.status == 400)
                #expect(answer.field("content-type") == "application/problem+json")
                #expect(answer.text.contains("#digest-mismatching-values\""))
                #expect(answer.text.contains("\"header\":\"\(field)\""))
                let isSHA256 = value.contains(DigestField.sha256(wrong))
                let algorithm = isSHA256 ? "sha-256" : "crc32c"
                #expect(answer.text.contains("\"algorithm\":\"\(algorithm)\""))
                #expect(bed.object("/a") == nil)
                // Nor is there anything to go on with.
                let target = try bed.target("a", size)
                #expect(bed.get(target, [], method: "HEAD")?.status == 404)
            }
            #expect(bed.mismatches == 4)
            #expect(try bed.largeBytesUsed() == before)
            #expect(try bed.put("a", bytes, fields: [])?.status == 201)
        }
    }

    @Test(arguments: [
        ["Repr-Digest: sha-256=1"], ["Content-Digest: crc32c=:AAAA:"], ["Content-Digest: sha-256"],
        // Two that cannot both be right.
        ["Content-Digest: crc32c=:AAAAAA==:", "Repr-Digest: crc32c=:AAAAAQ==:"],
    ])
    func `says it in a way that makes sense`(fields: [String]) throws {
        try withDigestBed { bed in
            let answer = try bed.put("a", [1, 2, 3], fields: fields)
            #expect(answer?.status == 400)
            #expect(answer?.text.contains("about:blank") == true)
            #expect(bed.object("/a") == nil && bed.mismatches == 0)
        }
    }

    @Test func `may say what is not known here, and want nothing that is`() throws {
        try withDigestBed { bed in
            let fields = [
                "Content-Digest: sha-512=:Zg==:, md5=1", "Repr-Digest: id-sha-256=:AA==:",
                "Want-Repr-Digest: sha-512=3", "Want-Content-Digest: sha-256=1",
            ]
            let answer = try bed.put("a", [1, 2, 3], fields: fields)
            #expect(answer?.status == 201 && answer?.reprDigest == nil)
            // Malformed, it is no wish.
            let odd = try bed.put("b", [1], fields: ["Want-Repr-Digest: sha-256=11"])
            #expect(odd?.status == 201 && odd?.reprDigest == nil)
            #expect(odd?.field("content-digest") == nil)
        }
    }

    /// RFC 9530 §3: of the representation data, which has its content coding.
    @Test func `says it of the bytes as they are sent, coded or not`() throws {
        try withDigestBed { bed in
            let bytes = noise(5000, seed: 6)
            let answer = try bed.put(
                "a", bytes,
                fields: [
                    "Content-Encoding: gzip", "Content-Digest: \(DigestField.sha256(bytes))",
                    "Repr-Digest: \(DigestField.sha256(bytes))",
                ])
            #expect(answer?.status == 201 && bed.object("/a") == bytes)
        }
    }

    @Test(arguments: [0, 3, 65_536, 65_537, 300_001])
    func `to a name that is taken is held to it as well`(size: Int) throws {
        try withDigestBed { bed in
            let bytes = noise(size, seed: 8)
            #expect(try bed.put("a", bytes, fields: [])?.status == 201)
            let right = "Content-Digest: \(DigestField.sha256(bytes)), \(DigestField.crc32c(bytes))"
            let again = try bed.put("a", bytes, fields: [right, "Want-Repr-Digest: sha-256=1"])
            #expect(again?.status == 201)
            #expect(again?.reprDigest == DigestField.sha256(bytes).lowercased())
            for value in [DigestField.sha256([1, 2]), DigestField.crc32c([1, 2])] {
                let answer = try bed.put("a", bytes, fields: ["Repr-Digest: \(value)"])
                #expect(answer?.status == 400)
                #expect(answer?.text.contains("#digest-mismatching-values") == true)
            }
            #expect(bed.object("/a") == bytes && bed.mismatches == 2)
            guard size > 0 else { return }
            let other = noise(size, seed: 9)
            let conflict = try bed.put(
                "a", other, fields: ["Repr-Digest: \(DigestField.sha256(other))"])
            #expect(conflict?.status == 409)
        }
    }

    @Test(arguments: ["Content-Digest", "Repr-Digest"], [true, false])
    func `and breaks off is held to it by who brings the rest`(field: String, isSHA: Bool) throws {
        try withDigestBed { bed in
            let before = try bed.largeBytesAtRest()
            let bytes = noise(400_000, seed: 10)
            let value = { isSHA ? DigestField.sha256($0) : DigestField.crc32c($0) }
            for (name, isRight) in [("right", true), ("wrong", false)] {
                let said = "\(field): \(value(isRight ? bytes : [1]))"
                try bed.breakOff(name, bytes, sent: 250_000, fields: [said])
                let target = try bed.target(name, bytes.count)
                let state = try #require(bed.get(target, [], method: "HEAD"))
                #expect(state.status == 204)
                let offset = try #require(state.field("upload-offset").flatMap { Int($0) })
                #expect(offset > 0)
                let patch = [
                    "Upload-Offset: \(offset)", "Upload-Complete: ?1",
                    "Content-Type: application/partial-upload",
                ]
                let done = try #require(
                    bed.ask("PATCH", target, patch, Array(bytes[offset...])))
                #expect(done.status == (isRight ? 201 : 400))
                #expect(bed.object("/\(name)") == (isRight ? bytes : nil))
                guard !isRight else { continue }
                #expect(done.text.contains("#digest-mismatching-values"))
                #expect(bed.get(target, [], method: "HEAD")?.status == 404)
            }
            #expect(bed.mismatches == 1)
            #expect(try bed.largeBytesUsed() == before + 98 * 4096)
        }
    }
}

/// An upload in parts at /files.
private struct PartialUpload {
    let bed: StoredBed
    let location: String

    init(_ bed: StoredBed, _ fields: [String], _ first: [UInt8]) throws {
        let answer = try #require(
            bed.ask("POST", "/files", ["Upload-Complete: ?0"] + fields, first))
        #expect(answer.status == 201)
        self.bed = bed
        location = try #require(answer.field("location"))
    }

    func append(
        _ bytes: [UInt8], at offset: Int, _ fields: [String] = [], isLast: Bool = false
    ) throws -> Response {
        let all = [
            "Upload-Offset: \(offset)", "Upload-Complete: ?\(isLast ? 1 : 0)",
            "Content-Type: application/partial-upload",
        ]
        return try #require(bed.ask("PATCH", location, all + fields, bytes))
    }

    func offset() -> Int? {
        bed.ask("HEAD", location)?.field("upload-offset").flatMap { Int($0) }
    }
}

@Suite struct `An upload in parts that says its digest` {
    @Test(arguments: [10, 65_536, 65_537, 300_001], [true, false])
    func `at the beginning is published if its bytes have it`(size: Int, isSHA: Bool) throws {
        try withDigestBed { bed in
            let before = try bed.largeBytesAtRest()
            let bytes = noise(size, seed: 20)
            let value = isSHA ? DigestField.sha256 : DigestField.crc32c
            for isRight in [true, false] {
                let upload = try PartialUpload(
                    bed, ["Repr-Digest: \(value(isRight ? bytes : [1]))"],
                    Array(bytes[..<(size / 3)]))
                let middle = try upload.append(Array(bytes[(size / 3)..<(size / 2)]), at: size / 3)
                #expect(middle.status == 204)
                let last = try upload.append(
                    Array(bytes[(size / 2)...]), at: size / 2, isLast: true)
                #expect(last.status == (isRight ? 201 : 400))
                if isRight {
                    let path = try #require(last.field("location"))
                    #expect(bed.object(path) == bytes)
                } else {
                    #expect(last.text.contains("#digest-mismatching-values"))
                    #expect(last.text.contains("\"header\":\"Repr-Digest\""))
                    #expect(bed.ask("HEAD", upload.location)?.status == 404)
                }
            }
            #expect(bed.mismatches == 1)
            let blocks = size > 65_536 ? (size + 4095) / 4096 : 0
            #expect(try bed.largeBytesUsed() == before + UInt64(blocks * 4096))
        }
    }

    @Test(arguments: [10, 300_001])
    func `with its last part is held to it, and told what it wants`(size: Int) throws {
        try withDigestBed { bed in
            let bytes = noise(size, seed: 21)
            let (sha256, crc32c) = (DigestField.sha256(bytes), DigestField.crc32c(bytes))
            for (said, wanted, told) in [
                (sha256, "crc32c=1", crc32c), (crc32c, "sha-256=1, crc32c=1", sha256),
                ("md5=:AA==:", "sha-512=9", nil), (DigestField.sha256([1]), "crc32c=1", nil),
            ] {
                let upload = try PartialUpload(bed, [], Array(bytes[..<7]))
                let last = try upload.append(
                    Array(bytes[7...]), at: 7,
                    ["Repr-Digest: \(said)", "Want-Repr-Digest: \(wanted)"], isLast: true)
                let isWrong = said == DigestField.sha256([1])
                #expect(last.status == (isWrong ? 400 : 201))
                #expect(last.reprDigest == told?.lowercased())
            }
        }
    }

    @Test func `says one, and stays as it was when it is told another`() throws {
        try withDigestBed { bed in
            let bytes = noise(100_000, seed: 22)
            let said = "Repr-Digest: \(DigestField.sha256(bytes))"
            let upload = try PartialUpload(bed, [said], Array(bytes[..<10]))
            let other = try upload.append(
                Array(bytes[10...]), at: 10, ["Repr-Digest: \(DigestField.sha256([1]))"],
                isLast: true)
            #expect(other.status == 400 && other.text.contains("another digest"))
            let odd = try upload.append(
                Array(bytes[10...]), at: 10, ["Repr-Digest: sha-256=1"], isLast: true)
            #expect(odd.status == 400)
            #expect(upload.offset() == 10 && bed.mismatches == 0)
            // Of a part in between it would be of nothing that is kept: it is not looked at.
            let part = try upload.append(
                Array(bytes[10..<20]), at: 10, ["Repr-Digest: \(DigestField.sha256([1]))"])
            #expect(part.status == 204)
            let both = [said, "Repr-Digest: \(DigestField.crc32c(bytes))"]
            let last = try upload.append(Array(bytes[20...]), at: 20, both, isLast: true)
            #expect(last.status == 201)
        }
    }

    @Test func `makes no sense, and nothing begins`() throws {
        try withDigestBed { bed in
            for field in ["Repr-Digest: crc32c=1", "Content-Digest: sha-256=:AA==:"] {
                let answer = bed.ask("POST", "/files", ["Upload-Complete: ?0", field], [1])
                #expect(answer?.status == 400)
            }
            #expect(bed.shared.unfinishedUploads == 0)
        }
    }

    /// The digest of the content was made while that came: nothing is read for that of the whole.
    @Test(arguments: [true, false])
    func `and comes in one is not read again`(tellsContent: Bool) throws {
        try withDigestBed { bed in
            let bytes = noise(500_000, seed: 23)
            let value = DigestField.sha256(bytes)
            let fields = ["Upload-Complete: ?1", "Repr-Digest: \(value)"]
            let more = tellsContent ? ["Content-Digest: \(value)"] : []
            let reads = bed.disk.plan.counts[.read, default: 0]
            let answer = bed.ask("POST", "/files", fields + more, bytes)
            #expect(answer?.status == 201)
            #expect(bed.disk.plan.counts[.read, default: 0] == reads)
            let wrong = ["Upload-Complete: ?1", "Repr-Digest: \(DigestField.sha256([1]))"]
            #expect(bed.ask("POST", "/files", wrong, bytes)?.status == 400)
            #expect(bed.shared.unfinishedUploads == 0)
        }
    }

    @Test func `on a signed URL, too`() throws {
        try withDigestBed { bed in
            let bytes = noise(100_000, seed: 24)
            for (name, said) in [("right", bytes), ("wrong", [1])] {
                let fields = ["Upload-Complete: ?1", "Repr-Digest: \(DigestField.crc32c(said))"]
                let answer = try bed.put(name, bytes, fields: fields)
                #expect(answer?.status == (name == "right" ? 201 : 400))
                #expect(bed.object("/\(name)") == (name == "right" ? bytes : nil))
            }
        }
    }

    @Test func `by tus is held to it at its end`() throws {
        try withDigestBed { bed in
            let bytes = noise(100_000, seed: 25)
            let tus = "Tus-Resumable: 1.0.0"
            for isRight in [true, false] {
                let said = "Repr-Digest: \(DigestField.sha256(isRight ? bytes : [1]))"
                let created = bed.ask(
                    "POST", "/files", [tus, "Upload-Length: \(bytes.count)", said], [])
                let location = try #require(created?.field("location"))
                for (start, end, status) in [
                    (0, 50_001, 204), (50_001, 100_000, isRight ? 204 : 400),
                ] {
                    let patch = [
                        tus, "Upload-Offset: \(start)",
                        "Content-Type: application/offset+octet-stream",
                    ]
                    let answer = bed.ask("PATCH", location, patch, Array(bytes[start..<end]))
                    #expect(answer?.status == status)
                    #expect(answer?.field("tus-resumable") == "1.0.0")
                }
                #expect(bed.ask("HEAD", location, [tus])?.status == (isRight ? 200 : 404))
            }
            let odd = bed.ask(
                "POST", "/files", [tus, "Upload-Length: 5", "Repr-Digest: sha-256=1"], [])
            #expect(odd?.status == 400)
        }
    }

    /// Which of the two is compared is the dialect's to say, not the fields'.
    @Test func `by tus is told so in its own words, whatever else the request says`() throws {
        try withDigestBed { bed in
            let tus = "Tus-Resumable: 1.0.0"
            let created = bed.ask("POST", "/files", [tus, "Upload-Length: 3"], [])
            let location = try #require(created?.field("location"))
            let patch = [
                tus, "Upload-Offset: 0", "Content-Type: application/offset+octet-stream",
                "Content-Digest: \(DigestField.sha256(Array("abc".utf8)))",
            ]
            let wrong = bed.ask(
                "PATCH", location, patch + ["Upload-Checksum: crc32c AAAAAA=="],
                Array("abc".utf8))
            #expect(wrong?.status == 460)
            #expect(wrong?.field("tus-resumable") == "1.0.0")
            #expect(bed.mismatches == 1)
            let right = bed.ask(
                "PATCH", location, patch + ["Upload-Checksum: crc32c Nks/tw=="],
                Array("abc".utf8))
            #expect(right?.status == 204)
        }
    }
}
