// Goal:   numbered chunks lie where their numbers say, whatever the order, and are acknowledged
//         only for the bytes that came.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Engine
import IO
import Simulator
import Testing

@testable import Server

@Suite struct `Numbered chunks` {
    @Test func `come in any order, and the last one ends it`() throws {
        let data = noise(4 * ChunkSession.bytesMin + 12_345, seed: 1)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            for (index, chunk) in [3, 0, 4, 2].enumerated() {
                let answer = session.send(chunk, method: index % 2 == 0 ? "PUT" : "POST")
                #expect(answer?.status == 200)
                #expect(answer?.member("success") == "true")
                #expect(answer?.member("chunk") == "\(chunk)")
                #expect(answer?.member("total_size") == "\(data.count)")
                #expect(answer?.member("completed") == "false")
                #expect(answer?.member("next_chunk_size") == "\(ChunkSession.bytesMin)")
                #expect(answer?.member("message") == nil && answer?.member("filename") == nil)
            }
            let status = try session.status()
            #expect(status.status == 200)
            #expect(status.member("session_id") == session.id)
            #expect(status.member("filename") == "f.txt")
            #expect(status.member("total_size") == "\(data.count)")
            #expect(status.member("uploaded_bytes") == "\(data.count - ChunkSession.bytesMin)")
            #expect(status.member("progress") == "0.752")
            #expect(status.member("completed") == "false")
            #expect(status.member("last_activity")?.hasPrefix("2026-") == true)
            #expect(status.member("chunks") == "4")
            #expect(status.member("missing") == "[[1,1]]")
            #expect(status.member("offset") == "\(ChunkSession.bytesMin)")
            #expect(session.object() == nil)

            let last = session.send(1)
            #expect(last?.member("completed") == "true")
            #expect(last?.member("progress") == "1.000")
            #expect(last?.member("uploaded_bytes") == "\(data.count)")
            #expect(last?.member("filename") == "f.txt")
            #expect(last?.member("size") == "\(data.count)")
            #expect(last?.member("duration")?.hasSuffix("s") == true)
            #expect(session.object() == data)
            let after = try session.status()
            #expect(after.member("completed") == "true" && after.member("missing") == "[]")
            #expect(after.member("chunks") == "5" && after.member("offset") == "\(data.count)")
            #expect(bed.ask("HEAD", "/upload-status?session_id=\(session.id)")?.status == 200)
        }
    }

    /// Else a twentieth, 10,240 bytes, down to whole blocks.
    @Test(arguments: [(4096, 4096, 4096), (40_960, 81_920, 40_960), (4096, 1 << 30, 8192)])
    func `are as long as the operator has it`(least: Int, most: Int, size: Int) throws {
        let data = noise(10 * 20_480 + 1, seed: 9)
        var settings = StoredBed.lasting()
        settings.chunks = ChunkLimits(smallest: UInt64(least), largest: UInt64(most))
        try withChunkBed(settings) { bed in
            let fields = ["X-Filename: f.txt", "X-Total-Size: \(data.count)"]
            let created = try #require(bed.ask("POST", "/chunked-upload", fields, []))
            #expect(created.member("chunk_size") == "\(size)")
            let id = try #require(created.member("session_id"))
            for (chunk, start) in stride(from: 0, to: data.count, by: size).enumerated() {
                let fields = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: \(chunk)"]
                let part = Array(data[start..<min(start + size, data.count)])
                #expect(bed.ask("PUT", "/chunked-upload", fields, part)?.status == 200)
            }
            #expect(bed.ask("GET", "/files/\(id)")?.body == data)
        }
    }

    @Test func `come at the same time`() throws {
        let data = noise(3 * ChunkSession.bytesMin, seed: 2)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            let clients = (0..<3).map { session.begin($0, count: 100_000 + 5000 * $0) }
            for (chunk, client) in clients.enumerated().reversed() {
                client.send(Array(session.part(chunk)[(100_000 + 5000 * chunk)...]))
                bed.front.settle()
            }
            let answers = clients.map { bed.finalAnswer($0) }
            #expect(answers.allSatisfy { $0?.status == 200 })
            #expect(answers.map { $0?.member("completed") } == ["true", "false", "false"])
            #expect(session.object() == data)
        }
    }

    /// Others may want to know how far it is; only who goes on at the front has lost its request.
    @Test func `come on while somebody asks for the upload's state`() throws {
        let data = noise(3 * ChunkSession.bytesMin, seed: 4)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            let target = "/files/\(session.id)"
            let front = bed.front.connect()
            let patch = [
                "Upload-Offset: 0", "Upload-Complete: ?0",
                "Content-Type: application/partial-upload",
            ]
            front.send(bed.head("PATCH", target, patch, length: 100_000))
            bed.front.settle()
            front.send(Array(data[..<70_000]))
            bed.front.settle()
            let clients = [2, 1].map { session.begin($0, count: 100_000) }
            let first = bed.ask("HEAD", target)
            #expect(first?.status == 204 && first?.field("upload-offset") == "70000")
            #expect(bed.finalAnswer(front)?.status == 409)
            let second = bed.ask("HEAD", target, ["Tus-Resumable: 1.0.0"])
            #expect(second?.status == 200 && second?.field("upload-offset") == "70000")
            for (client, chunk) in zip(clients, [2, 1]) {
                client.send(Array(session.part(chunk)[100_000...]))
                bed.front.settle()
                #expect(bed.finalAnswer(client)?.status == 200)
            }
            #expect(session.send(0)?.member("completed") == "true")
            #expect(session.object() == data)
        }
    }

    @Test(arguments: [0, 1, 4096, 65_536, 65_537])
    func `may be one that is short`(size: Int) throws {
        let data = noise(size, seed: 3)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            // Asking for the state of one of which all is there finishes it.
            if size > 0 { #expect(try session.status().member("missing") == "[[0,0]]") }
            let answer = session.send(0)
            #expect(answer?.status == 200 && answer?.member("completed") == "true")
            #expect(session.object() == data)
            #expect(answer?.member("message") == nil)
            // Its client may have missed the answer.
            let again = session.send(0)
            #expect(again?.status == 200 && again?.member("completed") == "true")
            #expect(again?.member("message") == "Chunk already uploaded")
        }
    }

    @Test func `that break off are sent again, whole`() throws {
        let data = noise(2 * ChunkSession.bytesMin, seed: 4)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            let client = session.begin(1, count: 100_001)
            client.endSending()
            bed.front.settle()
            #expect(bed.finalAnswer(client)?.status == 408)
            let status = try session.status()
            #expect(status.member("uploaded_bytes") == "100001")
            #expect(status.member("chunks") == "0" && status.member("missing") == "[[0,1]]")
            let answer = session.send(1)
            #expect(answer?.status == 200 && answer?.member("message") == nil)
            #expect(session.send(0)?.member("completed") == "true")
            #expect(session.object() == data)
        }
    }

    @Test func `that came already are compared`() throws {
        let data = noise(2 * ChunkSession.bytesMin + 5000, seed: 5)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            for chunk in [0, 2] {
                #expect(session.send(chunk)?.status == 200)
                let again = session.send(chunk)
                #expect(again?.status == 200)
                #expect(again?.member("message") == "Chunk already uploaded")
                #expect(again?.member("chunk") == "\(chunk)")
                for place in [0, 4999] {
                    var other = session.part(chunk)
                    other[place] ^= 1
                    #expect(session.send(chunk, other)?.status == 409)
                }
            }
            #expect(session.send(1)?.member("completed") == "true")
            #expect(session.object() == data)
        }
    }

    /// The chunks of the longer one start amid what one checksum covers.
    @Test(arguments: [2 * ChunkSession.bytesMin + 5000, 6_000_000])
    func `of a finished upload are compared with the object`(size: Int) throws {
        let data = noise(size, seed: 6)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            let chunks = 0..<session.count
            for chunk in chunks { #expect(session.send(chunk)?.status == 200) }
            for chunk in chunks where chunk < 3 || chunk == session.count - 1 {
                let again = session.send(chunk)
                #expect(again?.status == 200)
                #expect(again?.member("message") == "Chunk already uploaded")
                #expect(again?.member("completed") == "true")
                #expect(again?.member("filename") == "f.txt")
                var other = session.part(chunk)
                other[other.count - 1] ^= 1
                #expect(session.send(chunk, other)?.status == 409)
                #expect(session.send(chunk, Array(other.dropLast()))?.status == 400)
            }
            #expect(session.send(session.count, [1])?.status == 400)
            let broken = session.begin(0, count: 10)
            broken.endSending()
            bed.front.settle()
            #expect(bed.finalAnswer(broken)?.status == 408)
            #expect(session.object() == data)
        }
    }

    @Test func `find their upload after a restart`() throws {
        let data = noise(2 * ChunkSession.bytesMin, seed: 7)
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        var id = ""
        try StoredBed.run(disk, catalog, settings: StoredBed.lasting()) { bed in
            let session = try ChunkSession(bed, data)
            #expect(session.send(1)?.status == 200)
            id = session.id
        }
        try StoredBed.run(
            SimulatedDisk(disk.visible), catalog, settings: StoredBed.lasting()
        ) { bed in
            let status = bed.ask("GET", "/upload-status?session_id=\(id)")
            #expect(status?.member("missing") == "[[0,0]]")
            let fields = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: 0"]
            let answer = bed.ask(
                "PUT", "/chunked-upload", fields, Array(data[..<ChunkSession.bytesMin]))
            #expect(answer?.member("completed") == "true")
            #expect(bed.ask("GET", "/files/\(id)")?.body == data)
        }
    }

    @Test func `may be finished in another dialect, and told of one`() throws {
        let data = noise(2 * ChunkSession.bytesMin, seed: 8)
        try withChunkBed { bed in
            let session = try ChunkSession(bed, data)
            #expect(session.send(0)?.status == 200)
            let patch = [
                "Upload-Offset: \(ChunkSession.bytesMin)", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ]
            #expect(bed.ask("PATCH", "/files/\(session.id)", patch, session.part(1))?.status == 201)
            #expect(session.object() == data)

            let tus = ["Tus-Resumable: 1.0.0", "Upload-Defer-Length: 1"]
            let created = try #require(bed.ask("POST", "/files", tus, []))
            let location = try #require(
                created.fields.first { $0.hasPrefix("location: ") }.map { $0.dropFirst(10) })
            let other = location.split(separator: "/").last ?? ""
            let status = bed.ask("GET", "/upload-status?session_id=\(other)")
            #expect(status?.member("total_size") == "null" && status?.member("chunks") == "null")
            let fields = ["X-Upload-Session-ID: \(other)", "X-Chunk-Number: 0"]
            #expect(bed.ask("PUT", "/chunked-upload", fields, [1])?.status == 400)
        }
    }

    @Test(arguments: [OperationKind.write, .sync])
    func `are not acknowledged if an operation fails`(kind: OperationKind) throws {
        let data = noise(ChunkSession.bytesMin + 3000, seed: 9)
        for number in 1...4 {
            try withChunkBed { bed in
                let session = try ChunkSession(bed, data)
                bed.front.plan.strike(kind, number: number, with: .error(.io))
                let statuses = [session.send(1)?.status, session.send(0)?.status]
                bed.front.plan.disarm()
                if bed.front.plan.hasStruck {
                    #expect(statuses.contains { ($0 ?? 0) >= 500 }, "\(kind) \(number)")
                } else {
                    #expect(statuses == [200, 200])
                }
            }
        }
    }
}
