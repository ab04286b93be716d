/// Begins uploads, one after the other over all connections, and keeps what each is called; or asks
/// how far each has come.

import BenchMeasure
import IO

struct UploadCreations: Work, ~Copyable {
    private let text: ChunkText
    private let bodyCount: Int
    private let count: Int
    private var nextIndex = 0
    private var current: [Int]
    /// Nil until it is begun.
    private var found: [CreatedUpload?]

    init(text: ChunkText, bodyCount: Int, count: Int) {
        (self.text, self.bodyCount, self.count) = (text, bodyCount, count)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
        found = Array(repeating: nil, count: count)
    }

    /// All of them, once the run is over.
    var uploads: [CreatedUpload] {
        let all = found.compactMap(\.self)
        precondition(all.count == count, "a run that ended before all uploads were begun")
        return all
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard nextIndex < count else { return nil }
        current[connection] = nextIndex
        nextIndex += 1
        var output = arena.output(scratch)
        text.appendCreation(bodyCount: bodyCount, to: &output)
        return scratch.part(from: 0, count: output.count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        guard let head = try ResponseHead.readWhole(bytes, of: "a new upload") else {
            return .incomplete
        }
        guard head.status == 201 else { throw .status(head.status, of: "a new upload") }
        guard let upload = CreatedUpload(answer: bytes) else {
            throw .status(head.status, of: "a new upload, without a Location")
        }
        found[current[connection]] = upload
        return .complete
    }
}

/// Asks each upload once whether all that it was sent is there.
struct UploadQueries: Work, ~Copyable {
    private let token: String
    private let uploads: [CreatedUpload]
    private var nextIndex = 0
    private var current: [Int]

    init(token: String, uploads: [CreatedUpload]) {
        (self.token, self.uploads) = (token, uploads)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard nextIndex < uploads.count else { return nil }
        current[connection] = nextIndex
        let head =
            "HEAD \(uploads[nextIndex].path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + "Authorization: Bearer \(token)\r\n\r\n"
        nextIndex += 1
        var output = arena.output(scratch)
        for byte in head.utf8 { output.append(byte) }
        return scratch.part(from: 0, count: output.count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let path = uploads[current[connection]].path
        guard let head = try ResponseHead.readWhole(bytes, of: path) else { return .incomplete }
        guard head.status == 204 else { throw .status(head.status, of: path) }
        let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self).lowercased()
        let offset = "upload-offset: \(UploadBeginnings.contentCount)\r\n"
        guard text.contains(offset) else { throw .lengthChanged(of: path) }
        return .complete
    }
}

/// Chunks of a block each for uploads that are then left alone.
struct UploadBeginnings: Work, ~Copyable {
    private let text: ChunkText
    private let uploads: [CreatedUpload]
    private let pattern: BodyPattern
    private var nextIndex = 0
    private var current: [Int]

    static let contentCount = 4 << 10

    init(text: ChunkText, uploads: [CreatedUpload], seed: UInt64) {
        (self.text, self.uploads) = (text, uploads)
        pattern = BodyPattern(seed: seed)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard nextIndex < uploads.count else { return nil }
        current[connection] = nextIndex
        let count = UploadBeginnings.contentCount
        var output = arena.output(scratch)
        text.appendChunk(
            of: uploads[nextIndex], at: 0, count: count, chunkBytes: count, to: &output)
        let headCount = output.count
        var body = arena.mutableBytes(scratch.part(from: headCount, count: count))
        pattern.fill(&body, number: UInt64(nextIndex))
        nextIndex += 1
        return scratch.part(from: 0, count: headCount + count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let path = uploads[current[connection]].path
        guard let head = try ResponseHead.readWhole(bytes, of: path) else { return .incomplete }
        guard head.status == text.chunkStatus else { throw .status(head.status, of: path) }
        return .complete
    }
}
