// Goal:   the file of a form becomes an object byte for byte, whatever its size and however the
//         form arrives; of one that is not whole, refused, or hit by a fault nothing is left.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import IO
import Simulator
import Store
import Testing

@testable import Server

private let boundary = "----boundary-of-a-form"
private let formType = "Content-Type: multipart/form-data; boundary=\(boundary)"

/// A form with one file, and what stands around the data.
private struct Form {
    var before: [UInt8]
    var data: [UInt8]
    var after: [UInt8]

    init(_ data: [UInt8], file: String = "f.bin", fields: String = "", after: String = "") {
        let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"\(file)\""
        before = Array("\(fields)--\(boundary)\r\n\(disposition)\r\n\r\n".utf8)
        self.data = data
        self.after = Array("\r\n--\(boundary)\(after)--\r\n".utf8)
    }

    var bytes: [UInt8] { before + data + after }
}

private func field(_ name: String, _ value: String) -> String {
    "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
}

/// Runs `body`, then looks whether anything is left behind.
private func withBed(
    _ settings: FrontSettings = StoredBed.lasting(), capacityBytes: UInt64 = 1 << 30,
    _ body: (StoredBed) throws -> Void
) throws {
    try StoredBed.run(
        SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance),
        capacityBytes: capacityBytes, settings: settings
    ) { bed in
        try body(bed)
        try bed.expectNothingLeft("after the forms")
    }
}

@Suite struct `The file of a form` {
    @Test(arguments: [
        0, 1, 4095, 4096, 65_300, 65_536, 65_537, 131_072, 196_608, 983_040, 983_041, 1_048_576,
        2_500_001,
    ])
    func `is published whole, whatever its size`(size: Int) throws {
        let data = noise(size, seed: UInt64(size))
        try withBed { bed in
            let answer = bed.ask("POST", "/upload", [formType], Form(data).bytes)
            #expect(answer?.status == 200)
            #expect(answer?.fields.contains("content-type: application/json") == true)
            #expect(answer?.member("success") == "true")
            #expect(answer?.member("filename") == "f.bin")
            #expect(answer?.member("size") == "\(size)")
            #expect(answer?.member("duration")?.hasSuffix("s") == true)
            let url = try #require(answer?.member("url"))
            #expect(url.hasPrefix("/u/") && url.hasSuffix("/f.bin"))
            #expect(bed.object(url) == data)
        }
    }

    @Test(arguments: [1, 7, 4096, 100_000])
    func `may come in chunks`(size: Int) throws {
        // A chunk a byte takes its time here.
        let data = noise(size == 1 ? 3000 : 300_000, seed: 2)
        try withBed { bed in
            let head = bed.head(
                "POST", "/upload", [formType, "Transfer-Encoding: chunked"], length: nil)
            let answer = bed.exchange(head, chunked(Form(data).bytes, size)).answer
            #expect(answer?.status == 200)
            #expect(bed.published(answer) == data)
        }
    }

    /// Data full of what may become a boundary, across the end of every buffer.
    @Test func `may look like boundaries`() throws {
        let almost = Array("\r\n--\(boundary.dropLast())".utf8)
        let data = (0..<9000).flatMap { almost + [UInt8(truncatingIfNeeded: $0) | 0x80] }
        try withBed { bed in
            let answer = bed.ask("POST", "/upload", [formType], Form(data).bytes)
            #expect(answer?.status == 200)
            #expect(bed.published(answer) == data)
        }
    }

    @Test func `goes where the form says, with the type that it says`() throws {
        let before = field("note", "hello") + field("path", "docs/a b.txt")
        var form = Form([1, 2, 3], fields: before)
        let text = String(decoding: form.before, as: UTF8.self).dropLast()
        form.before = Array((text + "Content-Type: x/y; z=1\r\n\r\n").utf8)
        try withBed { bed in
            let answer = bed.ask("POST", "/upload", [formType], form.bytes)
            #expect(answer?.member("url") == "/docs/a%20b.txt")
            let got = bed.ask("GET", "/docs/a%20b.txt")
            #expect(got?.body == [1, 2, 3])
            #expect(got?.fields.contains("content-type: x/y; z=1") == true)
            // The same again is no conflict; something else is.
            #expect(bed.ask("POST", "/upload", [formType], form.bytes)?.status == 200)
            form.data = [1, 2, 4]
            #expect(bed.ask("POST", "/upload", [formType], form.bytes)?.status == 409)
            #expect(bed.object("/docs/a%20b.txt") == [1, 2, 3])
        }
    }

    @Test func `is followed by fields that nobody needs, and the connection goes on`() throws {
        let data = noise(70_000, seed: 3)
        let long = String(repeating: "x", count: 100_000)
        let after =
            "\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n\(long)\r\n--\(boundary)"
        let bytes = Form(data, after: after).bytes + Array("and so on".utf8)
        try withBed { bed in
            let client = bed.front.connect()
            for _ in 0..<2 {
                client.forgetOutput()
                client.send(bed.head("POST", "/upload", [formType], length: bytes.count))
                bed.front.settle()
                client.send(bytes)
                bed.front.settle()
                #expect(client.finalResponse?.status == 200)
            }
            client.endSending()
            bed.front.settle()
        }
    }
}

@Suite struct `A form that arrives in two pieces` {
    private static let form = Form(noise(9000, seed: 4))

    /// Around the start of the form, of its data and of its last boundary.
    static let cuts: [Int] = {
        let edges = [0, form.before.count, form.before.count + form.data.count, form.bytes.count]
        return Set(edges.flatMap { Array(max(0, $0 - 40)...min(form.bytes.count, $0 + 40)) })
            .sorted()
    }()

    @Test func `is whole wherever it was cut`() throws {
        let form = Self.form
        try withBed { bed in
            for cut in Self.cuts {
                let client = bed.front.connect()
                client.send(bed.head("POST", "/upload", [formType], length: form.bytes.count))
                client.send(Array(form.bytes[..<cut]))
                bed.front.settle()
                client.send(Array(form.bytes[cut...]))
                bed.front.settle()
                let answer = bed.finalAnswer(client)
                #expect(answer?.status == 200, "cut at \(cut)")
                #expect(bed.published(answer) == form.data, "cut at \(cut)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `leaves nothing if the second never comes`(isChunked: Bool) throws {
        let form = Self.form
        try withBed { bed in
            let before = try bed.largeBytesAtRest()
            for cut in Self.cuts where cut < form.bytes.count {
                let client = bed.front.connect()
                let length = isChunked ? nil : form.bytes.count
                let coding = isChunked ? ["Transfer-Encoding: chunked"] : []
                client.send(bed.head("POST", "/upload", [formType] + coding, length: length))
                let piece = Array(form.bytes[..<cut])
                client.send(isChunked ? Array(chunked(piece, 999).dropLast(5)) : piece)
                client.endSending()
                bed.front.settle()
                #expect(bed.finalAnswer(client)?.status == 408, "cut at \(cut)")
            }
            #expect(bed.shared.unfinishedUploads == 0)
            #expect(try bed.largeBytesUsed() == before)
        }
    }

    @Test func `leaves nothing if its client is reset`() throws {
        let form = Form(noise(500_000, seed: 5))
        try withBed { bed in
            let before = try bed.largeBytesAtRest()
            let client = bed.front.connect()
            client.send(bed.head("POST", "/upload", [formType], length: form.bytes.count))
            client.send(Array(form.bytes[..<400_000]))
            bed.front.settle()
            bed.front.reset(client)
            bed.front.pass(seconds: 2)
            #expect(bed.shared.unfinishedUploads == 0)
            #expect(try bed.largeBytesUsed() == before)
        }
    }
}

@Suite struct `A form is refused` {
    private func expectRefused(
        _ form: [UInt8], _ status: Int, _ fields: [String] = [formType],
        settings: FrontSettings = StoredBed.lasting()
    ) throws {
        try withBed(settings) { bed in
            let before = try bed.largeBytesAtRest()
            #expect(bed.ask("POST", "/upload", fields, form)?.status == status)
            #expect(bed.shared.unfinishedUploads == 0)
            let used = try bed.largeBytesUsed()
            #expect(used == before)
        }
    }

    @Test func `if it is none`() throws {
        let bytes = Form([1]).bytes
        try expectRefused(bytes, 415, [])
        try expectRefused(bytes, 415, ["Content-Type: text/plain"])
        try expectRefused(bytes, 400, ["Content-Type: multipart/form-data"])
        try expectRefused(Array("hello".utf8), 400)
        try expectRefused([], 400)
    }

    @Test func `if its file has no name that can be one`() throws {
        for name in ["", "a/b", "..", "a\u{7f}", String(repeating: "a", count: 256)] {
            try expectRefused(Form([1], file: name).bytes, 400)
        }
    }

    @Test func `if its fields say what cannot be`() throws {
        try expectRefused(Form([1], fields: field("path", "../a")).bytes, 400)
        try expectRefused(Form([1], fields: field("path", "admin/a")).bytes, 400)
        try expectRefused(
            Form([1], fields: field("path", String(repeating: "a/", count: 300))).bytes, 414)
        try expectRefused(
            Form([1], fields: field("n", String(repeating: "a", count: 300_000))).bytes, 413)
        let late =
            "\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\na\r\n--\(boundary)"
        try expectRefused(Form(noise(100_000, seed: 6), after: late).bytes, 400)
        try expectRefused(field("path", "a").utf8 + Array("--\(boundary)--\r\n".utf8), 400)
    }

    @Test func `if too much follows it`() throws {
        let bytes = Form([1]).bytes + [UInt8](repeating: 1, count: 300_000)
        try expectRefused(bytes, 413)
    }

    @Test func `without the token, or by another method`() throws {
        try withBed { bed in
            let bytes = Form([1]).bytes
            let head = "POST /upload HTTP/1.1\r\nHost: h\r\n\(formType)\r\n"
            let length = "Content-Length: \(bytes.count)\r\n"
            #expect(bed.exchange(head + length + "\r\n", bytes).answer?.status == 401)
            let wrong = "Authorization: Bearer nobody\r\n"
            #expect(bed.exchange(head + length + wrong + "\r\n", bytes).answer?.status == 403)
            #expect(bed.ask("GET", "/upload")?.fields.contains("allow: post, options") == true)
            #expect(bed.ask("GET", "/upload")?.status == 405)
            let options = bed.ask("OPTIONS", "/upload")
            #expect(options?.status == 204)
            #expect(options?.fields.contains("allow: post, options") == true)
            #expect(bed.ask("POST", "/upload/x", [formType], bytes)?.status == 404)
        }
    }

    @Test func `before its body if it is too long as a whole`() throws {
        try withBed(StoredBed.lasting(uploadBytesMax: 1000)) { bed in
            let client = bed.front.connect()
            client.send(
                bed.head("POST", "/upload", [formType, "Expect: 100-continue"], length: 9_000_000))
            bed.front.settle()
            #expect(client.statuses == [413])
            client.endSending()
            bed.front.settle()
        }
    }

    /// Nobody knew before.
    @Test func `in its midst if its file is too long`() throws {
        try expectRefused(
            Form(noise(200_001, seed: 7)).bytes, 413,
            settings: StoredBed.lasting(uploadBytesMax: 200_000))
    }

    @Test func `in its midst if no space is left`() throws {
        // Two volumes of 256 MiB are not to be had: the large one ends where the other begins.
        try withBed(capacityBytes: 256 << 20) { bed in
            let before = try bed.largeBytesAtRest()
            let count = 200 << 20
            let form = Form([])
            let client = bed.front.connect()
            client.send(bed.head("POST", "/upload", [formType], length: count))
            bed.front.settle()
            client.send(form.before)
            let piece = noise(1 << 20, seed: 8)
            for _ in 0..<199 where client.statuses.isEmpty {
                client.send(piece)
                bed.front.settle()
            }
            #expect(client.statuses == [507])
            client.endSending()
            bed.front.settle()
            #expect(bed.shared.unfinishedUploads == 0)
            #expect(try bed.largeBytesUsed() == before)
        }
    }

    @Test func `if its chunks cannot be told apart`() throws {
        try withBed { bed in
            let head = bed.head(
                "POST", "/upload", [formType, "Transfer-Encoding: chunked"], length: nil)
            let form = Form(noise(100_000, seed: 9))
            let broken = chunked(form.bytes, 9999).dropLast(5) + Array("zz\r\n".utf8)
            #expect(bed.exchange(head, Array(broken)).answer?.status == 400)
            #expect(bed.shared.unfinishedUploads == 0)
        }
    }
}

@Suite struct `A form hit by a fault` {
    @Test(arguments: [OperationKind.write, .sync])
    func `is not acknowledged, whichever operation fails`(kind: OperationKind) throws {
        let form = Form(noise(300_000, seed: 10))
        var count = 0
        try withBed { bed in
            let before = bed.front.plan.counts[kind, default: 0]
            #expect(bed.ask("POST", "/upload", [formType], form.bytes)?.status == 200)
            count = bed.front.plan.counts[kind, default: 0] - before
        }
        #expect(count > 0)
        var refusals = 0
        for number in 1...max(count, 1) {
            try withBed { bed in
                bed.front.plan.strike(kind, number: number, with: .error(.io))
                let answer = bed.ask("POST", "/upload", [formType], form.bytes)
                bed.front.plan.disarm()
                #expect(bed.front.plan.hasStruck)
                // Some prepare space that nobody needs yet.
                let isRefused = (answer?.status ?? 0) >= 500
                #expect(isRefused || bed.published(answer) == form.data, "\(kind) \(number)")
                refusals += isRefused ? 1 : 0
            }
        }
        #expect(refusals > 1)
    }

    @Test func `of its connection leaves nothing`() throws {
        let form = Form(noise(300_000, seed: 11))
        for number in 1...4 {
            try withBed { bed in
                let before = try bed.largeBytesAtRest()
                bed.front.plan.strike(.receiveInto, number: number, with: .error(.reset))
                let answer = bed.ask("POST", "/upload", [formType], form.bytes)
                bed.front.plan.disarm()
                #expect(!bed.front.plan.hasStruck || answer?.status == 408)
                #expect(bed.front.plan.hasStruck || answer?.status == 200)
                #expect(bed.shared.unfinishedUploads == 0)
                let used = try bed.largeBytesUsed()
                #expect(used == before || answer?.status == 200)
            }
        }
    }
}
