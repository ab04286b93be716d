// Goal:   a tus 1.0.0 request is read as its protocol has it, and everything else is refused by its
//         own name.
// Method: rows of field lines; metadata written back as HEAD repeats it.

import HTTP
import Testing

private func fields(_ lines: [String], limits: Limits = Limits()) throws(Refusal) -> TusFields {
    let spoken = Spoken(["Tus-Resumable: 1.0.0"] + lines)
    return try TusFields(spoken.lines, spoken.head, in: spoken.bytes, limits: limits)
}

private func fields(_ lines: String...) throws(Refusal) -> TusFields { try fields(lines) }

@Suite struct `A tus request` {
    @Test func `says what its upload is`() throws {
        let read = try fields("Upload-Length: 18446744073709551615", "Upload-Offset: 0")
        #expect(read.version == .supported)
        #expect(read.length == UInt64.max && read.offset == 0)
        #expect(!read.isLengthDeferred && read.checksum == nil)
        #expect(read.concatenation == .none && read.method == nil)
        let later = try fields("Upload-Defer-Length: 1")
        #expect(later.length == nil && later.isLengthDeferred)
    }

    @Test(
        arguments: [
            (["Upload-Length: -1"], .malformedUploadLength),
            (["Upload-Length: "], .malformedUploadLength),
            (["Upload-Length: 1e3"], .malformedUploadLength),
            (["Upload-Length: 18446744073709551616"], .malformedUploadLength),
            (["Upload-Length: 5;a=1"], .malformedUploadLength),
            (["Upload-Length: 5", "Upload-Length: 5"], .repeatedField),
            (["Upload-Offset: +5"], .malformedUploadOffset),
            (["Upload-Offset: 0x5"], .malformedUploadOffset),
            (["Upload-Offset: 5", "Upload-Offset: 6"], .repeatedField),
            (["Upload-Defer-Length: 0"], .malformedDeferLength),
            (["Upload-Defer-Length: 01"], .malformedDeferLength),
            (["Upload-Defer-Length: true"], .malformedDeferLength),
            (["Upload-Defer-Length:"], .malformedDeferLength),
            (["Upload-Defer-Length: 1", "Upload-Defer-Length: 1"], .repeatedField),
            (["Upload-Defer-Length: 1", "Upload-Length: 5"], .lengthAndDeferral),
            (["Tus-Resumable: 1.0.0"], .repeatedField),
            (["X-HTTP-Method-Override: GET", "X-HTTP-Method-Override: PUT"], .repeatedField),
        ] as [([String], Refusal)])
    func `is refused for its faults`(lines: [String], refusal: Refusal) {
        #expect(throws: refusal) { try fields(lines) }
        #expect(refusal.status == .badRequest)
    }

    @Test func `of another version is not looked at`() throws {
        for (lines, version) in [
            (["Tus-Resumable: 1.0.1"], TusFields.Version.other),
            (["Tus-Resumable: 0.2.2"], .other), (["Tus-Resumable:"], .other), ([], .none),
        ] {
            let spoken = Spoken(
                lines + [
                    "Upload-Length: x", "Upload-Checksum: x", "Upload-Concat: x",
                    "Upload-Metadata: ,,x y z", "Upload-Defer-Length: 7", "Upload-Offset: x",
                ])
            let read = try TusFields(spoken.lines, spoken.head, in: spoken.bytes, limits: Limits())
            #expect(read.version == version)
            #expect(read.length == nil && read.offset == nil && read.checksum == nil)
            #expect(!read.isLengthDeferred && read.concatenation == .none)
        }
    }

    @Test(
        arguments: [
            ("PATCH", .patch), ("DELETE", .delete), ("HEAD", .head), ("POST", .post), ("GET", .get),
            ("PUT", .put), ("OPTIONS", .options), ("patch", .other), ("CONNECT", .other),
            ("", .other), ("PROPPATCH", .other),
        ] as [(String, RequestHead.Method)])
    func `may be meant as another method`(name: String, method: RequestHead.Method) throws {
        #expect(try fields("X-HTTP-Method-Override: \(name)").method == method)
    }

    @Test func `has the checksum of its content`() throws {
        let sha1 = try fields("Upload-Checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").checksum
        #expect(sha1?.algorithm == .sha1)
        let crc = try fields("Upload-Checksum: crc32c yZRlqg==").checksum
        #expect(crc?.crc32c == 0xc994_65aa)
        let sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        #expect(try fields("Upload-Checksum: sha256 \(sha256)").checksum?.algorithm == .sha256)
        #expect(
            TusFields.checksumAlgorithms.split(separator: ",").count
                == DigestAlgorithm.allCases.count)
        for algorithm in DigestAlgorithm.allCases {
            #expect(TusFields.checksumAlgorithms.contains(algorithm.tusName))
        }
    }

    @Test(
        arguments: [
            ("md5 Kq5sNclPz7QV2+lfQIuc6Q==", .unknownChecksumAlgorithm),
            ("SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", .unknownChecksumAlgorithm),
            ("sha-256 x", .unknownChecksumAlgorithm), ("sha1", .malformedChecksum),
            ("sha1 ", .malformedChecksum), ("", .malformedChecksum), (" ", .malformedChecksum),
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0", .malformedChecksum),
            ("sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=", .malformedChecksum),
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu1=", .malformedChecksum),
            ("sha1 yZRlqg==", .malformedChecksum), ("crc32c yZRlqg== x", .malformedChecksum),
            ("crc32c\tyZRlqg==", .malformedChecksum), ("crc32c,yZRlqg==", .malformedChecksum),
            ("crc32c c99465aa", .malformedChecksum), (";sha1 x", .malformedChecksum),
        ] as [(String, Refusal)])
    func `is refused for its checksum`(value: String, refusal: Refusal) {
        #expect(throws: refusal) { try fields("Upload-Checksum: \(value)") }
        #expect(refusal.status == .badRequest)
    }

    @Test func `has a checksum once`() {
        #expect(throws: Refusal.repeatedField) {
            try fields("Upload-Checksum: crc32c yZRlqg==", "Upload-Checksum: crc32c yZRlqg==")
        }
    }

    @Test(arguments: [
        (MediaType.offsetStream, "application/offset+octet-stream", true),
        (MediaType.offsetStream, "application/octet-stream", false),
    ])
    func `has content of its own type`(type: String, value: String, isEqual: Bool) {
        #expect(MediaType.isType(type, value.utf8.span) == isEqual)
    }
}

@Suite struct `tus metadata` {
    @Test(arguments: [
        (["filename d29ybGQucGRm,is_confidential"], "filename d29ybGQucGRm,is_confidential"),
        (["a YQ==", "b,c  "], "a YQ==,b,c"), (["a YQ== ,\tb YQ==,, ,"], "a YQ==,b YQ=="),
        ([""], ""), ([], ""), (["a", ""], "a"), (["a "], "a"), (["{\"=;} YQ=="], "{\"=;} YQ=="),
    ])
    func `is repeated on one line`(lines: [String], expected: String) throws {
        let spoken = Spoken(lines.map { "Upload-Metadata: \($0)" } + ["Tus-Resumable: 1.0.0"])
        _ = try TusFields(spoken.lines, spoken.head, in: spoken.bytes, limits: Limits())
        let text = try written { (output) throws(Refusal) in
            try output.append(TusMetadata(spoken.lines), in: spoken.bytes)
        }
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test func `is found by its key`() throws {
        let spoken = Spoken("Upload-Metadata: a YQ==,empty", "Upload-Metadata: path Yi9j")
        func value(_ key: String) throws -> String? {
            try TusMetadata.value(of: key, spoken.lines, in: spoken.bytes).map(spoken.text)
        }
        #expect(try value("a") == "YQ==")
        #expect(try value("path") == "Yi9j")
        #expect(try value("empty") == "")
        #expect(try value("PATH") == nil)
    }

    @Test(arguments: [
        ["a YQ==,a Yg=="], ["a", "b", "a"], ["a YQ"], ["a  YQ=="], ["a YQ== x"], ["a YR=="],
        ["a\tYQ=="], ["\u{e9} YQ=="], ["a \u{e9}"], ["a Y Q=="], ["a YQ==;b YQ=="], ["a YQ==,b x"],
    ])
    func `is refused`(lines: [String]) {
        #expect(throws: Refusal.malformedMetadata) {
            try fields(lines.map { "Upload-Metadata: \($0)" })
        }
    }

    @Test func `has bounded pairs and bytes`() throws {
        var limits = Limits()
        let most = (0..<limits.metadataPairs).map { "k\($0)" }.joined(separator: ",")
        _ = try fields(["Upload-Metadata: \(most)"])
        #expect(throws: Refusal.metadataTooLarge) { try fields(["Upload-Metadata: \(most),x"]) }
        limits.metadataBytes = 10
        _ = try fields(["Upload-Metadata: abcdef YQ=="], limits: limits)
        #expect(throws: Refusal.metadataTooLarge) {
            try fields(["Upload-Metadata: abcdefg YQ=="], limits: limits)
        }
        #expect(throws: Refusal.metadataTooLarge) {
            try fields(["Upload-Metadata: a YQ==", "Upload-Metadata: b YQ==,c"], limits: limits)
        }
        #expect(Refusal.metadataTooLarge.status == .contentTooLarge)
    }
}

@Suite struct `tus concatenation` {
    private func paths(_ value: String) throws(Refusal) -> [String]? {
        let spoken = Spoken("Tus-Resumable: 1.0.0", "Upload-Concat: \(value)")
        let read = try TusFields(spoken.lines, spoken.head, in: spoken.bytes, limits: Limits())
        guard case .final(let list) = read.concatenation else { return nil }
        var uploads = ConcatenatedUploads(list, host: spoken.head.host)
        var paths: [String] = []
        while let path = try uploads.next(in: spoken.bytes) { paths.append(spoken.text(path)) }
        return paths
    }

    @Test func `is of parts`() throws {
        #expect(try fields("Upload-Concat: partial").concatenation == .partial)
        #expect(try paths("partial") == nil)
    }

    @Test(arguments: [
        ("final;/files/a", ["/files/a"]), ("final;/files/a /files/b", ["/files/a", "/files/b"]),
        ("final; /a   /b", ["/a", "/b"]), ("final;/a /a", ["/a", "/a"]),
        ("final;http://example.org:8080/files/a /b", ["/files/a", "/b"]),
        ("final;HTTPS://EXAMPLE.ORG:8080/files/a%20b", ["/files/a%20b"]),
        ("final;/files/a?v=1&w=/x /b", ["/files/a", "/b"]),
    ])
    func `is final with these uploads`(value: String, expected: [String]) throws {
        #expect(try paths(value) == expected)
    }

    @Test(
        arguments: [
            ("final", .malformedConcatenation), ("final;", .malformedConcatenation),
            ("final; ", .malformedConcatenation), ("Partial", .malformedConcatenation),
            ("partial;", .malformedConcatenation), ("", .malformedConcatenation),
            ("final:/a", .malformedConcatenation), ("final;a", .malformedConcatenation),
            ("final;/", .malformedConcatenation),
            ("final;//example.org/a", .malformedConcatenation),
            ("final;/?a", .malformedConcatenation), ("final;/a#b", .malformedConcatenation),
            ("final;/a?b#c", .malformedConcatenation), ("final;/a\u{e9}", .malformedConcatenation),
            ("final;/a\t/b", .malformedConcatenation), ("final;/a ../b", .malformedConcatenation),
            ("final;ftp://example.org:8080/a", .malformedConcatenation),
            ("final;http:///a", .malformedConcatenation),
            ("final;http://example.org:8080", .malformedConcatenation),
            ("final;http://example.org:8080/", .malformedConcatenation),
            ("final;http://example.org/a", .foreignUpload),
            ("final;/a http://example.com:8080/b", .foreignUpload),
            ("final;http://u@example.org:8080/b", .foreignUpload),
        ] as [(String, Refusal)])
    func `is refused`(value: String, refusal: Refusal) {
        #expect(throws: refusal) { try paths(value) }
        #expect(refusal.status == .badRequest)
    }

    @Test func `is of a bounded number of uploads`() throws {
        let limits = Limits()
        let most = Array(repeating: "/a", count: limits.concatenatedUploads)
        #expect(try paths("final;" + most.joined(separator: " "))?.count == most.count)
        #expect(throws: Refusal.tooManyConcatenated) {
            try paths("final;" + (most + ["/a"]).joined(separator: " "))
        }
        #expect(throws: Refusal.repeatedField) {
            try fields("Upload-Concat: partial", "Upload-Concat: partial")
        }
        #expect(Refusal.tooManyConcatenated.status == .contentTooLarge)
    }
}

@Suite struct `A numbered chunk` {
    private func read(_ lines: String...) throws(Refusal) -> (NumberedChunkFields, Spoken) {
        let spoken = Spoken(lines)
        return (
            try NumberedChunkFields(spoken.lines, in: spoken.bytes, limits: Limits()), spoken
        )
    }

    @Test func `says what it is`() throws {
        let (begin, spoken) = try read("X-Filename: a b\u{e9}.jpg", "X-Total-Size: 5")
        #expect(begin.fileName.map(spoken.text) == "a b\u{e9}.jpg")
        #expect(begin.totalSize == 5 && begin.sessionID == nil && begin.chunkNumber == nil)
        let (chunk, other) = try read("X-Upload-Session-ID: abc", "X-Chunk-Number: 0")
        #expect(chunk.sessionID.map(other.text) == "abc")
        #expect(chunk.chunkNumber == 0 && chunk.fileName == nil && chunk.totalSize == nil)
    }

    @Test(
        arguments: [
            ("X-Filename: ../a", .malformedFileName), ("X-Filename:", .malformedFileName),
            ("X-Filename: a/b", .malformedFileName), ("X-Total-Size: -1", .malformedTotalSize),
            ("X-Total-Size:", .malformedTotalSize), ("X-Chunk-Number: 1.5", .malformedChunkNumber),
            ("X-Chunk-Number: 99999999999999999999", .malformedChunkNumber),
        ] as [(String, Refusal)])
    func `is refused for its faults`(line: String, refusal: Refusal) {
        #expect(throws: refusal) { try read(line) }
        #expect(throws: Refusal.repeatedField) {
            try read("X-Chunk-Number: 1", "X-Chunk-Number: 1")
        }
    }
}
