// Goal:   many clients at once, on several cores and with little memory, all get what they came
//         for; those who vanish leave nothing behind.

import Foundation
import Glibc
import Synchronization
import Testing

/// Runs `body` for 0..<count on that many threads and hands on the first error.
func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failure = Mutex<(any Error)?>(nil)
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        let thread = Thread {
            do { try body(index) } catch { failure.withLock { $0 = $0 ?? error } }
            group.leave()
        }
        thread.stackSize = 256 << 10
        thread.start()
    }
    group.wait()
    if let error = failure.withLock({ $0 }) { throw error }
}

@Suite(.serialized) struct `Many clients` {
    /// 8 MiB a core leave three for uploads: 120 of them do not fit at once by far.
    @Test(arguments: [30_000, 65_536, 300_000])
    func `upload with fewer buffers than there are uploads`(size: Int) throws {
        var options = ServerOptions()
        options.memoryPerCore = "8MiB"
        let server = try RunningServer(options)
        try inParallel(120) { index in
            let bytes = pattern(size, seed: index)
            let put = try server.put("object\(index)", bytes)
            #expect(put.status == 201)
        }
        try inParallel(120) { index in
            let get = try server.get("object\(index)")
            #expect(get.body == pattern(size, seed: index))
        }
        // Repeated ones need two buffers each: theirs, and one for what is stored.
        try inParallel(60) { index in
            let bytes = pattern(size, seed: index)
            let put = try server.put("object\(index)", bytes)
            #expect(put.status == 201)
        }
        let total = try server.metric("pool_bytes")
        #expect(try eventually { try server.metric("pool_free_bytes") == total })
        #expect(server.stop() == 0)
    }

    @Test func `find all objects on every core`() throws {
        var options = ServerOptions()
        options.cores = "0,1"
        guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= 2 else {
            print("SKIPPED: two cores cannot be tested on a machine with one")
            return
        }
        let server = try RunningServer(options)
        // Each thread opens connections anew, which the kernel spreads over both listeners.
        try inParallel(8) { thread in
            for index in 0..<12 {
                let (name, size) = ("o\(thread)-\(index)", [100, 5000, 150_000][index % 3])
                let bytes = pattern(size, seed: thread * 100 + index)
                let put = try server.put(name, bytes)
                #expect(put.status == 201)
                for _ in 0..<3 {
                    let get = try server.get(name)
                    #expect(get.body == bytes)
                }
                if index.isMultiple(of: 4) {
                    let delete = try server.delete(name)
                    #expect(delete.status == 204)
                    for _ in 0..<4 {
                        let get = try server.get(name)
                        #expect(get.status == 404)
                    }
                }
            }
        }
        #expect(server.stop() == 0)
        let again = try RunningServer(options, in: server.scratch)
        for index in 0..<12 {
            let get = try again.get("o3-\(index)")
            #expect(get.status == (index.isMultiple(of: 4) ? 404 : 200))
        }
        #expect(again.stop() == 0)
    }

    @Test func `upload under one name, and one of them wins`() throws {
        let server = try SharedServer.get()
        for size in [500, 100_000] {
            let name = SharedServer.name()
            let created = Mutex<[Int]>([])
            try inParallel(8) { index in
                let put = try server.put(name, pattern(size, seed: index % 4))
                #expect(put.status == 201 || put.status == 409)
                if put.status == 201 { created.withLock { $0.append(index % 4) } }
            }
            let seeds = Set(created.withLock { $0 })
            #expect(seeds.count == 1)
            let seed = try #require(seeds.first)
            #expect(try SharedServer.get().get(name).body == pattern(size, seed: seed))
        }
    }

    @Test func `delete what others are reading, who get all of it`() throws {
        let server = try RunningServer()
        let bytes = pattern(8 << 20, seed: 5)
        for _ in 0..<5 {
            let writer = try RawClient(server.port)
            #expect(try writer.put("a", bytes).status == 201)
            let reader = try RawClient(server.port, receiveBufferBytes: 4096)
            try reader.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try writer.delete("a").status == 204)
            // Whatever takes the freed space now must not show up with the reader.
            #expect(try writer.put("b", pattern(8 << 20, seed: 6)).status == 201)
            #expect(try reader.response().body == bytes)
            #expect(try writer.delete("b").status == 204)
        }
        #expect(server.stop() == 0)
    }
}

@Suite(.serialized) struct `A client that vanishes` {
    /// How many uploads of that size the store has room for: each is reserved before its body.
    static func roomLeft(_ server: RunningServer, unit size: Int = 48 << 20) throws -> Int {

        var clients: [RawClient] = []
        let before = try server.metric("upload_errors_total")
        var refusals = 0
        while clients.count < 100 {
            let client = try RawClient(server.port)
            try client.send(
                "PUT \(Signing.v("room\(clients.count)", size)) HTTP/1.1\r\nHost: h\r\n"
                    + "Content-Length: \(size)\r\nExpect: 100-continue\r\n\r\n")
            guard let answer = try? client.response() else {
                throw Problem("no answer to upload \(clients.count): \(server.log)")
            }
            if answer.status == 507 {
                refusals = 1
                break
            }
            guard answer.status == 100 else { throw Problem("\(answer.status)") }
            clients.append(client)
        }
        for client in clients { client.reset() }
        let errors = before + clients.count + refusals
        guard try eventually({ try server.metric("upload_errors_total") >= errors }) else {
            throw Problem("uploads whose clients are gone go on")
        }
        return clients.count
    }

    @Test func `gives its space back`() throws {
        var options = ServerOptions()
        options.capacity = "700MiB"
        options.limits = "reserved_size = \"100%\""
        let server = try RunningServer(options)
        let room = try `A client that vanishes`.roomLeft(server)
        #expect(room > 3)
        let total = try server.metric("pool_bytes")
        for round in 0..<3 {
            try inParallel(10) { index in
                for (size, sent) in [(100, 50), (60_000, 10), (1 << 20, 700_000), (5 << 20, 1)] {
                    let client = try RawClient(server.port)
                    let name = "gone\(round)-\(index)-\(size)"
                    try client.send(
                        "PUT \(Signing.v(name, size)) HTTP/1.1\r\nHost: h\r\n"
                            + "Content-Length: \(size)\r\n\r\n")
                    try client.send(pattern(sent, seed: 1))
                    if index.isMultiple(of: 2) { client.reset() } else { client.close() }
                }
            }
        }
        #expect(try eventually { try server.metric("connections") <= 1 })
        #expect(try server.metric("pool_free_bytes") == total)
        // What came of more than 64 KiB stays for its client, until that gives it up.
        let giving = try RawClient(server.port)
        for name in 0..<30 {
            let target = Signing.v("gone\(name / 10)-\(name % 10)-\(1 << 20)", 1 << 20)
            let status = try giving.exchange("DELETE", target).status
            // A reset may have overtaken the bytes; then nobody may delete without a token.
            #expect(status == 204 || (status == 401 && name.isMultiple(of: 2)))
        }
        #expect(try server.metric("unfinished_uploads") == 0)
        let left = try eventually { try `A client that vanishes`.roomLeft(server) == room }
        #expect(left)
        // Nor is anything published.
        let client = try RawClient(server.port)
        let page = try client.get(
            "admin/objects", "Authorization: Bearer \(RunningServer.adminToken)")
        #expect(page.text == "{\"objects\":[],\"next\":null}\n")
        #expect(server.stop() == 0)
    }

    @Test func `in the middle of a download leaves no buffer behind`() throws {
        let server = try RunningServer()
        #expect(try server.put("a", pattern(6 << 20, seed: 1)).status == 201)
        let total = try server.metric("pool_bytes")
        try inParallel(10) { index in
            let client = try RawClient(server.port, receiveBufferBytes: 4096)
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try client.receive(atMost: 100)
            if index.isMultiple(of: 2) { client.reset() } else { client.close() }
        }
        #expect(try eventually { try server.metric("connections") <= 1 })
        #expect(try server.metric("pool_free_bytes") == total)
        #expect(server.stop() == 0)
    }

    @Test func `finds a full store full, and an emptied one empty`() throws {
        var options = ServerOptions()
        options.capacity = "700MiB"
        options.limits = "reserved_size = \"100%\""
        let server = try RunningServer(options)
        let room = try `A client that vanishes`.roomLeft(server)
        let bytes = pattern(48 << 20, seed: 1)
        let client = try RawClient(server.port)
        for index in 0..<room {
            #expect(try client.put("full\(index)", bytes).status == 201)
        }
        try client.send(
            "PUT \(Signing.v("more", 48 << 20)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(48 << 20)\r\n\r\n")
        #expect(try client.response().status == 507)
        #expect(server.log.contains("no space is left"))
        let other = try RawClient(server.port)
        for index in 0..<room { #expect(try other.delete("full\(index)").status == 204) }
        let isEmpty = try eventually { try `A client that vanishes`.roomLeft(server) == room }
        #expect(isEmpty)
        #expect(server.stop() == 0)
    }
}
