// Goal:   forms of real clients become objects byte for byte, whatever their size; of one that
//         breaks off nothing is left, also if the server is killed with it.

import Foundation
import Testing

@Suite struct `A form` {
    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"

    /// What the server says of an upload, as curl prints it.
    private struct Answer: Decodable {
        let success: Bool
        let filename: String
        let size: Int
        let duration: String
        let url: String
    }

    private func curl(_ arguments: [String]) throws -> String {
        let fixed = ["-sS", "--max-time", "60", "-H", Self.token]
        let (status, output) = try Programs.run("curl", fixed + arguments)
        #expect(status == 0, "\(output)")
        return output
    }

    private func answer(_ text: String) throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
    }

    @Test(arguments: [0, 5, 70_000, (9 << 20) + 17], [[], ["-H", "Transfer-Encoding: chunked"]])
    func `of curl brings a file`(size: Int, coding: [String]) throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(size, seed: size)
        let file = try scratch.write(bytes, to: "a b.txt")
        let text = try curl(
            coding + ["-F", "note=hello", "-F", "file=@\(file)", "\(server.url)/upload"])
        let answer = try answer(text)
        #expect(answer.success && answer.filename == "a b.txt" && answer.size == size)
        let got = try RawClient(server.port).exchange("GET", answer.url)
        #expect(got.body == bytes && got.fields["content-type"] == "text/plain")
    }

    @Test func `says where its file goes`() throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let file = try scratch.write(pattern(100_000, seed: 1), to: "a.bin")
        let name = SharedServer.name()
        let form = ["-F", "path=\(name)", "-F", "file=@\(file)", "\(server.url)/upload"]
        #expect(try answer(try curl(form)).url == "/\(name)")
        #expect(try answer(try curl(form)).url == "/\(name)")
        #expect(try server.get(name).body == pattern(100_000, seed: 1))
        _ = try scratch.write(pattern(100_000, seed: 2), to: "a.bin")
        #expect(try curl(["-o", "/dev/null", "-w", "%{http_code}"] + form) == "409")
        #expect(try server.get(name).body == pattern(100_000, seed: 1))
    }

    @Test func `is told before its body that it is too long, and waits for that`() throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let file = scratch.path + "/long"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        try FileHandle(forWritingTo: URL(fileURLWithPath: file)).truncate(atOffset: 80 << 20)
        let refused = try curl([
            "-v", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-F",
            "file=@\(file)", "\(server.url)/upload",
        ])
        #expect(refused.contains("HTTP/1.1 413 ") && !refused.contains("HTTP/1.1 100 "))
    }

    @Test func `of Python's requests brings a file`() throws {
        let probe = try Programs.run("python3", ["-c", "import requests"])
        guard probe.status == 0 else {
            print("SKIPPED: python3 has no requests: \(probe.output)")
            return
        }
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(3_000_000, seed: 3)
        let file = try scratch.write(bytes, to: "p.bin")
        let program = """
            import requests, sys
            answer = requests.post(sys.argv[1] + "/upload", files={"file": open(sys.argv[2], "rb")},
                                   headers={"Authorization": "Bearer " + sys.argv[3]})
            print(answer.text)
            """
        let run = try Programs.run(
            "python3", ["-c", program, server.url, file, RunningServer.adminToken])
        #expect(run.status == 0)
        let answer = try answer(run.output)
        #expect(answer.filename == "p.bin" && answer.size == bytes.count)
        #expect(try RawClient(server.port).exchange("GET", answer.url).body == bytes)
    }

    @Test func `leaves nothing if the server is killed in its midst`() throws {
        let scratch = try ScratchDirectory()
        var server = try RunningServer(in: scratch)
        func bytesUsed() throws -> Int {
            try server.metric("volume_bytes") - server.metric("volume_free_bytes")
        }
        // So that all the server needs for itself is there.
        #expect(try server.put("a", pattern(100_000, seed: 5)).status == 201)
        let before = try bytesUsed()
        let client = try RawClient(server.port)
        let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
        try client.send(
            "POST /upload HTTP/1.1\r\nHost: h\r\n\(Self.token)\r\nContent-Length: 9000000\r\n"
                + "Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part)
        try client.send(pattern(5_000_000, seed: 4))
        let isTaken = try eventually { try bytesUsed() > before }
        #expect(isTaken)
        #expect(server.process.end(SIGKILL) != nil)
        server = try RunningServer(in: scratch)
        let isFree = try eventually(withinSeconds: 30) {
            try server.metric("unfinished_uploads") == 0 && bytesUsed() <= before
        }
        #expect(isFree)
        #expect(try server.get("a").status == 200)
        #expect(server.stop() == 0)
    }
}
