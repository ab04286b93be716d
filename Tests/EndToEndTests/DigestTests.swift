// Goal:   digests that others make are understood, and ours are the ones that others make; what was
//         made of an object outlives a killed server.
// Method: curl against the real server, values by sha256sum.

import Foundation
import Testing

@Suite struct `With digests, curl` {
    /// `sha-256=:…:`, of a file, by coreutils.
    private func sha256(_ file: String) throws -> String {
        let (status, output) = try Programs.run("sha256sum", [file])
        #expect(status == 0)
        let digits = Array(output.prefix(64).utf8)
        let octets = stride(from: 0, to: 64, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
        }
        try #require(octets.count == 32)
        return "sha-256=:\(Data(octets).base64EncodedString()):"
    }

    /// The status, behind what else curl says.
    private func curl(_ arguments: [String]) throws -> String {
        let (status, output) = try Programs.run(
            "curl", ["-sS", "--max-time", "60", "-w", "%{http_code}"] + arguments)
        #expect(status == 0, "\(output)")
        return output
    }

    /// The field of that name in a head that curl has dumped.
    private func field(_ name: String, in head: [UInt8]) -> String? {
        String(decoding: head, as: UTF8.self).split(separator: "\r\n")
            .first { $0.hasPrefix(name + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    @Test(arguments: [5, 70_000, 3 << 20])
    func `puts what it says, and gets what it put`(size: Int) throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let file = try scratch.write(pattern(size, seed: size), to: "file")
        let (head, back) = (scratch.path + "/head", scratch.path + "/back")
        let (said, name) = (try sha256(file), SharedServer.name("digest"))
        let put = ["-D", head, "-o", back, "-T", file, server.url + Signing.v(name, size)]
        let other = try sha256(try scratch.write([1, 2, 3], to: "other"))
        #expect(try curl(["-H", "Content-Digest: \(other)"] + put) == "400")
        #expect(
            String(decoding: try scratch.read("back"), as: UTF8.self)
                .contains("digest-mismatching-values"))
        #expect(try server.get(name).status == 404)
        let fields = ["-H", "Repr-Digest: \(said)", "-H", "Want-Repr-Digest: sha-256=1"]
        #expect(try curl(fields + put) == "201")
        #expect(field("Repr-Digest", in: try scratch.read("head")) == said)
        // The first from the disk, the second from memory.
        for range in [[], ["-r", "0-2"]] {
            let get = ["-D", head, "-o", back, "-H", "Want-Repr-Digest: crc32c=1, sha-256=2"]
            let status = try curl(get + range + ["\(server.url)/\(name)"])
            #expect(status == (range.isEmpty ? "200" : "206"))
            #expect(field("Repr-Digest", in: try scratch.read("head")) == said)
            if range.isEmpty { #expect(try sha256(back) == said) }
        }
    }

    @Test func `uploads in two parts what it said before the first`() throws {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(1_000_001, seed: 7)
        let said = try sha256(try scratch.write(bytes, to: "file"))
        let first = try scratch.write(Array(bytes[..<400_000]), to: "first")
        let second = try scratch.write(Array(bytes[400_000...]), to: "second")
        for isRight in [true, false] {
            let name = SharedServer.name("digest")
            let url = server.url + Signing.v(name, bytes.count)
            let (head, back) = (scratch.path + "/head", scratch.path + "/back")
            let digest = isRight ? said : try sha256(first)
            let begin = [
                "-H", "Upload-Complete: ?0", "-H", "Upload-Length: \(bytes.count)", "-H",
                "Repr-Digest: \(digest)", "-T", first, "-o", back, url,
            ]
            #expect(try curl(begin) == "201")
            let goOn = [
                "-X", "PATCH", "-H", "Upload-Complete: ?1", "-H", "Upload-Offset: 400000", "-H",
                "Content-Type: application/partial-upload", "-H", "Want-Repr-Digest: sha-256=9",
                "--data-binary", "@\(second)", "-D", head, "-o", back, url,
            ]
            #expect(try curl(goOn) == (isRight ? "201" : "400"))
            let told = field("Repr-Digest", in: try scratch.read("head"))
            #expect(told == (isRight ? said : nil))
            #expect(try server.get(name).body == (isRight ? bytes : server.get("none").body))
            #expect(try curl(["-I", "-o", back, url]) == (isRight ? "200" : "404"))
        }
    }

    @Test func `is told after a killed server what was made before`() throws {
        let scratch = try ScratchDirectory()
        var options = ServerOptions()
        options.uploads = "sha256 = true"
        var server = try RunningServer(options, in: scratch)
        let bytes = pattern(900_001, seed: 9)
        let file = try scratch.write(bytes, to: "file")
        let said = try sha256(file)
        #expect(
            try curl(["-T", file, server.url + Signing.v("a", bytes.count)]).hasSuffix("201"))
        #expect(try server.metric("store_hashed_bytes_total") == bytes.count)
        #expect(server.process.end(SIGKILL) != nil)
        server = try RunningServer(in: scratch)
        let (head, back) = (scratch.path + "/head", scratch.path + "/back")
        let get = ["-D", head, "-o", back, "-H", "Want-Repr-Digest: sha-256=1"]
        #expect(try curl(get + ["\(server.url)/a"]) == "200")
        #expect(field("Repr-Digest", in: try scratch.read("head")) == said)
        #expect(try scratch.read("back") == bytes)
        // By default none is made that nobody speaks of.
        let plain = ["-T", file, server.url + Signing.v("b", bytes.count)]
        #expect(try curl(plain).hasSuffix("201"))
        #expect(try curl(get + ["\(server.url)/b"]) == "200")
        #expect(field("Repr-Digest", in: try scratch.read("head")) == nil)
        #expect(try server.metric("store_hashed_bytes_total") == 0)
        #expect(try server.metric("digest_mismatches_total") == 0)
        #expect(server.stop() == 0)
    }
}
