// Goal:   the lab's client goes on where the server says after a failure, sends numbered chunks
//         again whole, follows advice, and gives up with a reason.
// Method: a server on loopback that answers by a script, and breaks connections by it.

import BenchMachine
import Foundation
import Glibc
import Synchronization
import Testing

@testable import BenchNetwork

/// Connections, a step for each request.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        /// Once the request is there whole.
        case answer(String)
        /// The connection breaks amid its content.
        case cut(after: Int)
    }

    struct Asked: Sendable {
        let head: String
        let body: [UInt8]
    }

    let address: LabServer
    private let steps: Mutex<[Step]>
    private let asked = Mutex<[Asked]>([])
    private let listener: Int32

    init(_ steps: [Step]) throws {
        self.steps = Mutex(steps)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // Bound to every address, to a free port.
        try #require(listener >= 0 && listen(listener, 16) == 0)
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        try #require(status == 0)
        address = LabServer(
            address: 0x7f00_0001, port: UInt16(bigEndian: name.sin_port), token: "secret",
            congestionControl: nil)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0, errno == EINTR { continue }
                guard connection >= 0 else { break }
                // Some clients have several at once.
                Thread.detachNewThread { [weak self] in
                    while self?.serve(connection) == true {}
                    close(connection)
                }
            }
            // Here, so that nobody else has that number while it is still accepted from.
            close(descriptor)
        }
    }

    func end() { shutdown(listener, Int32(SHUT_RDWR)) }

    var requests: [Asked] { asked.withLock { $0 } }
    var stepsLeft: Int { steps.withLock { $0.count } }

    /// False: the connection has ended.
    private func serve(_ connection: Int32) -> Bool {
        var bytes: [UInt8] = []
        while !bytes.contains([13, 10, 13, 10]) {
            guard let more = receive(connection) else { return false }
            bytes += more
        }
        let end = bytes.firstRange(of: [13, 10, 13, 10])!.upperBound
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        var body = Array(bytes[end...])
        let lines = head.split(separator: "\r\n")
        let length =
            lines.first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst(16)) } ?? 0
        guard let step = steps.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
            return false
        }
        let wanted = if case .cut(let count) = step { count } else { length }
        while body.count < wanted {
            guard let more = receive(connection) else { return false }
            body += more
        }
        asked.withLock { $0.append(Asked(head: head, body: body)) }
        guard case .answer(let text) = step else { return false }
        let sent = Array(text.utf8)
        return unsafe sent.withUnsafeBytes {
            unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        } == sent.count
    }

    private func receive(_ connection: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var count: Int
        repeat {
            count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(connection, $0.baseAddress, $0.count, 0)
            }
        } while count < 0 && errno == EINTR
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}

private let body = (0..<12_000).map { UInt8(truncatingIfNeeded: $0 &* 13 ^ ($0 >> 8)) }

private func run(
    _ steps: [ScriptedServer.Step], _ work: (inout ChunkingClient, ScriptedServer) throws -> Void
) throws {
    let server = try ScriptedServer(steps)
    defer { server.end() }
    var client = ChunkingClient(
        body, to: server.address, from: nil, failuresMax: 3, pauseMilliseconds: 1)
    try work(&client, server)
}

private func created(_ advice: String = "") -> ScriptedServer.Step {
    .answer(
        "HTTP/1.1 201 Created\r\nLocation: /files/abc\r\nContent-Length: 0\r\n\(advice)\r\n")
}

private func at(_ status: Int, _ offset: Int, _ advice: Int? = nil) -> ScriptedServer.Step {
    let field = advice.map { "Millrace-Chunk: \($0);parallel=2\r\n" } ?? ""
    return .answer(
        "HTTP/1.1 \(status) X\r\nUpload-Offset: \(offset)\r\nContent-Length: 0\r\n\(field)\r\n")
}

private let refused = ScriptedServer.Step.answer(
    "HTTP/1.1 507 X\r\nContent-Length: 4\r\n\r\nfull")

@Suite struct `A client in chunks` {
    @Test func `goes on by tus where the server says, with what was advised last`() throws {
        let steps: [ScriptedServer.Step] = [
            created("Millrace-Chunk: 4096\r\n"), .cut(after: 1000), at(200, 1000, 8192),
            at(204, 9192, 4096), at(409, 0), at(200, 9192, 4096), at(204, 12_000),
        ]
        try run(steps) { client, server in
            let outcome = try client.upload(by: .tus)
            #expect(outcome.failures == 1 && outcome.path == "/files/abc")
            #expect(outcome.chunkBytes == [4096, 8192, 2808, 2808])
            let requests = server.requests
            #expect(
                requests.map { String($0.head.prefix { $0 != " " }) } == [
                    "POST", "PATCH", "HEAD", "PATCH", "PATCH", "HEAD", "PATCH",
                ])
            #expect(requests[0].head.contains("\r\nUpload-Length: 12000\r\n"))
            #expect(requests.allSatisfy { $0.head.contains("Authorization: Bearer secret\r\n") })
            #expect(requests[3].head.contains("\r\nUpload-Offset: 1000\r\n"))
            #expect(requests[3].body == Array(body[1000..<9192]))
            #expect(requests[6].body == Array(body[9192...]) && server.stepsLeft == 0)
        }
    }

    @Test func `that nobody advises sends all that is left`() throws {
        try run([created(), at(204, 12_000)]) { client, server in
            let outcome = try client.upload(by: .tus)
            #expect(outcome.chunkBytes == [12_000])
            #expect(server.requests[1].body == body)
        }
    }

    @Test func `sends a numbered chunk that was cut again, whole`() throws {
        let begun = "{\"session_id\":\"abc\",\"chunk_size\":5000,\"total_chunks\":3}"
        let ok = ScriptedServer.Step.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        let steps: [ScriptedServer.Step] = [
            .answer(
                "HTTP/1.1 201 X\r\nLocation: /files/abc\r\nContent-Length: \(begun.utf8.count)"
                    + "\r\n\r\n" + begun),
            ok, .cut(after: 100), ok, ok,
        ]
        try run(steps) { client, server in
            let outcome = try client.upload(by: .numbered)
            #expect(outcome.failures == 1 && outcome.chunkBytes == [5000, 5000, 2000])
            let requests = server.requests
            #expect(requests[0].head.contains("\r\nX-Total-Size: 12000\r\n"))
            for (request, number) in zip(requests.dropFirst(), [0, 1, 1, 2]) {
                #expect(request.head.contains("\r\nX-Chunk-Number: \(number)\r\n"))
                #expect(request.head.contains("\r\nX-Upload-Session-ID: abc\r\n"))
            }
            #expect(requests[3].body == Array(body[5000..<10_000]))
        }
    }

    @Test(arguments: [
        (UploadWay.tus, [refused]), (.numbered, [refused]), (.tus, [created(), refused]),
        // Without an offset, with one that goes back, and without a chunk's length.
        (.tus, [created(), at(204, 13_000)]), (.numbered, [created()]),
        (.tus, [.answer("HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n")]),
    ])
    private func `tells an answer that it did not expect`(
        _ way: UploadWay, _ steps: [ScriptedServer.Step]
    ) throws {
        try run(steps) { client, _ in
            let error = try #require(throws: LabFailure.self) { _ = try client.upload(by: way) }
            guard case .refused = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func `gives up what fails too often`() throws {
        let cuts = (0..<9).map { _ in ScriptedServer.Step.cut(after: 0) }
        try run([created()] + cuts) { client, server in
            #expect(throws: LabFailure.hopeless(failures: 4)) {
                _ = try client.upload(by: .tus)
            }
            #expect(server.stepsLeft == 5)
        }
    }

    @Test func `compares every byte`() throws {
        func whole(_ bytes: [UInt8]) -> ScriptedServer.Step {
            .answer(
                "HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n"
                    + String(decoding: bytes, as: UTF8.self))
        }
        let text = (0..<300).map { UInt8($0 % 26 + 97) }
        var wrong = text
        wrong[299] ^= 1
        let server = try ScriptedServer([
            whole(text), whole(wrong), whole(text.dropLast()), refused,
        ])
        defer { server.end() }
        let client = ChunkingClient(text, to: server.address, from: nil)
        try client.compare("/files/abc")
        #expect(throws: LabFailure.wrongBody) { try client.compare("/files/abc") }
        #expect(throws: LabFailure.wrongBody) { try client.compare("/files/abc") }
        #expect(throws: LabFailure.refused(507, of: "GET /x", "full")) { try client.compare("/x") }
    }
}
