// Goal:   a server starts or says why not in one line, stops when told and not before, and finds
//         everything again afterwards.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `A server` {
    @Test func `that is told to stop finishes what is under way, and keeps everything`() throws {
        let server = try RunningServer()
        let scratch = server.scratch
        let (small, large) = (pattern(1000, seed: 1), pattern(3 << 20, seed: 2))
        let client = try RawClient(server.port)
        #expect(try client.put("small", small).status == 201)
        let writer = try RawClient(server.port)
        try writer.send(
            "PUT \(Signing.v("large", large.count)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(large.count)\r\n\r\n")
        try writer.send(Array(large[..<1_000_000]))
        // Counted as whole buffers fill.
        #expect(try eventually { try server.metric("received_bytes_total") > 500_000 })

        server.process.signal(SIGTERM)
        #expect(client.isClosedByServer())
        #expect(eventually { (try? RawClient(server.port)) == nil })
        #expect(server.process.exitStatus == nil)
        try writer.send(Array(large[1_000_000...]))
        let put = try writer.response()
        #expect(put.status == 201)
        #expect(writer.isClosedByServer())
        #expect(server.process.wait() == 0)
        #expect(server.log.contains("stopped"))

        let again = try RunningServer(in: scratch)
        let reader = try RawClient(again.port)
        #expect(try reader.get("small").body == small)
        #expect(try reader.get("large").body == large)
        #expect(again.stop() == 0)
    }

    @Test func `that drains says so where its metrics are, until it has drained`() throws {
        let server = try RunningServer()
        let body = pattern(2 << 20, seed: 3)
        let writer = try RawClient(server.port)
        try writer.send(
            "PUT \(Signing.v("x", body.count)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(body.count)\r\n\r\n")
        try writer.send(Array(body[..<1_000_000]))
        #expect(try eventually { try server.metric("uploads_total") == 1 })
        #expect(try RawClient(server.metricsPort).get("ready").status == 200)
        let idle = try RawClient(server.metricsPort)

        server.process.signal(SIGTERM)
        #expect(
            try eventually { try RawClient(server.metricsPort).get("ready").status == 503 })
        #expect(eventually { (try? RawClient(server.port)) == nil })
        #expect(try RawClient(server.metricsPort).get("ready").text.contains("draining"))
        #expect(try RawClient(server.metricsPort).get("health").status == 200)
        #expect(try server.metric("uploads_total") == 1)

        try writer.send(Array(body[1_000_000...]))
        #expect(try writer.response().status == 201)
        writer.close()
        #expect(server.process.wait() == 0)
        #expect(idle.isClosedByServer())
        #expect(!server.log.contains("drain timeout"))
    }

    @Test func `that is told to stop while it recovers stops, and recovers at the next start`()
        throws
    {
        let first = try RunningServer()
        let scratch = first.scratch
        let body = pattern(40 << 20, seed: 4)
        #expect(try first.put("large", body).status == 201)
        #expect(first.stop() == 0)
        var wasCut = false
        // How long a recovery takes is the machine's affair: some are cut, a quick one may not be.
        for _ in 0..<20 where !wasCut {
            // Without its catalog it has to read everything.
            try FileManager.default.removeItem(atPath: first.dataPath + "/catalog")
            let (process, log) = try RunningServer.launch(ServerOptions(), in: scratch)
            #expect(eventually { RunningServer.text(log).contains("listening on") })
            #expect(process.end(SIGTERM) == 0)
            let text = RunningServer.text(log)
            #expect(text.contains(" stopped"))
            wasCut = text.contains("recovery is cut short") && !text.contains(" recovered ")
        }
        #expect(wasCut)
        let again = try RunningServer(in: scratch)
        #expect(try again.get("large").body == body)
        #expect(again.stop() == 0)
    }

    @Test func `says how much space there is, once for all cores`() throws {
        var options = ServerOptions()
        options.cores = ProcessInfo.processInfo.processorCount > 1 ? "0,1" : "0"
        let server = try RunningServer(options)
        #expect(try server.put("large", pattern(1 << 20, seed: 1)).status == 201)
        let total = try server.metric("volume_bytes")
        let free = try server.metric("volume_free_bytes")
        #expect(free > 0 && free < total)
        #expect(try server.metric("volume_capacity_bytes") == 2 << 30)
        #expect(total <= 2 << 30)
        #expect(try server.metric("failed_volumes") == 0)
        #expect(try eventually { try server.metric("unindexed_changes") == 0 })
        #expect(server.stop() == 0)
    }

    /// A client that announces an upload and does not go on.
    private func stalledUpload(to server: RunningServer) throws -> RawClient {
        let writer = try RawClient(server.port)
        try writer.send(
            "PUT \(Signing.v("x", 100_000)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: 100000\r\n\r\nabc")
        #expect(try eventually { try server.metric("uploads_total") == 1 })
        return writer
    }

    @Test func `with no time to drain ends what is under way at once`() throws {
        var options = ServerOptions()
        options.drainTimeout = "0s"
        let server = try RunningServer(options)
        let writer = try stalledUpload(to: server)
        #expect(server.stop() == 0)
        #expect(writer.isClosedByServer())
    }

    @Test func `prints the secrets it makes on a terminal only`() throws {
        let scratch = try ScratchDirectory()
        let data = scratch.path + "/data"
        let process = try ChildProcess(
            Programs.millrace,
            [
                "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--data", data,
                "--cores", "0",
            ], output: scratch.path + "/output")
        let output = { RunningServer.text(scratch.path + "/output") }
        #expect(eventually { output().contains("listening on") })
        let secrets = RunningServer.text(data + "/secrets")
        let values = secrets.split(separator: "\"").filter { $0.count == 64 }
        #expect(values.count == 2)
        for value in values { #expect(!output().contains(value)) }
        #expect(output().contains("\(data)/secrets"))
        #expect(process.end(SIGTERM) == 0)
    }

    @Test func `ends at once when told twice`() throws {
        let server = try RunningServer()
        let writer = try stalledUpload(to: server)
        defer { writer.close() }
        server.process.signal(SIGINT)
        #expect(eventually { server.log.contains("draining") })
        #expect(server.process.exitStatus == nil)
        server.process.signal(SIGTERM)
        #expect(server.process.wait(withinSeconds: 5) == 1)
    }

    @Test func `ends what does not end by itself when the drain is over`() throws {
        var options = ServerOptions()
        options.drainTimeout = "1s"
        let server = try RunningServer(options)
        let writer = try stalledUpload(to: server)
        defer { writer.close() }
        #expect(server.stop() == 0)
        #expect(server.log.contains("drain timeout"))
    }

    @Test func `does not mind SIGHUP and SIGPIPE`() throws {
        let server = try RunningServer()
        server.process.signal(SIGHUP)
        server.process.signal(SIGPIPE)
        #expect(eventually { server.log.contains("SIGHUP") })
        #expect(try server.get("health").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `has its data directory for itself`() throws {
        let server = try RunningServer()
        let (second, log) = try RunningServer.launch(
            ServerOptions(), in: server.scratch, data: server.dataPath)
        #expect(second.wait() == 1)
        let text = RunningServer.text(log)
        #expect(text.contains("in use by another millrace process"))
        #expect(try server.get("health").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `does not share its port`() throws {
        let server = try RunningServer()
        let scratch = try ScratchDirectory()
        let (second, log) = try RunningServer.launch(
            ServerOptions(), in: scratch, arguments: ["--listen", "127.0.0.1:\(server.port)"])
        #expect(second.wait() == 1)
        #expect(RunningServer.text(log).contains("127.0.0.1:\(server.port) is taken"))
        #expect(server.stop() == 0)
    }

    @Test func `refuses a configuration that it does not understand`() throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write(Array("[server]\nlissen = \"x\"\n".utf8), to: "bad.toml")
        for arguments in [["serve", "--config", file], ["config", "check", file]] {
            let (status, output) = try Programs.run(Programs.millrace, arguments)
            #expect(status == 2)
            #expect(output.contains("bad.toml"))
            #expect(output.contains("2"))
            #expect(output.contains("listen"))
        }
    }

    @Test func `takes the largest limits that its configuration allows`() throws {
        var options = ServerOptions()
        options.limits = """
            head_size = "64KiB"
            target_size = "32KiB"
            fields = 1000
            """
        let server = try RunningServer(options)
        let client = try RawClient(server.port)
        let long = String(repeating: "x", count: 6000)
        let fields = (0..<9).map { "F\($0): \(long)" }
        #expect(try client.exchange("GET", "/health", fields: fields).status == 200)
        // In pieces: most of it has to be put aside.
        let head = "GET /health HTTP/1.1\r\nHost: h\r\n" + fields.joined(separator: "\r\n")
        try client.send(String(head.prefix(50_000)))
        #expect(try eventually { try server.metric("received_bytes_total") > 100_000 })
        try client.send(String(head.dropFirst(50_000)) + "\r\n\r\n")
        #expect(try client.response().status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `serves under its base path`() throws {
        var options = ServerOptions()
        options.basePath = "/up/"
        let server = try RunningServer(options)
        let client = try RawClient(server.port)
        let put = try client.exchange("PUT", "/up" + Signing.v("a/b", 3), body: [1, 2, 3])
        #expect(put.status == 201)
        for _ in 0..<2 { #expect(try client.get("up/a/b").body == [1, 2, 3]) }
        #expect(try client.get("a/b").status == 404)
        #expect(try client.exchange("PUT", Signing.v("a/c", 3), body: [1, 2, 3]).status == 404)
        #expect(try client.get("health").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `answers before it is ready`() throws {
        // The log says where it listens before recovery is over; until then it is not ready.
        let server = try RunningServer()
        let lines = server.log.split(separator: "\n")
        let listening = try #require(lines.firstIndex { $0.contains("listening on") })
        let recovered = try #require(lines.firstIndex { $0.contains("recovered") })
        #expect(listening < recovered)
        let warmed = try #require(lines.firstIndex { $0.contains("the catalog is in memory") })
        #expect(warmed < recovered)
        #expect(lines[warmed].contains(" bytes=") && lines[warmed].contains(" milliseconds="))
        #expect(server.stop() == 0)
    }

    @Test func `needs a file system with direct access`() throws {
        let scratch = try ScratchDirectory()
        let options = ServerOptions()
        let configuration = try scratch.write(
            Array(options.configuration(data: "/mnt/data").utf8), to: "c.toml")
        // ramfs has none; mounting it where nobody else sees it takes privileges.
        let script =
            "mount -t ramfs none /mnt && exec \"$0\" serve --config \"$1\""
            + " --listen 127.0.0.1:0 --metrics-listen off"
        let (status, output) = try Programs.run(
            "unshare", ["-m", "sh", "-c", script, Programs.millrace, configuration])
        if output.contains("unshare:") || output.contains("mount:") {
            print("SKIPPED: needs a file system without O_DIRECT, which takes root: \(output)")
            return
        }
        #expect(status == 1)
        #expect(output.contains("O_DIRECT"))
        #expect(!output.contains("listening on"))
    }
}
