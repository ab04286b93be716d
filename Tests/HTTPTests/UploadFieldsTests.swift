// Goal:   what a resumable upload says is read as draft-ietf-httpbis-resumable-upload has it, what
//         is malformed is both ignored and told, and limits are announced in its syntax.
// Method: rows of field lines; every field's name in every case.

import HTTP
import Testing

private func fields(_ lines: String...) -> UploadFields {
    let spoken = Spoken(lines)
    return UploadFields(spoken.lines, in: spoken.bytes)
}

@Suite struct `The fields of dialects` {
    @Test(arguments: DialectField.allCases)
    func `are found under their names in any case`(field: DialectField) {
        for name in [field.name, field.name.uppercased()] {
            let spoken = Spoken("A: b", "\(name): value", "Z: y")
            #expect(!spoken.lines.isEmpty)
            #expect(!spoken.lines.isRepeated(field))
            for other in DialectField.allCases {
                let slice = spoken.lines[other]
                #expect(slice.isPresent == (other == field))
                if other == field { #expect(spoken.text(slice) == "value") }
            }
        }
    }

    @Test(arguments: DialectField.allCases)
    func `have all their lines in order`(field: DialectField) {
        let spoken = Spoken("\(field.name): 1", "X: 2", "\(field.name):", "\(field.name): 3")
        #expect(spoken.lines.isRepeated(field))
        #expect(spoken.text(spoken.lines[field]) == "1")
        #expect(texts(spoken, field) == ["1", "", "3"])
    }

    @Test func `may have one line, an empty one, or none`() {
        #expect(texts(Spoken("Upload-Metadata: a"), .uploadMetadata) == ["a"])
        #expect(texts(Spoken("Upload-Metadata:"), .uploadMetadata) == [""])
        #expect(texts(Spoken("Upload-Offset: 1"), .uploadMetadata) == [])
    }

    @Test func `are not among other fields`() {
        let names = ["Upload-Lengths", "Xpload-Offset", "Content-Digesu", "X-Filenames", "Digest"]
        #expect(Spoken(names.map { "\($0): 1" }).lines.isEmpty)
        #expect(Spoken().lines.isEmpty)
    }

    private func texts(_ spoken: Spoken, _ field: DialectField) -> [String] {
        var lines = spoken.lines.lines(of: field)
        var texts: [String] = []
        while let line = lines.next(in: spoken.bytes) { texts.append(spoken.text(line)) }
        return texts
    }
}

@Suite struct `A resumable upload` {
    @Test func `says where its content stands`() {
        let spoken = fields(
            "Upload-Complete: ?0", "Upload-Offset: 100;x=1", "Upload-Length: 999999999999999",
            "Upload-Draft-Interop-Version: 8")
        #expect(spoken.isComplete == false)
        #expect(spoken.offset == 100)
        #expect(spoken.length == 999_999_999_999_999)
        #expect(spoken.speaksThisVersion)
        #expect(spoken.fault == nil)
    }

    @Test func `may say nothing`() {
        let spoken = fields("X: y")
        #expect(spoken.isComplete == nil && spoken.offset == nil && spoken.length == nil)
        #expect(!spoken.speaksThisVersion)
        #expect(spoken.fault == nil)
    }

    @Test(
        arguments: [
            (["Upload-Complete: 1"], .malformedUploadComplete),
            (["Upload-Complete: true"], .malformedUploadComplete),
            (["Upload-Complete:"], .malformedUploadComplete),
            (["Upload-Complete: ?1", "Upload-Complete: ?1"], .malformedUploadComplete),
            (["Upload-Offset: -1"], .malformedUploadOffset),
            (["Upload-Offset: +1"], .malformedUploadOffset),
            (["Upload-Offset: -0"], .malformedUploadOffset),
            (["Upload-Offset: 1.0"], .malformedUploadOffset),
            (["Upload-Offset: 1000000000000000"], .malformedUploadOffset),
            (["Upload-Offset: 5", "Upload-Offset: 5"], .malformedUploadOffset),
            (["Upload-Length: 5,5"], .malformedUploadLength),
            (["Upload-Length: \"5\""], .malformedUploadLength),
            (["Upload-Length: 99999999999999999999"], .malformedUploadLength),
            (["Upload-Length: x", "Upload-Complete: x"], .malformedUploadComplete),
        ] as [([String], Refusal)])
    func `ignores what is malformed, and tells`(lines: [String], fault: Refusal) {
        let spoken = Spoken(lines)
        let fields = UploadFields(spoken.lines, in: spoken.bytes)
        #expect(fields.isComplete == nil && fields.offset == nil && fields.length == nil)
        #expect(fields.fault == fault)
        #expect(fault.status == .badRequest)
    }

    @Test(arguments: ["7", "9", "80", "?1", "8.0", "-8", "", "8, 8"])
    func `of another version gets no 104`(version: String) {
        let spoken = fields("Upload-Draft-Interop-Version: \(version)")
        #expect(!spoken.speaksThisVersion && spoken.fault == nil)
    }

    @Test(
        arguments: [
            ([], nil, nil), ([], 5, nil), (["Upload-Length: 9"], nil, 9),
            (["Upload-Length: 9"], 5, 9),
            (["Upload-Complete: ?1"], 5, 5), (["Upload-Complete: ?1"], nil, nil),
            (["Upload-Complete: ?0"], 5, nil), (["Upload-Complete: ?1", "Upload-Offset: 4"], 5, 9),
            (["Upload-Complete: ?1", "Upload-Offset: 4", "Upload-Length: 9"], 5, 9),
            (["Upload-Complete: ?0", "Upload-Offset: 4", "Upload-Length: 99"], 5, 99),
            (["Upload-Complete: ?1", "Upload-Length: 9"], nil, 9),
        ] as [([String], UInt64?, UInt64?)])
    func `has a length`(lines: [String], contentLength: UInt64?, expected: UInt64?) throws {
        let spoken = Spoken(lines)
        let fields = UploadFields(spoken.lines, in: spoken.bytes)
        #expect(try fields.wholeLength(contentLength: contentLength) == expected)
    }

    @Test(
        arguments: [
            (["Upload-Complete: ?1", "Upload-Length: 9"], 5),
            (["Upload-Complete: ?1", "Upload-Offset: 5", "Upload-Length: 9"], 5),
            (["Upload-Complete: ?1", "Upload-Offset: 1"], UInt64.max),
        ] as [([String], UInt64)])
    func `has not two lengths`(lines: [String], contentLength: UInt64) {
        let spoken = Spoken(lines)
        let fields = UploadFields(spoken.lines, in: spoken.bytes)
        #expect(throws: Refusal.inconsistentUploadLength) {
            try fields.wholeLength(contentLength: contentLength)
        }
    }

    @Test func `is told its limits`() throws {
        var limit = UploadLimit()
        #expect(try text(limit) == "")
        limit.maxAge = 60
        #expect(try text(limit) == "Upload-Limit: max-age=60\r\n")
        limit.maxSize = UInt64.max
        limit.minSize = 0
        limit.maxAppendSize = 1 << 23
        limit.minAppendSize = 5
        #expect(
            try text(limit) == "Upload-Limit: max-size=999999999999999, min-size=0, "
                + "max-append-size=8388608, min-append-size=5, max-age=60\r\n")
    }

    @Test func `is told whether it is complete`() throws {
        let bytes = try written { (output) throws(Refusal) in
            output.appendUploadComplete(true)
            output.appendUploadComplete(false)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text == "Upload-Complete: ?1\r\nUpload-Complete: ?0\r\n")
    }

    private func text(_ limit: UploadLimit) throws -> String {
        let bytes = try written { (output) throws(Refusal) in output.appendUploadLimit(limit) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("application/partial-upload", true), ("Application/Partial-Upload; a=b", true),
        ("application/partial-uploads", false), ("application/offset+octet-stream", false),
        ("", false),
    ])
    func `is continued by its own media type`(type: String, isPartial: Bool) {
        #expect(MediaType.isType(MediaType.partialUpload, type.utf8.span) == isPartial)
    }
}
