// Goal:   a server that is killed loses nothing it has acknowledged, deletes included, brings
//         nothing back, and leaks no space.
// Method: clients put and delete until the kill, fifty times over the same data.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite(.serialized) struct `A killed server` {
    /// What the clients know of one name.
    private enum Known { case stored(size: Int, seed: Int), deleted, unknown }

    private final class Ledger: Sendable {
        private let names = Mutex<[String: Known]>([:])
        let acknowledged = Atomic<Int>(0)

        func note(_ name: String, _ known: Known) {
            names.withLock { $0[name] = known }
            switch known {
            case .unknown: break
            case .stored, .deleted: acknowledged.add(1, ordering: .relaxed)
            }
        }

        var all: [String: Known] { names.withLock { $0 } }
    }

    private static let sizes = [1, 3000, 65_536, 66_000, 400_000, 1_200_000]

    /// Puts, and deletes every fourth, until the connection breaks.
    private static func work(_ port: UInt16, _ prefix: String, _ ledger: Ledger) {
        guard let client = try? RawClient(port) else { return }
        for index in 0..<10_000 {
            let (name, size) = ("\(prefix)-\(index)", sizes[index % sizes.count])
            ledger.note(name, .unknown)
            guard let put = try? client.put(name, pattern(size, seed: index)) else { return }
            guard put.status == 201 else {
                Issue.record("\(name): \(put.status) \(put.text)")
                return
            }
            ledger.note(name, .stored(size: size, seed: index))
            guard index % 4 == 3 else { continue }
            ledger.note(name, .unknown)
            guard let delete = try? client.delete(name), delete.status == 204 else { return }
            ledger.note(name, .deleted)
        }
    }

    private func check(
        _ server: RunningServer, _ names: [String: Known], round: Int
    ) throws {
        let client = try RawClient(server.port)
        for (name, known) in names {
            guard let get = try? client.get(name) else {
                throw Problem("\(name) after kill \(round): no answer; \(server.log)")
            }
            switch known {
            case .stored(let size, let seed):
                #expect(get.status == 200, "\(name) after kill \(round)")
                #expect(get.body == pattern(size, seed: seed), "\(name) after kill \(round)")
            case .deleted:
                #expect(get.status == 404, "\(name) after kill \(round)")
            case .unknown:
                #expect(get.status == 200 || get.status == 404)
            }
        }
    }

    private func bytes(ofVolumes volumeClass: String, in server: RunningServer) throws -> Int {
        let directory = server.dataPath + "/volumes"
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        return try names.filter { $0.hasPrefix(volumeClass) }.reduce(0) { total, name in
            let facts = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
            return total + ((facts[.size] as? NSNumber)?.intValue ?? 0)
        }
    }

    @Test func `loses nothing that it acknowledged, and leaks no space`() throws {
        var options = ServerOptions()
        options.capacity = "1200MiB"
        options.limits = "reserved_size = \"100%\""
        let scratch = try ScratchDirectory()
        var server = try RunningServer(options, in: scratch)
        let roomAtFirst = try `A client that vanishes`.roomLeft(server, unit: 16 << 20)
        let smallAtFirst = try bytes(ofVolumes: "small", in: server)
        let ledger = Ledger()
        var checked: Set<String> = []
        for round in 0..<50 {
            let port = server.port
            let before = ledger.acknowledged.load(ordering: .relaxed)
            let wanted = before + Int.random(in: 1...24)
            let group = DispatchGroup()
            for worker in 0..<3 {
                DispatchQueue.global().async(group: group) {
                    `A killed server`.work(port, "r\(round)w\(worker)", ledger)
                }
            }
            #expect(eventually { ledger.acknowledged.load(ordering: .relaxed) >= wanted })
            server.process.end(SIGKILL)
            group.wait()
            server = try RunningServer(options, in: scratch)
            let fresh = ledger.all.filter { !checked.contains($0.key) }
            try check(server, fresh, round: round)
            checked.formUnion(fresh.keys)
        }
        try check(server, ledger.all, round: 50)

        let client = try RawClient(server.port)
        for name in ledger.all.keys {
            guard (try? client.delete(name)) != nil else {
                throw Problem("deleting \(name): no answer; \(server.log)")
            }
        }
        let taken = try bytes(ofVolumes: "small", in: server) - smallAtFirst
        let lost = (taken + (16 << 20) - 1) / (16 << 20)
        let hasRoom = try eventually {
            try `A client that vanishes`.roomLeft(server, unit: 16 << 20) >= roomAtFirst - lost
        }
        #expect(hasRoom, "of \(roomAtFirst), \(taken >> 20) MiB more are in small volumes")
        #expect(taken <= 256 << 20)
        #expect(server.stop() == 0)
    }
}
