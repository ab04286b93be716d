// Goal:   over a link between two networks bytes come as they were sent, both ways, however they
//         are read; an end of one direction leaves the other open; a cut ends connections at both
//         ends; what it loses is known at both; and nothing of the lab is left behind.
// Method: sockets of this process in both networks (root, TUN, tc; loudly skipped without).

import BenchMachine
import Engine
import Foundation
import Glibc
import IO
import Testing

@testable import BenchNetwork

/// Nil, and a word why, where no lab can be made.
private func lab(_ link: LinkCharacter) throws -> RealLink? {
    do throws(RealLink.Refusal) {
        return try RealLink(link, seed: 1, congestionControl: "cubic")
    } catch {
        // As root with the programs there, anything is a failure.
        guard !Limits.isRoot || error.description.contains("cannot be run") else { throw error }
        print("SKIPPED: needs networks of its own: \(error)")
        return nil
    }
}

/// A connection over the link, both ends in this process.
private struct Line {
    let client: Descriptor
    let server: Descriptor

    init(_ link: RealLink) throws {
        let (listener, port) = try link.server.inside { try Line.listener() }
        defer { close(listener) }
        client = try link.client.inside {
            try Connection.open(
                to: RealLink.serverNumber, port: port, congestionControl: "cubic",
                patienceSeconds: 20)
        }
        let accepted = accept(listener, nil, nil)
        try #require(accepted >= 0)
        server = Descriptor(accepted)
    }

    private static func listener() throws -> (Int32, UInt16) {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(made >= 0 && listen(made, 4) == 0)
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(made, $0, &size)
            }
        }
        try #require(status == 0)
        return (made, UInt16(bigEndian: name.sin_port))
    }

    func end() {
        OpenFile.close(client)
        OpenFile.close(server)
    }
}

private func bytes(_ count: Int, seed: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31 &+ seed) ^ ($0 >> 8)) }
}

/// All until the other end's end, in pieces of at most `piece`.
private func all(of socket: Descriptor, piece: Int) throws -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: piece)
    while true {
        let count = try Connection.receive(into: &buffer, 0..<piece, of: socket)
        guard count > 0 else { return received }
        received += buffer[..<count]
    }
}

/// What this kernel knows of a connection.
private func sample(_ socket: Descriptor) throws -> LinkSample {
    var info = [UInt8](repeating: 0, count: LinkSample.kernelBytesMax)
    var size = socklen_t(info.count)
    let (level, option) = (Int32(IPPROTO_TCP), Int32(11))  // TCP_INFO
    let status = unsafe getsockopt(socket.number, level, option, &info, &size)
    try #require(status == 0)
    return LinkSample(kernel: info.span.extracting(0..<Int(size)), now: Clocks.now())
}

/// The networks that descriptors and tasks of this process are in.
private func networks() -> Set<String> {
    let files = FileManager.default
    var names: Set<String> = []
    for directory in ["/proc/self/fd", "/proc/self/task"] {
        for entry in TextFile.names(in: directory) {
            let path = "\(directory)/\(entry)" + (directory.hasSuffix("fd") ? "" : "/ns/net")
            if let target = try? files.destinationOfSymbolicLink(atPath: path),
                target.hasPrefix("net:")
            {
                names.insert(target)
            }
        }
    }
    return names
}

@Suite(.serialized) struct `A real link` {
    @Test func `changes no byte, and lets one direction end before the other`() throws {
        // 16 ms, 40 Mbit/s, with jitter.
        let character = LinkCharacter(
            megabitsPerSecond: 40, roundTripMilliseconds: 16, jitterMilliseconds: 4)
        guard let link = try lab(character) else { return }
        defer { link.stop() }
        #expect(link.congestionControl == "cubic")
        let line = try Line(link)
        defer { line.end() }
        let (up, down) = (bytes(700_000, seed: 1), bytes(20_000, seed: 2))
        let sender = Thread {
            try? Connection.send(up, to: line.client)
            shutdown(line.client.number, Int32(SHUT_WR))
        }
        sender.start()
        #expect(try all(of: line.server, piece: 50_000) == up)
        try Connection.send(down, to: line.server)
        shutdown(line.server.number, Int32(SHUT_WR))
        // Tiny reads.
        #expect(try all(of: line.client, piece: 7) == down)
        let counts = link.relay.counts
        #expect(counts.clientBytes > 700_000 && counts.serverBytes > 20_000 && counts.cuts == 0)
    }

    @Test func `cuts at both ends, and carries the next connection`() throws {
        let calm = LinkCharacter(megabitsPerSecond: 40, roundTripMilliseconds: 4)
        guard let link = try lab(calm) else { return }
        defer { link.stop() }
        let line = try Line(link)
        defer { line.end() }
        let hello = bytes(5000, seed: 3)
        try Connection.send(hello, to: line.client)
        var buffer = [UInt8](repeating: 0, count: 5000)
        var count = 0
        while count < 5000 {
            count += try Connection.receive(into: &buffer, count..<5000, of: line.server)
        }
        #expect(buffer == hello)
        var bad = calm
        bad.secondsBetweenCuts = 0.001
        link.relay.restart(bad, seed: 1)
        // Neither end sends any more: both are told.
        for end in [line.client, line.server] {
            #expect(throws: KernelError(code: ECONNRESET)) {
                try Connection.receive(into: &buffer, 0..<1, of: end)
            }
        }
        #expect(link.relay.counts.cuts >= 1)
        link.relay.restart(calm, seed: 1)
        let next = try Line(link)
        defer { next.end() }
        try Connection.send([42], to: next.server)
        #expect(try Connection.receive(into: &buffer, 0..<1, of: next.client) == 1)
        #expect(buffer[0] == 42 && link.relay.counts.cuts == 0)
    }

    @Test func `has either end know what it loses, and how long segments are`() throws {
        // Some twenty segments are under way, all behind a gap each time that one is lost.
        let character = LinkCharacter(
            megabitsPerSecond: 40, roundTripMilliseconds: 20, lossShare: 0.005)
        guard let link = try lab(character) else { return }
        defer { link.stop() }
        let line = try Line(link)
        defer { line.end() }
        let body = bytes(4 << 20, seed: 4)
        Thread {
            try? Connection.send(body, to: line.client)
            shutdown(line.client.number, Int32(SHUT_WR))
        }.start()
        var (sender, receiver) = (LinkEstimator(), LinkEstimator())
        var (buffer, count, next) = ([UInt8](repeating: 0, count: 64 << 10), 0, UInt64(0))
        while count < body.count {
            count += try Connection.receive(into: &buffer, 0..<buffer.count, of: line.server)
            guard Clocks.now() >= next else { continue }
            next = Clocks.now() + 50_000_000
            sender.observe(try sample(line.client), .download)
            receiver.observe(try sample(line.server), .upload)
        }
        let seen = try sample(line.server)
        #expect((1000...1460).contains(seen.receivedSegmentBytes ?? 0))
        // Some fifteen losses, as they happen to fall.
        for share in [sender.estimate.lossShare, receiver.estimate.lossShare] {
            let share = try #require(share)
            #expect(share > 0.0015 && share < 0.015, "\(share)")
        }
        let outOfOrder = Double(seen.segmentsOutOfOrder ?? 0) / Double(seen.segmentsReceived ?? 1)
        #expect(outOfOrder > 0.02, "they came in order for the most part")
    }

    @Test func `leaves no network behind, and no thread in one`() throws {
        let before = networks()
        do {
            let character = LinkCharacter(megabitsPerSecond: 40, roundTripMilliseconds: 4)
            guard let link = try lab(character) else { return }
            #expect(networks().subtracting(before).count == 2)
            #expect(FileManager.default.fileExists(atPath: link.client.path))
            link.stop()
            // Once more does no harm.
            link.stop()
        }
        // The relay's thread lets go of its devices after it has said that it carries no more.
        for _ in 0..<1000 where networks() != before { Clocks.sleep(milliseconds: 10) }
        #expect(networks() == before)
    }
}
