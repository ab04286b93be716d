// Goal:   a form is read the same however it arrives, its one file is found, and what makes it no
//         upload is named.

import HTTP
import IO
import Testing

@testable import Server

/// What became of a form.
private struct Outcome: Equatable {
    var fileName: String?
    var path: [UInt8]?
    var data: [UInt8] = []
    var isWhole = false
    var fault: UploadForm.Fault?
}

@Suite struct `A form as an upload` {
    private static let head = "--b\r\nContent-Disposition: form-data; name="

    private static func form(_ fields: [(name: String, file: String?, data: String)]) -> [UInt8] {
        var text = ""
        for field in fields {
            let file = field.file.map { "; filename=\"\($0)\"" } ?? ""
            text += head + "\"\(field.name)\"\(file)\r\n\r\n\(field.data)\r\n"
        }
        return Array((text + "--b--\r\n").utf8)
    }

    private static func read(
        _ pieces: [[UInt8]], _ limits: HTTP.Limits = HTTP.Limits()
    ) throws -> Outcome {
        let type = Array("multipart/form-data; boundary=b".utf8)
        let boundary = try FormBoundary(contentType: type.span, limits: limits)
        var form = UploadForm(boundary, limits: limits)
        var outcome = Outcome()
        var kept: [UInt8] = []
        for piece in pieces {
            kept += piece
            do throws(UploadForm.Fault) {
                kept = try feed(&form, kept, &outcome)
            } catch {
                outcome.fault = error
                return outcome
            }
        }
        return outcome
    }

    /// Answers what is to be seen again.
    private static func feed(
        _ form: inout UploadForm, _ input: [UInt8], _ outcome: inout Outcome
    ) throws(UploadForm.Fault) -> [UInt8] {
        var start = 0
        while !outcome.isWhole {
            var position = 0
            let rest = Array(input[start...])
            let step = try form.next(in: rest.span, at: &position)
            start += position
            switch step {
            case .file(let part):
                outcome.fileName = part.fileName.map { String(decoding: $0, as: UTF8.self) }
                outcome.path = form.path
            case .data(let range):
                #expect(form.isInFile && range.lowerBound == 0)
                outcome.data += rest[range]
            case .needsMore:
                #expect(input.count - start <= form.carryBytesMax)
                return Array(input[start...])
            case .end: outcome.isWhole = true
            }
        }
        return []
    }

    @Test func `is the same wherever it is cut`() throws {
        let bytes = Self.form([
            ("path", nil, "a/b"), ("note", nil, "x\r\n--c"), ("file", "f.txt", "\r\n--\r\n--c\r\n"),
            ("more", nil, ""),
        ])
        let whole = Outcome(
            fileName: "f.txt", path: Array("a/b".utf8), data: Array("\r\n--\r\n--c\r\n".utf8),
            isWhole: true)
        #expect(try Self.read([bytes]) == whole)
        #expect(try Self.read(bytes.map { [$0] }) == whole)
        for cut in 1..<bytes.count {
            #expect(try Self.read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
        }
    }

    @Test func `is not whole before its last boundary is`() throws {
        let bytes = Self.form([("file", "f", "data")])
        for count in 0..<bytes.count - 2 {
            let outcome = try Self.read([Array(bytes[..<count])])
            #expect(!outcome.isWhole && outcome.fault == nil, "after \(count) bytes")
        }
    }

    @Test func `takes the first part with a file's name, whatever its field is called`() throws {
        let bytes = Self.form([("file", nil, "no"), ("other", "f", "yes")])
        #expect(try Self.read([bytes]).data == Array("yes".utf8))
    }

    @Test func `names no place with an empty path`() throws {
        let outcome = try Self.read([Self.form([("path", nil, ""), ("file", "f", "")])])
        #expect(outcome.isWhole && outcome.path == nil && outcome.data == [])
    }

    @Test(
        arguments: [
            ([("a", nil, "b")], .noFile), ([], .noFile),
            ([("file", "f", ""), ("file", "g", "")], .severalFiles),
            ([("file", "f", ""), ("path", nil, "a")], .pathBehindFile),
            ([("path", nil, "a"), ("path", nil, "a")], .refused(.repeatedField)),
            ([("path", nil, String(repeating: "a", count: 481))], .refused(.pathTooLong)),
            (
                [("a", nil, String(repeating: "a", count: 999)), ("b", nil, "cc")],
                .tooLong(limit: 1000)
            ),
        ] as [([(name: String, file: String?, data: String)], UploadForm.Fault)])
    func `is refused`(
        fields: [(name: String, file: String?, data: String)], fault: UploadForm.Fault
    ) throws {
        var limits = HTTP.Limits()
        limits.formFieldBytes = 1000
        let bytes = fields.isEmpty ? Array("--b--\r\n".utf8) : Self.form(fields)
        #expect(try Self.read([bytes], limits).fault == fault)
        #expect(try Self.read(bytes.map { [$0] }, limits).fault == fault)
    }

    @Test func `that is broken is refused for that`() throws {
        let outcome = try Self.read([Array("--b\r\nA: b\r\n\r\n".utf8)])
        #expect(outcome.fault == .refused(.malformedDisposition))
    }
}

@Suite struct `A form's buffer` {
    private func buffer(_ count: UInt32) -> FormBuffer {
        FormBuffer(
            BufferLease(attaching: Region(offset: 1 << 20, count: count)), carryBytesMax: 73,
            unitBytes: 64 << 10)
    }

    @Test func `writes whole units, with room for a boundary's start behind them`() {
        #expect(buffer(1 << 20).writeBytes == 960 << 10)
        #expect(buffer(128 << 10).writeBytes == 64 << 10)
        #expect(buffer(1 << 20).free(countMax: 1 << 20).count == (960 << 10) + 73)
        // All that is to come fits in.
        #expect(buffer(1024).free(countMax: 4096).count == 1024)
    }

    @Test func `hands on what it cannot write`() {
        var first = buffer(128 << 10)
        first.received(100)
        first.read(90)
        first.dropRead()
        #expect(first.unread == first.region.part(from: 0, count: 10))
        first.received(64 << 10)
        // The last four bytes may be a boundary's.
        first.readData((64 << 10) + 6)
        #expect(first.isFull && first.unread.count == 4)
        #expect(first.rest(behindData: 64 << 10).count == 10)
        var second = buffer(128 << 10)
        second.takeOver(first, behindData: 64 << 10)
        #expect(second.dataEnd == 6 && second.unread == second.region.part(from: 6, count: 4))
    }

    @Test func `hands on what is unread behind a file's end`() {
        var first = buffer(4096)
        first.received(100)
        first.readData(50)
        first.read(40)
        #expect(first.rest(behindData: 50) == first.region.part(from: 90, count: 10))
        var second = buffer(4096)
        second.takeOver(first, behindData: 50)
        #expect(second.dataEnd == 0 && second.unread == second.region.part(from: 0, count: 10))
    }
}
