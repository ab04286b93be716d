// Goal:   a real client's real ways work: curl's upload, resume, range, expectation, keep-alive.

import Foundation
import Testing

@Suite struct `curl` {
    private func run(_ arguments: [String]) throws -> String {
        let (status, output) = try Programs.run("curl", ["-sS", "--max-time", "30"] + arguments)
        #expect(status == 0, "\(output)")
        return output
    }

    @Test(arguments: [0, 5, 70_000, (3 << 20) + 17])
    func `uploads a file, downloads it, and parts of it`(size: Int) throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(size, seed: size)
        let file = try scratch.write(bytes, to: "file")
        let back = scratch.path + "/back"
        let name = SharedServer.name()
        let code = "%{http_code}"
        let put = server.url + Signing.v(name, size)
        #expect(try run(["-o", back, "-w", code, "-T", file, put]) == "201")
        #expect(try run(["-o", back, "-w", code, "\(server.url)/\(name)"]) == "200")
        #expect(try scratch.read("back") == bytes)
        guard size > 100 else { return }

        let range = ["-o", back, "-w", code, "-r", "10-99", "\(server.url)/\(name)"]
        #expect(try run(range) == "206")
        #expect(try scratch.read("back") == Array(bytes[10...99]))

        // Resumed after 1000 bytes.
        _ = try scratch.write(Array(bytes[..<1000]), to: "back")
        let resume = ["-o", back, "-w", code, "-C", "-", "\(server.url)/\(name)"]
        #expect(try run(resume) == "206")
        #expect(try scratch.read("back") == bytes)
    }

    @Test func `waits for the invitation to send`() throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let file = try scratch.write(pattern(2 << 20, seed: 1), to: "file")
        let name = SharedServer.name()
        let expect = ["-H", "Expect: 100-continue", "--expect100-timeout", "20", "-v", "-T", file]
        let granted = try run(expect + [server.url + Signing.v(name, 2 << 20)])
        #expect(granted.contains("HTTP/1.1 100 Continue"))
        #expect(granted.contains("HTTP/1.1 201 Created"))
        let refused = try run(expect + ["\(server.url)/\(name)?v=00"])
        #expect(!refused.contains("HTTP/1.1 100 Continue"))
        #expect(refused.contains("HTTP/1.1 403 Forbidden"))
    }

    @Test func `cannot upload what has no length`() throws {
        let server = try SharedServer.get()
        let name = SharedServer.name()
        let answer = try run([
            "-w", "%{http_code}", "-o", "/dev/null", "-X", "PUT", "-H",
            "Transfer-Encoding: chunked", "-d", "some bytes", server.url + Signing.v(name, 10),
        ])
        #expect(answer == "411")
    }

    @Test func `keeps its connection for several requests`() throws {
        let server = try SharedServer.get()
        let output = try run([
            "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ",
            "\(server.url)/health", "\(server.url)/ready",
        ])
        #expect(output == "1 0 ")
    }
}
