// Goal:   whole runs of the load client ask, send, drop and count as their plan says.
// Method: against a server of plain threads that answers every GET with zeros, in two pieces, and
//         every PUT once its body is there.

import BenchMeasure
import Foundation
import Glibc
import IO
import Synchronization
import Testing

@testable import BenchLoad
@testable import BenchMachine

/// Answers until the process ends; what it got is counted under a lock.
private final class PlainServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let bodyCount: Int
    private let received = Mutex((bytes: 0, requests: 0))

    /// Of the bodies of names in the folder `small`.
    static let smallCount = 8

    /// Bodies of other answers have `bodyCount` bytes.
    init(bodyCount: Int) throws {
        self.bodyCount = bodyCount
        port = try Connection.freePort()
        listener = try answer(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, size)
            }
        }
        _ = try answer(bound)
        _ = try answer(listen(listener, 64))
        Thread.detachNewThread { [self] in
            while true {
                let accepted = accept(listener, nil, nil)
                guard accepted >= 0 else { return }
                Thread.detachNewThread { self.serve(Descriptor(accepted)) }
            }
        }
    }

    /// Bytes of bodies and requests so far.
    var counts: (bytes: Int, requests: Int) {
        received.withLock { $0 }
    }

    private func serve(_ socket: Descriptor) {
        defer { OpenFile.close(socket) }
        let separator = Array("\r\n\r\n".utf8)
        var (bytes, held) = ([UInt8](repeating: 0, count: 64 << 10), 0)
        while let count = try? Connection.receive(into: &bytes, held..<bytes.count, of: socket),
            count > 0
        {
            held += count
            guard let end = bytes[..<held].firstRange(of: separator) else { continue }
            let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            var rest = length(in: head) - (held - end.upperBound)
            if head.contains("Expect:") { say("HTTP/1.1 100 Continue\r\n\r\n", to: socket) }
            while rest > 0 {
                guard let more = try? Connection.receive(into: &bytes, 0..<bytes.count, of: socket),
                    more > 0
                else { return }
                rest -= more
            }
            received.withLock {
                $0.bytes += length(in: head)
                $0.requests += 1
            }
            held = 0
            reply(to: head, socket)
        }
    }

    private func reply(to head: String, _ socket: Descriptor) {
        if head.hasPrefix("PUT") {
            say("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", to: socket)
        } else {
            let count = head.contains("/small/") ? PlainServer.smallCount : bodyCount
            say(PlainServer.head(count), to: socket)
            try? Connection.send([UInt8](repeating: 0, count: count), to: socket)
        }
    }

    static func head(_ count: Int) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n"
    }

    private func length(in head: String) -> Int {
        let field = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        return field.flatMap { Int($0.dropFirst(16)) } ?? 0
    }

    private func say(_ text: String, to socket: Descriptor) {
        try? Connection.send(Array(text.utf8), to: socket)
    }
}

@Suite struct `The load client` {
    private static let bodyCount = 1 << 20
    private let names = ObjectNames(folder: "get1m")
    private let server: PlainServer

    init() throws { server = try PlainServer(bodyCount: Self.bodyCount) }

    private func plan(_ connections: Int, seconds: Double? = nil) -> LoadPlan {
        let address = ServedAddress(port: server.port, secret: nil, congestionControl: nil)
        return LoadPlan(address, connections: connections, seconds: seconds)
    }

    @Test func `drops bodies to their last byte, each connection as often as it should`() throws {
        var client = try LoadLoop()
        let tally = try client.getFirst(names, bodyCount: Self.bodyCount, times: 3, plan(4))
        #expect(tally.objectCount == 12)
        #expect(server.counts.requests == 12)
        #expect(tally.latencies.count == 0)
    }

    @Test func `ends when an answer is shorter than it should be`() throws {
        var client = try LoadLoop()
        #expect(throws: LoadFailure.lengthChanged(of: names.path(0))) {
            _ = try client.getFirst(names, bodyCount: Self.bodyCount + 1, times: 1, plan(1))
        }
    }

    @Test(arguments: [true, false])
    func `sends bodies out of a file, whether it is invited or not`(invited: Bool) throws {
        let file = "/tmp/millrace-bench-\(Clocks.now())"
        let source = try SourceFile(path: file, count: 4 << 20, seed: 1)
        try FileManager.default.removeItem(atPath: file)
        let objects = FileObjects(names: names, bodyCount: 3 << 20, source: source)
        var client = try LoadLoop()
        let (tally, used) = try client.put(objects, 7..<12, expectsContinue: invited, plan(2))
        #expect(used == 7..<12)
        #expect(tally.objectCount == 5)
        #expect(server.counts == (bytes: 5 * (3 << 20), requests: 5))
    }

    @Test func `on a schedule asks as often as requests are due`() throws {
        var client = try LoadLoop()
        var plan = plan(2, seconds: 0.1)
        plan.pace = Pace(perSecond: 200)
        let tally = try client.getDropped(
            names, objectCount: 3, bodyCount: Self.bodyCount, plan)
        #expect(tally.latencies.count == 20)
        #expect(tally.objectCount == 0)
        #expect(server.counts.requests == 20)
    }

    @Test func `ends when there is nothing left to ask though more would be due`() throws {
        let file = "/tmp/millrace-bench-\(Clocks.now())"
        let source = try SourceFile(path: file, count: 1 << 20, seed: 1)
        try FileManager.default.removeItem(atPath: file)
        let objects = FileObjects(names: names, bodyCount: 64 << 10, source: source)
        var client = try LoadLoop()
        var plan = plan(2, seconds: 600)
        // So slow that each is answered before the next is due.
        plan.pace = Pace(perSecond: 20)
        let (tally, used) = try client.put(objects, 0..<3, expectsContinue: false, plan)
        #expect(tally.latencies.count == 3)
        #expect(used == 0..<3)
    }

    @Test func `stops its schedule when the downloads beside it are through`() throws {
        var client = try LoadLoop()
        var plan = plan(3)
        plan.pace = Pace(perSecond: 500, firstConnection: 2)
        let gets = SmallObjects(
            names: ObjectNames(folder: "small"), bodyCount: PlainServer.smallCount, seed: 1)
        let count = PlainServer.head(PlainServer.smallCount).utf8.count + PlainServer.smallCount
        let tally = try client.getBeside(
            names, bodyCount: Self.bodyCount, downloadCount: 2, gets: gets,
            responseCounts: [count], plan)
        #expect(tally.objectCount == 2)
        // The first is due at once.
        #expect(tally.latencies.count >= 1)
        #expect(server.counts.requests == 2 + Int(tally.latencies.count))
    }

    @Test func `mixes uploads into downloads, and counts both`() throws {
        var client = try LoadLoop()
        let names = ObjectNames(folder: "small")
        let objects = SmallObjects(names: names, bodyCount: PlainServer.smallCount, seed: 1)
        let count = PlainServer.head(PlainServer.smallCount).utf8.count + PlainServer.smallCount
        let (tally, used) = try client.mix(
            gets: objects, responseCounts: [count], puts: objects, 0..<20, plan(4))
        // It ends when a connection should upload and there is nothing left.
        #expect(used == 0..<20)
        #expect(tally.objectCount > 20)
        #expect(server.counts == (bytes: 20 * PlainServer.smallCount, requests: tally.objectCount))
    }
}
