// Goal:   what is remembered of clients outlives a restart, can be seen and taken back, and is in
//         nobody's way: not when the catalog refuses it, nor when it makes no sense.
// Method: a front on a store (StoredBed), whose catalog is looked into and told to fail.

import Catalog
import Engine
import IO
import Loop
import Simulator
import Store
import Synchronization
import Testing

@testable import Server

/// As `struct sockaddr_in` lies in memory.
private let address: [UInt8] = [2, 0, 0x1f, 0x90, 192, 0, 2, 17] + [UInt8](repeating: 0, count: 8)
private let network = "network:192.0.2.0/24"

private func key(_ text: String) -> ClientKey {
    guard let key = ClientKey(text: Array(text.utf8)) else { preconditionFailure("no key") }
    return key
}

@Suite struct `What is remembered of clients` {
    private let catalog = MemoryCatalog(instance: StoredBed.instance)
    private let disk = SimulatedDisk()
    private let log = Log()

    /// What was logged.
    private final class Log: Sendable {
        private let kept = Mutex<[String]>([])
        var lines: [String] { kept.withLock { $0 } }
        func append(_ line: String) { kept.withLock { $0.append(line) } }
    }

    private func stored() -> [String: ClientProfile] {
        var profiles: [String: ClientProfile] = [:]
        do {
            try catalog.makeReader().forEachProfile { bytes, value in
                let text = ClientKey(bytes: bytes).map { String(decoding: $0.text, as: UTF8.self) }
                profiles[text ?? "\(bytes)"] = ClientProfile(encoded: value) ?? ClientProfile()
            }
        } catch {
            Issue.record("the catalog could not be read: \(error)")
        }
        return profiles
    }

    /// One life of a server, which begins by reading the catalog.
    private func live(
        remembering: Bool = true, _ body: (StoredBed, ClientProfiles) throws -> Void
    ) throws {
        var settings = StoredBed.lasting()
        let profiles = ClientProfiles(secondsKept: 3600)
        if remembering { settings.profiles = profiles }
        settings.log = { [log] in log.append($0) }
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            let (core, shared) = (bed.front.core, bed.shared)
            try bed.front.finish {
                await core.setPeers([core])
                await core.loadProfiles(from: shared)
            }
            try body(bed, profiles)
            _ = try bed.front.finish { await core.saveProfiles() }
        }
    }

    private func note(_ client: String, _ profiles: ClientProfiles, _ bed: StoredBed) {
        let now = bed.front.loop.wallSeconds
        profiles.with { $0.update(key(client), now: now) { $0.transfers += 1 } }
    }

    @Test func `is in the catalog within seconds, and there again after a restart`() throws {
        try live { bed, profiles throws in
            note("user:sub:me", profiles, bed)
            #expect(stored().isEmpty)
            bed.front.pass(seconds: 11)
            #expect(stored()["user:sub:me"]?.transfers == 1)
            note("user:sub:me", profiles, bed)
            note(network, profiles, bed)
        }
        #expect(stored().mapValues(\.transfers) == ["user:sub:me": 2, network: 1])
        try live { bed, profiles throws in
            let now = bed.front.loop.wallSeconds
            let found = profiles.with { $0.profile(of: key("user:sub:me"), now: now) }
            #expect(found?.transfers == 2)
        }
        #expect(log.lines.isEmpty)
    }

    @Test func `is forgotten where nobody is to be remembered`() throws {
        try live { bed, profiles throws in
            for number in 0..<1500 { note("user:\(number)", profiles, bed) }
        }
        #expect(stored().count == 1500)
        try live(remembering: false) { bed, _ throws in
            #expect(stored().isEmpty)
            let refused = bed.ask("GET", "/admin/profiles")
            #expect(refused?.status == 404)
            #expect(refused?.text.contains("client_profiling") == true)
        }
    }

    @Test func `that makes no sense is dropped, and the rest is kept`() throws {
        try live { bed, profiles in note("user:a", profiles, bed) }
        try catalog.commit(
            [
                .putProfile(key: key("user:b").bytes, value: [1, 2, 3]),
                .putProfile(key: [77, 1], value: []),
            ], applied: 0)
        try live { bed, _ throws in
            bed.front.pass(seconds: 11)
            #expect(stored().keys.sorted() == ["user:a"])
            #expect(bed.front.core.assumeIsolated { $0.counters.profilesDropped } == 2)
        }
    }

    @Test func `is tried again when the catalog refuses it, and complained of once`() throws {
        try live { bed, profiles throws in
            note("user:a", profiles, bed)
            for number in 1...3 {
                catalog.fail(commit: number, .before(.full(limitBytes: 1)))
            }
            bed.front.pass(seconds: 25)
            #expect(stored().isEmpty)
            #expect(log.lines.count == 1)
            #expect(bed.front.core.assumeIsolated { $0.counters.profileSaveErrors } >= 2)
            bed.front.pass(seconds: 25)
            #expect(stored().count == 1)
            #expect(try bed.put("after", [1, 2, 3]) == 201)
            bed.get("after")
        }
        #expect(log.lines.count == 1)
    }

    // MARK: The operator

    @Test func `is listed, page by page`() throws {
        try live { bed, profiles throws in
            for name in ["c", "a", "b"] { note("user:\(name)", profiles, bed) }
            note(network, profiles, bed)
            let first = try #require(bed.ask("GET", "/admin/profiles?limit=3"))
            #expect(first.status == 200)
            #expect(first.member("next") == "user:c")
            for name in ["a", "b", "c"] {
                #expect(first.text.contains(#"{"client":"user:\#(name)","#))
            }
            #expect(first.text.contains(#""transfers":1,"#))
            let second = try #require(bed.ask("GET", "/admin/profiles?limit=3&after=user%3Ac"))
            #expect(second.text.contains(#"{"client":"\#(network)","#))
            #expect(second.member("next") == "null")
        }
    }

    @Test func `is taken back, one or all, before that is said to be done`() throws {
        try live { bed, profiles throws in
            for name in ["a", "b", "c"] { note("user:\(name)", profiles, bed) }
            bed.front.pass(seconds: 11)
            #expect(stored().count == 3)
            #expect(bed.ask("DELETE", "/admin/profiles?client=user%3Ab")?.status == 204)
            #expect(stored().keys.sorted() == ["user:a", "user:c"])
            #expect(bed.ask("DELETE", "/admin/profiles?client=user%3Ab")?.status == 404)

            catalog.fail(commit: 1, .before(.full(limitBytes: 1)))
            #expect(bed.ask("DELETE", "/admin/profiles?client=user%3Aa")?.status == 503)
            bed.front.pass(seconds: 11)
            #expect(stored().keys.sorted() == ["user:c"])

            #expect(bed.ask("DELETE", "/admin/profiles?all=true")?.status == 204)
            #expect(stored().isEmpty)
            #expect(bed.ask("DELETE", "/admin/profiles?all=true")?.status == 204)
        }
    }

    @Test func `is nobody else's to see, and no mistake takes it back`() throws {
        try live { bed, profiles throws in
            note("user:a", profiles, bed)
            for method in ["GET", "DELETE"] {
                let target = "/admin/profiles?client=user%3Aa"
                let head = "\(method) \(target) HTTP/1.1\r\nHost: h\r\n"
                #expect(bed.exchange(head + "\r\n").answer?.status == 401)
                let foreign = "Authorization: Bearer other\r\n\r\n"
                #expect(bed.exchange(head + foreign).answer?.status == 403)
            }
            for query in [
                "", "?client=a", "?client=", "?client=user%3Aa&client=user%3Aa", "?all=yes",
                "?all=true&all=true", "?all",
            ] {
                #expect(bed.ask("DELETE", "/admin/profiles\(query)")?.status == 400, "\(query)")
            }
            for query in ["?prefix=a", "?after=a", "?limit=0", "?x=1"] {
                #expect(bed.ask("GET", "/admin/profiles\(query)")?.status == 400, "\(query)")
            }
            #expect(bed.ask("POST", "/admin/profiles", [], [])?.status == 405)
            #expect(profiles.with { $0.count } == 1)
        }
    }

    // MARK: Who it is of

    private func clientKey(_ bed: StoredBed, owner: String = "") throws -> ClientKey? {
        let client = bed.front.connect()
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        bed.front.settle()
        let core = bed.front.core
        let slot = core.assumeIsolated { core in
            (0..<core.connections.slotEnd).first { core.connections.isOpen($0) } ?? -1
        }
        let key = try bed.front.finish {
            await core.clientKey(slot, owner: Array(owner.utf8))
        }
        client.endSending()
        bed.front.pass(seconds: 5)
        return key
    }

    @Test func `is of the token's subject, else of the network`() throws {
        try live { bed, _ throws in
            bed.front.address = address
            #expect(try clientKey(bed) == key(network))
            #expect(try clientKey(bed, owner: "sub:me") == key("user:sub:me"))
            // A token or secret that many share says nothing of who they are.
            #expect(try clientKey(bed, owner: "uploadToken") == key(network))
            bed.front.address = [2, 0, 0, 0, 127, 0, 0, 1]
            #expect(try clientKey(bed) == nil)
            bed.front.address = []
            #expect(try clientKey(bed) == nil)
        }
    }

    /// The kernel does not tell of such a connection whose it was.
    @Test func `has the transfers that ended with a reset`() throws {
        try live { bed, profiles throws in
            bed.front.address = address
            let client = bed.front.connect()
            client.send(try bed.signed("a", 1_000_000))
            client.send(noise(500_000, seed: 3))
            bed.front.settle()
            bed.front.reset(client)
            let now = bed.front.loop.wallSeconds
            let found = profiles.with { $0.profile(of: key(network), now: now) }
            #expect(found?.transfers == 1)
            #expect(found?.history.failures == 1)
        }
    }

    /// A connection stays where it is.
    @Test func `asks the kernel once a connection where it comes from`() throws {
        try live { bed, profiles throws in
            bed.front.address = address
            let client = bed.front.connect()
            for name in ["a", "b", "c"] {
                client.forgetOutput()
                client.send(try bed.signed(name, 1_000_000))
                bed.front.settle()
                client.send(noise(1_000_000, seed: 3))
                bed.front.settle()
                #expect(client.finalResponse?.status == 201)
            }
            #expect(bed.front.plan.counts[.peerAddress] == 1)
            let now = bed.front.loop.wallSeconds
            let found = profiles.with { $0.profile(of: key(network), now: now) }
            #expect(found?.transfers == 3)
            client.endSending()
            bed.front.pass(seconds: 5)
        }
    }

    @Test func `is of nobody where the address is not to be had`() throws {
        try live { bed, _ throws in
            bed.front.address = address
            bed.front.plan.strike(.peerAddress, number: 1, with: .error(KernelError(code: 107)))
            #expect(try clientKey(bed) == nil)
            #expect(try clientKey(bed) == key(network))
        }
        try live(remembering: false) { bed, _ throws in
            bed.front.address = address
            #expect(try clientKey(bed, owner: "sub:me") == nil)
        }
    }
}
