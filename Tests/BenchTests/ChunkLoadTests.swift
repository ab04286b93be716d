// Goal:   uploads in chunks send every byte once, in the dialect that was asked for, and count when
//         they are complete.
// Method: works as the loop drives them, their answers laid into the arena.

import BenchMachine
import BenchMeasure
import Foundation
import IO
import Testing

@testable import BenchLoad

private let scratch = Region(offset: 0, count: 8 << 10)
private let target = Region(offset: 8 << 10, count: 16 << 10)

private func arrive(_ text: String, in arena: Arena) -> Region {
    var output = arena.output(target)
    for byte in text.utf8 { output.append(byte) }
    return target.part(from: 0, count: text.utf8.count)
}

private func text(_ region: Region?, in arena: Arena) -> String? {
    guard let region else { return nil }
    let bytes = Span<UInt8>(_bytes: arena.bytes(region))
    return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

private func field(_ name: String, of head: String) -> String? {
    head.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }
        .map { String($0.dropFirst(name.utf8.count + 2)) }
}

private func answer(_ status: String, _ body: String = "", fields: String = "") -> String {
    let length = status.hasPrefix("204") ? "" : "Content-Length: \(body.utf8.count)\r\n"
    return "HTTP/1.1 \(status)\r\n\(fields)\(length)\r\n\(body)"
}

@Suite struct `Uploads in chunks` {
    private let arena: Arena
    private let source: SourceFile

    init() throws {
        arena = try ClientMemory.map(count: 64 << 10)
        let file = "/tmp/millrace-bench-\(Clocks.now())"
        source = try SourceFile(path: file, count: 2 << 20, seed: 1)
        try FileManager.default.removeItem(atPath: file)
    }

    private static let chunkBytes = 64 << 10
    private static let bodyCount = 2 * chunkBytes + 100

    private func puts(_ dialect: Row.Dialect, uploads count: Int, seed: UInt64 = 1) -> ChunkPuts {
        ChunkPuts(
            text: ChunkText(dialect, token: "t"),
            uploads: (0..<count).map { CreatedUpload(path: "/files/u\($0)") },
            parts: (0..<count).map { source.part(of: UInt64($0), count: Self.bodyCount) },
            chunkBytes: Self.chunkBytes, seed: seed)
    }

    @Test(arguments: [Row.Dialect.tus, .resumable])
    func `go out in order, each over its own connection`(dialect: Row.Dialect) throws {
        var puts = puts(dialect, uploads: 2)
        var offsets: [String] = []
        var judgements: [Judgement] = []
        // The other connection has the second upload; nobody has a third.
        let first = text(puts.request(for: 0, scratch: scratch, in: arena), in: arena)
        let second = text(puts.request(for: 1, scratch: scratch, in: arena), in: arena)
        let third = text(puts.request(for: 2, scratch: scratch, in: arena), in: arena)
        #expect(second?.hasPrefix("PATCH /files/u1 HTTP/1.1\r\n") == true)
        #expect(third == nil && puts.body(for: 2) == nil)
        var head = try #require(first)
        while true {
            #expect(head.hasPrefix("PATCH /files/u0 HTTP/1.1\r\n"))
            #expect(head.contains("Tus-Resumable: 1.0.0\r\n") == (dialect == .tus))
            let offset = try #require(field("Upload-Offset", of: head))
            offsets.append(offset)
            let length = field("Content-Length", of: head)
            let body = puts.body(for: 0)
            #expect(length == "\(body?.part.count ?? 0)")
            #expect(body.map { $0.part.offset == Int(offset) } ?? true)
            let isEnd = field("Upload-Complete", of: head) == "?1"
            let status = isEnd ? "201 Created" : "204 No Content"
            judgements.append(
                try puts.judge(arrive(answer(status), in: arena), for: 0, in: arena))
            guard judgements.last == .continues else { break }
            let next = text(puts.request(for: 0, scratch: scratch, in: arena), in: arena)
            head = try #require(next)
        }
        // The IETF's end is said without content.
        let ends = dialect == .resumable ? ["131172"] : []
        #expect(offsets == ["0", "65536", "131072"] + ends)
        #expect(judgements == Array(repeating: .continues, count: 2 + ends.count) + [.complete])
        #expect(puts.completions.count == UInt64(ends.count))
        let after = text(puts.request(for: 0, scratch: scratch, in: arena), in: arena)
        #expect(after == nil)
    }

    @Test func `by numbers go out in no order, each once, over all connections`() throws {
        var orders: Set<[String]> = []
        for seed in 0..<8 {
            var puts = puts(.numbered, uploads: 1, seed: UInt64(seed))
            var numbers: [String] = []
            var judgements: [Judgement] = []
            for connection in 0..<3 {
                let request = text(
                    puts.request(for: connection, scratch: scratch, in: arena), in: arena)
                let head = try #require(request)
                #expect(head.hasPrefix("PUT /chunked-upload HTTP/1.1\r\n"))
                #expect(field("X-Upload-Session-ID", of: head) == "u0")
                let number = try #require(field("X-Chunk-Number", of: head))
                numbers.append(number)
                let asked = puts.body(for: connection)
                let part = try #require(asked).part
                #expect(part.offset == (Int(number) ?? -1) * Self.chunkBytes)
                #expect(part.count == (number == "2" ? 100 : Self.chunkBytes))
            }
            let fourth = text(puts.request(for: 3, scratch: scratch, in: arena), in: arena)
            #expect(fourth == nil)
            for connection in [2, 0, 1] {
                let reply = arrive(answer("200 OK", #"{"success":true}"#), in: arena)
                judgements.append(try puts.judge(reply, for: connection, in: arena))
            }
            // Whichever is answered last.
            #expect(judgements == [.continues, .continues, .complete])
            #expect(numbers.sorted() == ["0", "1", "2"])
            orders.insert(numbers)
        }
        #expect(orders.count > 1)
    }

    @Test(arguments: [
        (Row.Dialect.tus, "409 Conflict", 409), (.resumable, "201 Created", 201),
        (.numbered, "204 No Content", 204), (.tus, "200 OK", 200),
    ])
    func `that are answered otherwise spoil the round`(
        dialect: Row.Dialect, status: String, code: Int
    ) throws {
        var puts = puts(dialect, uploads: 1)
        _ = puts.request(for: 0, scratch: scratch, in: arena)
        var failure: LoadFailure?
        do { _ = try puts.judge(arrive(answer(status), in: arena), for: 0, in: arena) } catch {
            failure = error
        }
        #expect(failure == .status(code, of: "/files/u0"))
    }

    @Test func `wait for an answer that has not come whole`() throws {
        var puts = puts(.numbered, uploads: 1)
        _ = puts.request(for: 0, scratch: scratch, in: arena)
        let whole = answer("200 OK", "{}")
        let part = arrive(String(whole.dropLast()), in: arena)
        #expect(try puts.judge(part, for: 0, in: arena) == .incomplete)
        #expect(try puts.judge(arrive(whole, in: arena), for: 0, in: arena) == .continues)
    }
}

@Suite struct `Beginnings of uploads` {
    private let arena: Arena

    init() throws { arena = try ClientMemory.map(count: 64 << 10) }

    @Test(arguments: [
        (Row.Dialect.tus, "POST /files ", "Upload-Length", "1000"),
        (.resumable, "POST /files ", "Upload-Complete", "?0"),
        (.numbered, "POST /chunked-upload ", "X-Total-Size", "1000"),
    ])
    func `say what their dialect wants`(
        dialect: Row.Dialect, start: String, name: String, value: String
    ) throws {
        var creations = UploadCreations(
            text: ChunkText(dialect, token: "secret"), bodyCount: 1_000, count: 1)
        let request = text(creations.request(for: 0, scratch: scratch, in: arena), in: arena)
        let head = try #require(request)
        #expect(head.hasPrefix(start) && head.hasSuffix("\r\n\r\n"))
        #expect(field(name, of: head) == value)
        #expect(field("Authorization", of: head) == "Bearer secret")
        #expect(field("Content-Length", of: head) == "0")
        let second = text(creations.request(for: 0, scratch: scratch, in: arena), in: arena)
        #expect(second == nil)
    }

    @Test func `are remembered by their place, and the length that their chunks must have`() throws
    {
        var creations = UploadCreations(
            text: ChunkText(.numbered, token: "t"), bodyCount: 1_000, count: 2)
        for connection in [0, 1] {
            _ = creations.request(for: connection, scratch: scratch, in: arena)
        }
        // Answered in the other order.
        let body = #"{"session_id":"b2","chunk_size": 4096,"total_chunks":1}"#
        let replies = [
            (1, answer("201 Created", body, fields: "location: http://h/files/b2\r\n")),
            (0, answer("201 Created", fields: "Location: /files/a1\r\n")),
        ]
        for (connection, reply) in replies {
            let judgement = try creations.judge(
                arrive(reply, in: arena), for: connection, in: arena)
            #expect(judgement == .complete)
        }
        let uploads = creations.uploads
        #expect(uploads.map { String(decoding: $0.id, as: UTF8.self) } == ["a1", "b2"])
        #expect(uploads.map(\.chunkBytes) == [nil, 4096])
        #expect(uploads[0].path == "/files/a1")
    }

    @Test(arguments: [
        (answer("429 Too Many Requests"), 429), (answer("201 Created"), 201),
    ])
    func `without a place spoil the run`(reply: String, status: Int) throws {
        var creations = UploadCreations(
            text: ChunkText(.tus, token: "t"), bodyCount: 1_000, count: 1)
        _ = creations.request(for: 0, scratch: scratch, in: arena)
        var failure: LoadFailure?
        do { _ = try creations.judge(arrive(reply, in: arena), for: 0, in: arena) } catch {
            failure = error
        }
        guard case .status(status, _) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func `are asked for afterwards, and must have what they were sent`() throws {
        let uploads = [CreatedUpload(path: "/files/a")]
        var beginnings = UploadBeginnings(
            text: ChunkText(.resumable, token: "t"), uploads: uploads, seed: 1)
        let asked = beginnings.request(for: 0, scratch: scratch, in: arena)
        let request = try #require(asked)
        #expect(Int(request.count) > UploadBeginnings.contentCount)
        let taken = arrive(answer("204 No Content"), in: arena)
        #expect(try beginnings.judge(taken, for: 0, in: arena) == .complete)

        var queries = UploadQueries(token: "t", uploads: uploads)
        let query = text(queries.request(for: 0, scratch: scratch, in: arena), in: arena)
        #expect(query?.hasPrefix("HEAD /files/a HTTP/1.1\r\n") == true)
        let there = answer("204 No Content", fields: "Upload-Offset: 4096\r\n")
        #expect(try queries.judge(arrive(there, in: arena), for: 0, in: arena) == .complete)
        var failure: LoadFailure?
        let less = answer("204 No Content", fields: "Upload-Offset: 0\r\n")
        do { _ = try queries.judge(arrive(less, in: arena), for: 0, in: arena) } catch {
            failure = error
        }
        #expect(failure == .lengthChanged(of: "/files/a"))
    }
}
