// Goal:   real clients bring uploads home over lines that are slow and break: curl, tuspy, and a
//         plain resumer in each dialect, byte for byte, however often they have to begin again.

import Foundation
import Testing

@Suite struct `Over a line that breaks` {
    static let bytes = pattern(2_500_001, seed: 81)

    /// Resets and ends in turn, ever later, each within the body.
    private static let faults: [FaultyLine.Fault] = (1...10).map { number in
        let bytes = 150_000 + 90_001 * number
        return number % 2 == 0 ? .end(after: bytes) : .reset(after: bytes)
    }

    private static let paces: [FaultyLine.Pace] = [
        FaultyLine.Pace(), FaultyLine.Pace(pieceBytes: 1000, pauseMicros: 100),
        FaultyLine.Pace(pieceBytes: 40_000, pauseMicros: 3000),
    ]

    @Test(arguments: 0..<3)
    func `a signed PUT goes on until all of it is there`(pace: Int) throws {
        let server = try SharedServer.get()
        let line = try FaultyLine(to: server.port, Self.faults, Self.paces[pace])
        let name = SharedServer.name("line")
        let target = Signing.v(name, Self.bytes.count)
        // Lost on the way, and with it what the server may have answered.
        _ = try? RawClient(line.port).exchange("PUT", target, body: Self.bytes)
        try resume(
            server, line, target, append: ("application/partial-upload", ["Upload-Complete: ?1"]))
        #expect(line.breaks > 2)
        #expect(try server.get(name).body == Self.bytes)
    }

    @Test(arguments: [true, false])
    func `an upload at /files goes on until all of it is there`(isTus: Bool) throws {
        let server = try SharedServer.get()
        let line = try FaultyLine(to: server.port, Self.faults, Self.paces[2])
        let dialect = isTus ? ["Tus-Resumable: 1.0.0"] : ["Upload-Complete: ?0"]
        let created = try RawClient(server.port).exchange(
            "POST", "/files",
            fields: [Self.token, "Upload-Length: \(Self.bytes.count)"] + dialect, body: [])
        let location = try #require(created.fields["location"])
        try resume(
            server, line, location,
            append: isTus
                ? ("application/offset+octet-stream", dialect)
                : ("application/partial-upload", ["Upload-Complete: ?1"]))
        #expect(line.breaks > 2)
        let got = try RawClient(server.port).exchange("GET", location, fields: [Self.token])
        #expect(got.body == Self.bytes)
    }

    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"

    /// Asks where the upload is, and sends the rest, both through the line, until all is there.
    private func resume(
        _ server: RunningServer, _ line: FaultyLine, _ target: String,
        append: (type: String, fields: [String])
    ) throws {
        var last = 0
        for _ in 0..<60 {
            let fields = [Self.token] + append.fields
            guard
                let state = try? RawClient(line.port).exchange("HEAD", target, fields: fields)
            else { continue }
            // On a signed URL the object answers for itself once it is there.
            if state.fields["etag"] != nil { return }
            guard let offset = state.fields["upload-offset"].flatMap({ Int($0) }) else {
                // The server has not seen yet that the connection is gone.
                usleep(20_000)
                continue
            }
            #expect(offset >= last)
            last = offset
            if offset == Self.bytes.count { return }
            _ = try? RawClient(line.port).exchange(
                "PATCH", target,
                fields: fields + ["Upload-Offset: \(offset)", "Content-Type: \(append.type)"],
                body: Array(Self.bytes[offset...]))
        }
        Issue.record("never whole: \(last) bytes")
    }
}

@Suite struct `curl goes on` {
    static let bytes = pattern(3_000_003, seed: 91)

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        try Programs.run("curl", ["-sS", "--max-time", "60"] + arguments)
    }

    /// What came of an upload whose client was killed once the server had that many bytes more.
    private func kill(
        _ server: RunningServer, _ scratch: ScratchDirectory, _ arguments: [String]
    ) throws {
        let before = try server.metric("received_bytes_total")
        let child = try ChildProcess(
            "curl", ["-sS", "--limit-rate", "2M"] + arguments, output: scratch.path + "/killed")
        #expect(
            try eventually(withinSeconds: 30) {
                try server.metric("received_bytes_total") > before + 600_000
            })
        #expect(child.end(SIGKILL) == 128 + SIGKILL)
    }

    private func offset(_ url: String, _ fields: [String] = []) throws -> Int {
        var found: Int?
        _ = try eventually(withinSeconds: 20) {
            let head = try run(["-I"] + fields.flatMap { ["-H", $0] } + [url]).output
            found =
                head.split(whereSeparator: \.isNewline).lazy
                .filter { $0.lowercased().hasPrefix("upload-offset: ") }
                .compactMap { Int($0.dropFirst(15)) }.first
            return found != nil
        }
        return try #require(found)
    }

    /// With the lines of README.md.
    @Test func `with a signed PUT that was killed`() throws {
        let server = try RunningServer()
        let scratch = try ScratchDirectory()
        let file = try scratch.write(Self.bytes, to: "file")
        let url = server.url + Signing.v("cat.jpg", Self.bytes.count)
        try kill(server, scratch, ["-T", file, url])
        let offset = try offset(url)
        #expect(offset > 0 && offset < Self.bytes.count)
        let rest = try scratch.write(Array(Self.bytes[offset...]), to: "rest")
        let done = try run([
            "-o", "/dev/null", "-w", "%{http_code}", "-X", "PATCH", "--data-binary", "@\(rest)",
            url, "-H", "Upload-Offset: \(offset)", "-H", "Upload-Complete: ?1", "-H",
            "Content-Type: application/partial-upload",
        ])
        #expect(done.output == "201")
        #expect(try server.get("cat.jpg").body == Self.bytes)
        #expect(server.stop() == 0)
    }

    @Test(arguments: [true, false])
    func `at /files with an append that was killed`(isTus: Bool) throws {
        let server = try RunningServer()
        let scratch = try ScratchDirectory()
        let token = "Authorization: Bearer \(RunningServer.adminToken)"
        let dialect = isTus ? "Tus-Resumable: 1.0.0" : "Upload-Complete: ?0"
        let created = try RawClient(server.port).exchange(
            "POST", "/files", fields: [token, dialect, "Upload-Length: \(Self.bytes.count)"],
            body: [])
        let url = server.url + (try #require(created.fields["location"]))
        let type = isTus ? "application/offset+octet-stream" : "application/partial-upload"
        let fields = [token, isTus ? dialect : "Upload-Complete: ?1", "Content-Type: \(type)"]
        let lines = fields.flatMap { ["-H", $0] }
        let file = try scratch.write(Self.bytes, to: "file")
        try kill(
            server, scratch,
            ["-X", "PATCH", "-T", file, "-H", "Upload-Offset: 0", url] + lines)
        let offset = try offset(url, isTus ? [token, dialect] : [token])
        #expect(offset < Self.bytes.count)
        let rest = try scratch.write(Array(Self.bytes[offset...]), to: "rest")
        let done = try run(
            ["-o", "/dev/null", "-w", "%{http_code}", "-X", "PATCH", "-T", rest]
                + ["-H", "Upload-Offset: \(offset)", url] + lines)
        #expect(done.output == (isTus ? "204" : "201"))
        let got = try RawClient(server.port).exchange(
            "GET", try #require(created.fields["location"]), fields: [token])
        #expect(got.body == Self.bytes)
        #expect(server.stop() == 0)
    }
}

@Suite struct `tuspy` {
    private static let script = """
        import sys
        from tusclient import client
        url, token, path, first = sys.argv[1:5]
        tus = client.TusClient(url + "/files", headers={"Authorization": "Bearer " + token})
        begun = tus.uploader(path, chunk_size=400_001, metadata={"filename": "of tuspy.bin"})
        begun.upload(stop_at=int(first))
        assert begun.offset >= int(first), begun.offset
        again = tus.uploader(path, url=begun.url, chunk_size=333_333, retries=20, retry_delay=0)
        assert again.offset == begun.offset, (again.offset, begun.offset)
        again.upload()
        print(again.url)
        """

    @Test(arguments: [false, true])
    func `stops, comes back, and brings all of it`(breaks: Bool) throws {
        guard let python = PythonClients.python else { return }
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(2_400_000, seed: 95)
        let file = try scratch.write(bytes, to: "file")
        let script = try scratch.write(Array(Self.script.utf8), to: "upload.py")
        // The first two connections bring what is to come before anything breaks.
        let faults: [FaultyLine.Fault] = breaks ? [.reset(after: 1_500_000)] : []
        let line = try FaultyLine(to: server.port, faults)
        let (status, output) = try Programs.run(
            python,
            [
                script, "http://127.0.0.1:\(line.port)", RunningServer.adminToken, file,
                "800000",
            ])
        #expect(status == 0, "\(output)")
        let url = try #require(output.split(separator: "\n").last.map(String.init))
        let location = try #require(url.firstRange(of: "/files/")).lowerBound
        let got = try RawClient(server.port).exchange(
            "GET", String(url[location...]),
            fields: ["Authorization: Bearer \(RunningServer.adminToken)"])
        #expect(got.body == bytes)
    }
}
