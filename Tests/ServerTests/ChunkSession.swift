// An upload in numbered chunks, as its client sends it to a stored bed.

import Catalog
import Simulator
import Testing

@testable import Server

/// An upload of chunks on a bed.
struct ChunkSession {
    /// The chunk size of uploads up to 5 MiB.
    static let bytesMin = 256 << 10

    let bed: StoredBed
    let id: String
    let data: [UInt8]
    let size: Int
    let count: Int

    init(_ bed: StoredBed, _ data: [UInt8]) throws {
        self.bed = bed
        self.data = data
        size = max(ChunkSession.bytesMin, data.count / 20 / 4096 * 4096)
        count = max(1, (data.count + size - 1) / size)
        let fields = ["X-Filename: f.txt", "X-Total-Size: \(data.count)"]
        let answer = try #require(bed.ask("POST", "/chunked-upload", fields, []))
        #expect(answer.status == 201)
        #expect(answer.member("chunk_size") == "\(size)")
        #expect(answer.member("total_chunks") == "\(count)")
        id = try #require(answer.member("session_id"))
        #expect(answer.fields.contains("location: /files/\(id)"))
    }

    func part(_ chunk: Int) -> [UInt8] {
        Array(data[min(data.count, chunk * size)..<min(data.count, (chunk + 1) * size)])
    }

    func fields(_ chunk: Int) -> [String] {
        ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: \(chunk)"]
    }

    func send(_ chunk: Int, _ bytes: [UInt8]? = nil, method: String = "PUT") -> Response? {
        bed.ask(method, "/chunked-upload", fields(chunk), bytes ?? part(chunk))
    }

    /// A connection with the head of a chunk's request, and its first bytes.
    func begin(_ chunk: Int, count: Int) -> Client {
        let client = bed.front.connect()
        let bytes = part(chunk)
        client.send(bed.head("PUT", "/chunked-upload", fields(chunk), length: bytes.count))
        bed.front.settle()
        client.send(Array(bytes[..<count]))
        bed.front.settle()
        return client
    }

    func status() throws -> Response {
        try #require(bed.ask("GET", "/upload-status?session_id=\(id)"))
    }

    /// The object, by the upload's own address.
    func object() -> [UInt8]? {
        let answer = bed.ask("GET", "/files/\(id)")
        return answer?.status == 200 ? answer?.body : nil
    }
}

func withChunkBed(
    _ settings: FrontSettings = StoredBed.lasting(), uploadsMax: Int = 1000,
    _ body: (StoredBed) throws -> Void
) throws {
    try StoredBed.run(
        SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance), uploadsMax: uploadsMax,
        settings: settings
    ) { bed in
        try body(bed)
        try bed.expectNothingLeft("after the chunks")
    }
}
