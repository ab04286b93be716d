// Goal:   only a whole, right answer counts, and the upload that is asked for is the one allowed.
// Method: requests as text; answers laid into the arena as the ring would leave them, cut, wrong.

import BenchMachine
import BenchMeasure
import Cryptography
import Foundation
import IO
import Testing

@testable import BenchLoad

private let names = ObjectNames(folder: "put4k")
private let pattern = BodyPattern(seed: 1)
private let scratch = Region(offset: 0, count: 8 << 10)
private let target = Region(offset: 8 << 10, count: 16 << 10)
private let path = names.path(0)

/// Lays `bytes` where a connection's answer arrives.
private func arrive(_ bytes: [UInt8], in arena: Arena) -> Region {
    var output = arena.output(target)
    for byte in bytes { output.append(byte) }
    return target.part(from: 0, count: bytes.count)
}

private func text(_ region: Region?, in arena: Arena) -> String? {
    guard let region else { return nil }
    let bytes = Span<UInt8>(_bytes: arena.bytes(region))
    return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

private func answer(_ status: String, body: [UInt8] = [], fields: String = "") -> [UInt8] {
    let head = "HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(fields)\r\n"
    return Array(head.utf8) + body
}

@Suite struct `A request` {
    @Test func `to upload carries the tag of path and size`() throws {
        var request = try RequestText(names: names, secret: "secret")
        let bytes = [UInt8](capacity: 512) {
            request.appendPut(0x1_23ab, bodyCount: 4096, to: &$0)
        }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")[0]
        // HMAC-SHA256 by another implementation (Python's hmac).
        #expect(
            line == "PUT /put4k/ab/00000000000123ab?v="
                + "725a552546ca2f2f8a09d0c5e46052e84443ca4d93915dbc322269b3a081bb7e HTTP/1.1")
    }

    @Test func `to a server that signs nothing carries none`() throws {
        var request = try RequestText(names: names, secret: nil)
        let bytes = [UInt8](capacity: 512) {
            request.appendPut(7, bodyCount: 1 << 30, expectsContinue: true, to: &$0)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("PUT /put4k/07/0000000000000007 HTTP/1.1\r\n"))
        #expect(text.contains("\r\nExpect: 100-continue\r\n"))
        #expect(text.hasSuffix("\r\nContent-Length: 1073741824\r\n\r\n"))
    }

    @Test func `to be written only says so`() throws {
        var request = try RequestText(names: names, secret: "secret", durability: .written)
        let bytes = [UInt8](capacity: 512) { request.appendPut(7, bodyCount: 64, to: &$0) }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\r\nMillrace-Durability: written\r\nContent-Length: 64\r\n"))
    }

    @Test func `for a range names its first and its last byte`() throws {
        let request = try RequestText(names: names, secret: nil)
        let bytes = [UInt8](capacity: 512) {
            request.appendGet(7, from: 4_096, count: 16_384, to: &$0)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("GET /put4k/07/0000000000000007 HTTP/1.1\r\n"))
        #expect(text.hasSuffix("\r\nRange: bytes=4096-20479\r\n\r\n"))
    }

    @Test func `cannot be signed with an empty secret`() {
        #expect(throws: LoadFailure.signing(.emptyKey)) {
            _ = try RequestText(names: names, secret: "")
        }
    }
}

@Suite struct `Small uploads` {
    private let arena: Arena

    init() throws { arena = try ClientMemory.map(count: 64 << 10) }

    private func puts(_ end: UInt64 = 2) throws -> SmallPuts {
        let text = try RequestText(names: names, secret: nil)
        return SmallPuts(text: text, numbers: 0..<end, bodyCount: 64, pattern: pattern, pool: nil)
    }

    @Test func `each have a name and a body of their own, and end`() throws {
        var puts = try puts()
        let first = text(puts.request(for: 0, scratch: scratch, in: arena), in: arena)
        let body = String(decoding: pattern.bytes(64, number: 0), as: UTF8.self)
        #expect(first?.hasSuffix("\r\n\r\n" + body) == true)
        let second = text(puts.request(for: 1, scratch: scratch, in: arena), in: arena)
        #expect(second?.hasPrefix("PUT /put4k/01/") == true)
        let third = puts.request(for: 0, scratch: scratch, in: arena)
        #expect(third == nil)
        let firstUnused = puts.firstUnused
        #expect(firstUnused == 2)
    }

    @Test func `count when the whole answer is there and says created`() throws {
        var puts = try puts()
        _ = puts.request(for: 0, scratch: scratch, in: arena)
        let whole = answer("201 Created", body: [1, 2, 3])
        for count in 1..<whole.count {
            let region = arrive(Array(whole[..<count]), in: arena)
            #expect(try puts.judge(region, for: 0, in: arena) == .incomplete)
        }
        #expect(try puts.judge(arrive(whole, in: arena), for: 0, in: arena) == .complete)
    }

    @Test(arguments: [
        (answer("403 Forbidden"), LoadFailure.status(403, of: path)),
        (answer("204 No Content"), .status(204, of: path)),
        (answer("201 Created") + [0], .lengthChanged(of: path)),
        (
            answer("201 Created", fields: "Connection: close\r\n"),
            .closed(during: "\(path), with status 201")
        ),
        (Array("SSH-2.0-OpenSSH\r\n\r\n".utf8), .response(.notHTTP)),
    ])
    func `that were refused spoil the round`(bytes: [UInt8], failure: LoadFailure) throws {
        var puts = try puts()
        _ = puts.request(for: 0, scratch: scratch, in: arena)
        let region = arrive(bytes, in: arena)
        var thrown: LoadFailure?
        do { _ = try puts.judge(region, for: 0, in: arena) } catch { thrown = error }
        #expect(thrown == failure)
    }
}

@Suite struct `Reading back` {
    private let arena: Arena

    init() throws { arena = try ClientMemory.map(count: 64 << 10) }

    private func failure(of bytes: [UInt8]) throws -> LoadFailure? {
        let text = try RequestText(names: names, secret: nil)
        var reads = ReadBack(text: text, numbers: 0..<1, bodyCount: 64, pattern: pattern)
        _ = reads.request(for: 0, scratch: scratch, in: arena)
        do { _ = try reads.judge(arrive(bytes, in: arena), for: 0, in: arena) } catch {
            return error
        }
        return nil
    }

    @Test func `accepts the bytes that were sent`() throws {
        #expect(try failure(of: answer("200 OK", body: pattern.bytes(64, number: 0))) == nil)
    }

    @Test func `refuses other bytes, another length, another status`() throws {
        var wrong = pattern.bytes(64, number: 0)
        wrong[63] ^= 1
        #expect(try failure(of: answer("200 OK", body: wrong)) == .wrongBody(of: path))
        let short = pattern.bytes(56, number: 0)
        #expect(try failure(of: answer("200 OK", body: short)) == .lengthChanged(of: path))
        #expect(try failure(of: answer("404 Not Found")) == .status(404, of: path))
    }

    @Test func `learns how long each whole answer is`() throws {
        let text = try RequestText(names: names, secret: nil)
        var reads = ReadBack(text: text, numbers: 0..<1, bodyCount: 64, pattern: pattern)
        _ = reads.request(for: 0, scratch: scratch, in: arena)
        let whole = answer("200 OK", body: pattern.bytes(64, number: 0))
        #expect(try reads.judge(arrive(whole, in: arena), for: 0, in: arena) == .complete)
        let counts = reads.responseCounts
        #expect(counts == [whole.count])
    }
}

@Suite struct `Small downloads` {
    @Test func `count by the length that was learnt`() throws {
        let arena = try ClientMemory.map(count: 2 << 20)
        let whole = answer("200 OK", body: pattern.bytes(64, number: 0))
        var gets = try SmallGets(
            names: names, responseCounts: [whole.count], seed: 1, in: arena)
        let request = text(gets.request(for: 3, scratch: scratch, in: arena), in: arena)
        #expect(request?.hasPrefix("GET \(path) HTTP/1.1\r\n") == true)

        let behind = Region(offset: 1 << 20, count: 16 << 10)
        func judge(_ bytes: [UInt8]) throws(LoadFailure) -> Judgement {
            var output = arena.output(behind)
            for byte in bytes { output.append(byte) }
            return try gets.judge(
                behind.part(from: 0, count: bytes.count), for: 3, in: arena)
        }
        #expect(try judge(Array(whole.dropLast())) == .incomplete)
        #expect(try judge(whole) == .complete)
        #expect(throws: LoadFailure.lengthChanged(of: path)) { try judge(whole + [0]) }
        var refused = whole
        refused[9] = UInt8(ascii: "5")
        #expect(throws: LoadFailure.self) { try judge(refused) }
    }
}

@Suite struct `The pool that makes files durable` {
    @Test func `answers each job, also for a file that is not there`() throws {
        let root = "/tmp/millrace-bench-\(Clocks.now())"
        let folder = root + names.folder(of: 0)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try OpenFile.create(root + path)
        OpenFile.close(file)
        let pool = try SyncPool(root: root, names: names, threadCount: 2, syncsFolders: false)
        pool.submit(connection: 5, number: 0)
        let good = pool.nextReply()
        #expect(good.connection == 5)
        #expect(good.error == 0)
        pool.submit(connection: 6, number: 256)
        let bad = pool.nextReply()
        #expect(bad.connection == 6)
        #expect(bad.error == KernelError.notFound.code)
        pool.close()
    }

    @Test func `needs the folders that it is to make durable`() {
        #expect(throws: KernelError.notFound) {
            _ = try SyncPool(root: "/nowhere", names: names, threadCount: 1, syncsFolders: true)
        }
    }
}
