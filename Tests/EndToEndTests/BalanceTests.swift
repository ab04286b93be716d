// Goal:   a few connections keep all cores busy: none has more than 1.25 times another's.
// Method: a server on two cores; its metrics page says who has what.

import Foundation
import Glibc
import Testing

/// A server on two cores; nil, with a line that says so, on a machine with one.
private func serverOnTwoCores(steering: String = "hash") throws -> RunningServer? {
    guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= 2 else {
        print("SKIPPED: two cores cannot be tested on a machine with one")
        return nil
    }
    var options = ServerOptions()
    options.cores = "0,1"
    options.steering = steering
    return try RunningServer(options)
}

@Suite(.serialized) struct `Connections to two cores` {
    /// Of each core, without the one that asks: core 0 has it, and for a moment the one before.
    private func counts(_ server: RunningServer) throws -> [Int] {
        try [0, 1].map { core in
            try server.metric("connections", core: core) - (core == 0 ? 1 : 0)
        }
    }

    private func descriptorCount(_ server: RunningServer) throws -> Int {
        let path = "/proc/\(server.process.identifier)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: path).count
    }

    @Test(arguments: ["hash", "cpu"])
    func `are as many on one as on the other, and all are served`(steering: String) throws {
        guard let server = try serverOnTwoCores(steering: steering) else { return }
        // Connections that found out whether it is ready may still be there.
        let descriptorsBefore = try descriptorCount(server)
        // Left to the kernel, every other round would be 10 to 6 or worse.
        for round in 0..<10 {
            #expect(try eventually { try counts(server) == [0, 0] })
            let clients = try (0..<16).map { _ in try RawClient(server.port) }
            for client in clients { #expect(try client.get("health").status == 200) }
            #expect(try eventually { try counts(server) == [8, 8] }, "round \(round)")
        }
        #expect(try server.metric("connections_handed_over_total") > 0)
        #expect(try eventually { try descriptorCount(server) <= descriptorsBefore })
        #expect(try server.metric("connections_refused_total") == 0)
        #expect(!server.log.contains("cannot be steered"))
        #expect(server.stop() == 0)
    }

    @Test func `are all answered or closed when the server stops, those underway included`()
        throws
    {
        for _ in 0..<5 {
            guard let server = try serverOnTwoCores() else { return }
            let clients = try (0..<32).map { _ in try RawClient(server.port) }
            server.process.signal(SIGTERM)
            for client in clients { #expect(client.isClosedByServer()) }
            #expect(server.process.wait() == 0)
            #expect(!server.log.contains("drain timeout"))
        }
    }

    /// Whichever is on its way from one core to the other, too.
    @Test func `that still come when the server stops are answered or closed, each of them`()
        throws
    {
        for _ in 0..<10 {
            guard let server = try serverOnTwoCores() else { return }
            try inParallel(5) { index in
                if index == 0 {
                    defer { server.process.signal(SIGTERM) }
                    let name = "connections_handed_over_total"
                    return #expect(try eventually { try server.metric(name) >= 100 })
                }
                while server.process.exitStatus == nil {
                    let clients = (0..<8).compactMap { _ in try? RawClient(server.port) }
                    let request = "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
                    for client in clients { try? client.send(request) }
                    for client in clients {
                        let bytes = try client.readToEnd()
                        #expect(bytes.isEmpty || bytes.starts(with: Array("HTTP/1.1 200".utf8)))
                    }
                }
            }
            #expect(server.process.wait() == 0)
            #expect(!server.log.contains("drain timeout"))
        }
    }
}
