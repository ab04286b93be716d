// Goal:   a disk that no longer answers holds a stopping server up for a known time, and the next
//         start has everything that was acknowledged.
// Method: a file system of its own, frozen: what writes to it waits.

import Glibc
import Testing

@Suite struct `A disk that does not answer` {
    private static let kept = pattern(100_000, seed: 1)

    private func with(
        _ body: (OwnDisk, RunningServer) throws -> Void
    ) throws {
        let scratch = try ScratchDirectory()
        guard let disk = try OwnDisk(scratch, megabytes: 1024) else { return }
        var options = ServerOptions()
        options.drainTimeout = "0s"
        let server = try RunningServer(options, in: scratch, data: disk.path + "/data")
        #expect(try server.put("kept", Self.kept).status == 201)
        try disk.freeze()
        try body(disk, server)
        disk.thaw()
        #expect(server.process.wait() == 1)
        let again = try RunningServer(options, in: scratch, data: disk.path + "/data")
        let isKept = try again.get("kept").body == Self.kept
        #expect(isKept)
        #expect(again.stop() == 0)
    }

    @Test func `ends a stopping server with 1 though an upload still waits for it`() throws {
        try with { disk, server in
            let client = try RawClient(server.port)
            try client.send(
                "PUT \(Signing.v("lost", 1000)) HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"
            )
            try client.send(pattern(1000, seed: 2))
            server.process.signal(SIGTERM)
            // Who is stuck depends on how far the upload has come: it, its core, or the store.
            let isSaid = eventually(withinSeconds: 60) { server.log.contains("a disk does not") }
            #expect(isSaid)
        }
    }

    @Test func `ends a stopping server with 1 though the store cannot be closed`() throws {
        try with { disk, server in
            server.process.signal(SIGTERM)
            let isSaid = eventually(withinSeconds: 60) {
                server.log.contains("the store was not closed")
            }
            #expect(isSaid)
        }
    }
}
