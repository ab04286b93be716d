// Goal:   numbered chunks make an object of the right bytes, in any order, over several
//         connections and cores, and after the server was killed.

import Foundation
import Testing

/// A client of hmac-file-server's API.
private struct ChunkClient {
    struct Created: Decodable {
        let session_id: String
        let chunk_size: Int
        let total_chunks: Int
    }

    struct Told: Decodable {
        let chunk: Int
        let message: String?
        let uploaded_bytes: Int
        let completed: Bool
        let filename: String?
    }

    struct Status: Decodable {
        let uploaded_bytes: Int
        let chunks: Int
        let missing: [[Int]]
        let completed: Bool
    }

    static let token = "Authorization: Bearer \(RunningServer.adminToken)"
    let bytes: [UInt8]
    let created: Created

    init(_ server: RunningServer, _ bytes: [UInt8], name: String = "f.bin") throws {
        self.bytes = bytes
        let answer = try RawClient(server.port).exchange(
            "POST", "/chunked-upload",
            fields: [Self.token, "X-Filename: \(name)", "X-Total-Size: \(bytes.count)"], body: [])
        #expect(answer.status == 201)
        created = try JSONDecoder().decode(Created.self, from: Data(answer.body))
        #expect(answer.fields["location"] == "/files/\(created.session_id)")
    }

    func part(_ chunk: Int) -> [UInt8] {
        let size = created.chunk_size
        return Array(bytes[chunk * size..<min((chunk + 1) * size, bytes.count)])
    }

    func fields(_ chunk: Int) -> [String] {
        [Self.token, "X-Upload-Session-ID: \(created.session_id)", "X-Chunk-Number: \(chunk)"]
    }

    func send(_ chunk: Int, on client: RawClient) throws -> Told {
        let answer = try client.exchange(
            "PUT", "/chunked-upload", fields: fields(chunk), body: part(chunk))
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(Told.self, from: Data(answer.body))
    }

    func status(_ server: RunningServer) throws -> Status {
        let answer = try RawClient(server.port).exchange(
            "GET", "/upload-status?session_id=\(created.session_id)", fields: [Self.token])
        return try JSONDecoder().decode(Status.self, from: Data(answer.body))
    }

    func object(_ server: RunningServer) throws -> [UInt8] {
        try RawClient(server.port).exchange(
            "GET", "/files/\(created.session_id)", fields: [Self.token]
        ).body
    }
}

@Suite struct `An upload in numbered chunks` {
    @Test func `may come backwards`() throws {
        let server = try SharedServer.get()
        let upload = try ChunkClient(server, pattern(10_000_001, seed: 1))
        let client = try RawClient(server.port)
        #expect(upload.created.chunk_size == 499_712 && upload.created.total_chunks == 21)
        for chunk in (0..<21).reversed() {
            let told = try upload.send(chunk, on: client)
            #expect(told.chunk == chunk && told.completed == (chunk == 0))
            #expect(told.filename == (chunk == 0 ? "f.bin" : nil))
        }
        #expect(try upload.object(server) == upload.bytes)
        #expect(try upload.send(7, on: client).message == "Chunk already uploaded")
    }

    @Test func `may come over four connections at once, on two cores`() throws {
        var options = ServerOptions()
        options.cores = "0-1"
        guard ProcessInfo.processInfo.activeProcessorCount >= 2 else {
            print("SKIPPED: two cores cannot be tested on a machine with one")
            return
        }
        let server = try RunningServer(options)
        let upload = try ChunkClient(server, pattern(24 << 20, seed: 2))
        let count = upload.created.total_chunks
        let lanes = try (0..<4).map { _ in try RawClient(server.port) }
        // All four are under way before the first is whole.
        for first in stride(from: 0, to: count, by: 4) {
            let chunks = Array(first..<min(first + 4, count))
            for (chunk, lane) in zip(chunks, lanes) {
                let part = upload.part(chunk)
                let head = upload.fields(chunk).map { $0 + "\r\n" }.joined()
                try lane.send(
                    "PUT /chunked-upload HTTP/1.1\r\nHost: h\r\n\(head)"
                        + "Content-Length: \(part.count)\r\n\r\n")
                try lane.send(Array(part[..<(part.count / 2)]))
            }
            for (chunk, lane) in zip(chunks, lanes) {
                let part = upload.part(chunk)
                try lane.send(Array(part[(part.count / 2)...]))
            }
            for lane in lanes.prefix(chunks.count) { #expect(try lane.response().status == 200) }
        }
        #expect(try upload.status(server).completed)
        #expect(try upload.object(server) == upload.bytes)
        #expect(server.stop() == 0)
    }

    @Test func `goes on after the server was killed`() throws {
        let scratch = try ScratchDirectory()
        var server = try RunningServer(in: scratch)
        let upload = try ChunkClient(server, pattern(5_000_000, seed: 3))
        var client = try RawClient(server.port)
        let count = upload.created.total_chunks
        for chunk in stride(from: 0, to: count, by: 3) { _ = try upload.send(chunk, on: client) }
        let before = try upload.status(server)
        #expect(server.process.end(SIGKILL) != nil)
        server = try RunningServer(in: scratch)
        client = try RawClient(server.port)
        let after = try upload.status(server)
        #expect(after.uploaded_bytes == before.uploaded_bytes && after.missing == before.missing)
        for run in after.missing {
            for chunk in run[0]...run[1] { _ = try upload.send(chunk, on: client) }
        }
        #expect(try upload.status(server).completed)
        #expect(try upload.object(server) == upload.bytes)
        #expect(server.stop() == 0)
    }

    @Test func `is what a script with Python's requests makes of it`() throws {
        let probe = try Programs.run("python3", ["-c", "import requests"])
        guard probe.status == 0 else {
            print("SKIPPED: python3 has no requests: \(probe.output)")
            return
        }
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(1_000_001, seed: 4)
        let file = try scratch.write(bytes, to: "p.bin")
        let program = """
            import requests, sys
            url, file, token = sys.argv[1:]
            data = open(file, "rb").read()
            session = requests.Session()
            session.headers["Authorization"] = "Bearer " + token
            made = session.post(url + "/chunked-upload", headers={
                "X-Filename": "p.bin", "X-Total-Size": str(len(data))}).json()
            size = made["chunk_size"]
            for number in range(made["total_chunks"]):
                answer = session.post(url + "/chunked-upload", headers={
                    "X-Upload-Session-ID": made["session_id"], "X-Chunk-Number": str(number)},
                    data=data[number * size:(number + 1) * size])
                answer.raise_for_status()
            status = session.get(url + "/upload-status",
                                 params={"session_id": made["session_id"]}).json()
            assert status["completed"] and status["missing"] == [], status
            assert answer.json()["size"] == len(data), answer.text
            copy = session.get(url + "/files/" + made["session_id"])
            assert copy.content == data
            """
        let run = try Programs.run(
            "python3", ["-c", program, server.url, file, RunningServer.adminToken])
        #expect(run.status == 0, "\(run.output)")
    }
}
