// What a server says, however strange, becomes the right word for the file or for the run.

import Foundation
import Remote
import Testing
import Trees

@testable import Files
@testable import Transfer

@Suite struct `The door to a server` {
    private static let created = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"

    private func door(_ server: PlayedServer) throws -> ServerDoor {
        let address = try ServerAddress(url: "http://127.0.0.1:\(server.port)/base/")
        return ServerDoor(address, token: Array("token".utf8))
    }

    private func source(_ count: Int) throws -> (SourceFile, path: String) {
        let path = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
        try Data(repeating: 7, count: count).write(to: URL(fileURLWithPath: path))
        let file = unsafe OpenFile(open(path, O_RDWR), path: path)
        let stamp = try #require(file.stamp)
        return (SourceFile(path: Array("a b".utf8), file: file, stamp: stamp), path)
    }

    private func error(_ step: PlayedServer.Step) throws -> DoorError? {
        let server = try PlayedServer([step])
        defer { server.close() }
        let (file, path) = try source(10)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let door = try door(server)
        do throws(DoorError) {
            _ = try door.put(file, as: Array("a b".utf8), type: "text/plain", ByteCounter())
            return nil
        } catch {
            return error
        }
    }

    @Test func `asks for what it is told to, with the token`() throws {
        let server = try PlayedServer([
            .answer("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n"),
            .answer(Self.created),
            .answer(
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
                    + "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n\r\n"),
        ])
        defer { server.close() }
        let (file, path) = try source(10)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let door = try door(server)
        let name = Array("ü/a b".utf8)
        #expect(try door.find(name) == nil)
        #expect(try door.put(file, as: name, type: "text/plain", ByteCounter()) == .published)
        #expect(try door.find(name) == Facts(byteCount: 10, modified: 1_000_000_000))
        let heads = server.heads
        #expect(heads.count == 3)
        #expect(heads[0].hasPrefix("HEAD /base/admin/objects/%C3%BC/a%20b HTTP/1.1\r\n"))
        #expect(heads[1].hasPrefix("PUT /base/admin/objects/%C3%BC/a%20b HTTP/1.1\r\n"))
        #expect(heads[1].contains("\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n"))
        #expect(heads.allSatisfy { $0.contains("\r\nAuthorization: Bearer token\r\n") })
    }

    @Test(arguments: [401, 403, 404, 405, 507])
    func `has no hope where no file would be taken`(status: Int) throws {
        let said = try error(.answer("HTTP/1.1 \(status) X\r\nContent-Length: 3\r\n\r\nno\n"))
        guard case .hopeless = said else {
            Issue.record("\(status): \(String(describing: said))")
            return
        }
    }

    @Test(arguments: [408, 429, 503])
    func `waits for who is busy`(status: Int) throws {
        let said = try error(.answer("HTTP/1.1 \(status) X\r\nContent-Length: 3\r\n\r\nno\n"))
        #expect(said == .busy("the server says \(status): no"))
    }

    @Test(arguments: [400, 413, 415, 500])
    func `gives up a file that is not taken`(status: Int) throws {
        let said = try error(.answer("HTTP/1.1 \(status) X\r\nContent-Length: 3\r\n\r\nno\n"))
        #expect(said == .failed("the server says \(status): no"))
    }

    @Test(arguments: [
        PlayedServer.Step.drop, .answer("nonsense\r\n\r\n"),
        .answer("HTTP/1.1 201 Created\r\n\r\n"),
    ])
    func `takes nonsense for a server that may come to its senses`(step: PlayedServer.Step) throws {
        guard case .busy = try error(step) else {
            Issue.record("\(step)")
            return
        }
    }

    @Test func `tries a connection again that ended while nobody looked`() throws {
        let server = try PlayedServer([.answer(Self.created), .drop, .answer(Self.created)])
        defer { server.close() }
        let (file, path) = try source(10)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let door = try door(server)
        for _ in 0..<2 {
            #expect(try door.put(file, as: [97], type: "a/b", ByteCounter()) == .published)
        }
        #expect(server.heads.count == 3)
    }

    @Test func `sends long bodies only when they are wanted`() throws {
        let server = try PlayedServer([
            .answer(
                "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            .inviteThen(Self.created), .dropInBody,
        ])
        defer { server.close() }
        let (file, path) = try source(1_000_000)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (door, moved) = (try door(server), ByteCounter())
        #expect(try door.put(file, as: [97], type: "a/b", moved) == .conflict)
        #expect(moved.value == 0)
        #expect(try door.put(file, as: [97], type: "a/b", moved) == .published)
        #expect(moved.value == 1_000_000)
        do throws(DoorError) {
            _ = try door.put(file, as: [97], type: "a/b", moved)
            Issue.record("half a body was published")
        } catch {
            guard case .busy = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test(arguments: [10, 1_000_000])
    func `never completes a file that changes`(count: Int) throws {
        let server = try PlayedServer([.inviteThen(Self.created)])
        defer { server.close() }
        let (file, path) = try source(count)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try file.file.write([1, 2, 3], count: 3, at: UInt64(count) - 1)
        let door = try door(server)
        #expect(throws: SourceFile.changed) {
            try door.put(file, as: [97], type: "a/b", ByteCounter())
        }
    }

    @Test func `takes no object that is another one, or short`() throws {
        let head = "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n"
        let server = try PlayedServer([
            .answer(head + "Content-Length: 2\r\n\r\nab"),
            .answer(head + "Content-Length: 3\r\n\r\nabc"),
            .answer(head + "Content-Length: 3\r\nConnection: close\r\n\r\na"),
            .answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ])
        defer { server.close() }
        let (file, path) = try source(10)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let door = try door(server)
        let line = ObjectLine(
            name: [97], facts: Facts(byteCount: 3, modified: 1_000_000_000))
        #expect(throws: DoorError.self) { try door.fetch(line, into: file.file, ByteCounter()) }
        try door.fetch(line, into: file.file, ByteCounter())
        var bytes = [UInt8](repeating: 0, count: 4)
        #expect(try file.file.read(into: &bytes, count: 4, at: 0) == 4)
        #expect(bytes == Array("abc".utf8) + [7])
        for _ in 0..<2 {
            do throws(DoorError) {
                try door.fetch(line, into: file.file, ByteCounter())
                Issue.record("something was fetched")
            } catch {
                guard case .failed = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test func `says who is not there`() throws {
        let server = try PlayedServer([])
        let door = try door(server)
        server.close()
        do throws(DoorError) {
            _ = try door.find([97])
            Issue.record("somebody answered")
        } catch {
            guard case .busy = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
