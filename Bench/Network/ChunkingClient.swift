/// A client that uploads in chunks over a bad link, and goes on after each failure.

import BenchMachine

/// How chunks go, and what a failure costs.
public enum UploadWay: String, CaseIterable, Sendable, Encodable {
    /// PATCHes as long as the last answer advised. What had arrived of one that was cut counts.
    case tus
    /// Chunks of the length that the upload began with. One that was cut is sent again, whole.
    case numbered
}

public struct UploadOutcome: Equatable, Sendable {
    /// Connections that broke.
    public var failures = 0
    /// The length of each chunk that began, in their order; the last ends with the file.
    public var chunkBytes: [Int] = []
    /// Where the upload is.
    public var path = ""
}

public struct ChunkingClient {
    private let server: LabServer
    private let network: NetworkNamespace?
    private let body: [UInt8]
    private let failuresMax: Int
    private let pauseMilliseconds: UInt32
    private var line: LabLine?
    private var outcome = UploadOutcome()

    /// - Parameters:
    ///   - network: where the client is; nil: where this thread is.
    ///   - failuresMax: an upload that fails more often is given up.
    ///   - pauseMilliseconds: before it connects anew.
    public init(
        _ body: [UInt8], to server: LabServer, from network: NetworkNamespace?,
        failuresMax: Int = 200, pauseMilliseconds: UInt32 = 200
    ) {
        (self.body, self.server, self.network) = (body, server, network)
        (self.failuresMax, self.pauseMilliseconds) = (failuresMax, pauseMilliseconds)
    }

    /// Uploads everything, however often it fails on the way.
    public mutating func upload(by way: UploadWay) throws(LabFailure) -> UploadOutcome {
        outcome = UploadOutcome()
        switch way {
        case .tus: try uploadByTus()
        case .numbered: try uploadByNumber()
        }
        line = nil
        return outcome
    }

    /// Reads it and compares every byte.
    public func compare(_ path: String) throws(LabFailure) {
        let line = try LabLine(to: server, from: network)
        let answer = try line.ask("GET", path, [], [])
        guard answer.status == 200 else {
            throw .refused(answer.status, of: "GET \(path)", answer.text)
        }
        guard answer.body == body else { throw .wrongBody }
    }

    /// Whether it serves, asked from the network that it is in.
    public static func isReady(_ server: LabServer, beside network: NetworkNamespace) -> Bool {
        let line = try? LabLine(to: server, from: network)
        return (try? line?.ask("GET", "/ready", [], []))?.status == 200
    }

    /// What the server remembers of clients.
    public func profiles() throws(LabFailure) -> String {
        let line = try LabLine(to: server, from: network)
        let answer = try line.ask("GET", "/admin/profiles", [], [])
        guard answer.status == 200 else {
            throw .refused(answer.status, of: "GET /admin/profiles", answer.text)
        }
        return String(decoding: answer.body, as: UTF8.self)
    }

    // MARK: tus

    private static let version = "Tus-Resumable: 1.0.0"
    private static let contentType = "Content-Type: application/offset+octet-stream"

    private mutating func uploadByTus() throws(LabFailure) {
        // lab.bin
        let begin = [
            ChunkingClient.version, "Upload-Length: \(body.count)",
            "Upload-Metadata: filename bGFiLmJpbg==",
        ]
        let created = try insist { line throws(LabFailure) in
            try line.ask("POST", "/files", begin, [])
        }
        outcome.path = try ChunkingClient.location(created, "POST /files")
        var (offset, advised) = (0, created.advisedBytes)
        while offset < body.count {
            // Who is not advised sends all that is left, as clients of tus do by default.
            let end = min(body.count, offset + (advised ?? .max - offset))
            outcome.chunkBytes.append(end - offset)
            let answer: LabAnswer
            if let patched = try patch(offset..<end) {
                answer = patched
            } else {
                let path = outcome.path
                answer = try insist { line throws(LabFailure) in
                    try line.ask("HEAD", path, [ChunkingClient.version], [])
                }
            }
            guard [200, 204].contains(answer.status), let reached = answer.offset,
                (offset...body.count).contains(reached)
            else { throw .refused(answer.status, of: outcome.path, answer.text) }
            (offset, advised) = (reached, answer.advisedBytes)
        }
    }

    /// Nil: the connection broke, or the server knows of another offset.
    private mutating func patch(_ range: Range<Int>) throws(LabFailure) -> LabAnswer? {
        let fields = [
            ChunkingClient.version, ChunkingClient.contentType,
            "Upload-Offset: \(range.lowerBound)",
        ]
        let (path, content) = (outcome.path, body[range])
        let answer = try attempt { line throws(LabFailure) in
            try line.ask("PATCH", path, fields, content)
        }
        return answer?.status == 409 ? nil : answer
    }

    // MARK: Numbered chunks

    private mutating func uploadByNumber() throws(LabFailure) {
        let begin = ["X-Filename: lab.bin", "X-Total-Size: \(body.count)"]
        let created = try insist { line throws(LabFailure) in
            try line.ask("POST", "/chunked-upload", begin, [])
        }
        outcome.path = try ChunkingClient.location(created, "POST /chunked-upload")
        guard let length = ChunkingClient.chunkSize(created),
            let id = outcome.path.split(separator: "/").last
        else { throw .refused(created.status, of: "POST /chunked-upload", created.text) }
        for (number, start) in stride(from: 0, to: body.count, by: length).enumerated() {
            let content = body[start..<min(body.count, start + length)]
            let fields = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: \(number)"]
            outcome.chunkBytes.append(content.count)
            let answer = try insist { line throws(LabFailure) in
                try line.ask("PUT", "/chunked-upload", fields, content)
            }
            guard answer.status == 200 else {
                throw .refused(answer.status, of: "chunk \(number)", answer.text)
            }
        }
    }

    static func chunkSize(_ answer: LabAnswer) -> Int? { number("chunk_size", in: answer) }

    /// What the answer's JSON says under that key: a number above 0.
    static func number(_ name: String, in answer: LabAnswer) -> Int? {
        let key = "\"\(name)\":"
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let place = text.firstRange(of: key) else { return nil }
        let digits = text[place.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
        return Int(digits).flatMap { $0 > 0 ? $0 : nil }
    }

    static func location(
        _ answer: LabAnswer, _ what: String
    ) throws(LabFailure) -> String {
        guard answer.status == 201, let path = answer.fields["location"] else {
            throw .refused(answer.status, of: what, answer.text)
        }
        return path
    }

    // MARK: Connections

    /// Does it over the connection, or over a new one. Nil if that broke.
    private mutating func attempt(
        _ work: (LabLine) throws(LabFailure) -> LabAnswer
    ) throws(LabFailure) -> LabAnswer? {
        do throws(LabFailure) {
            if line == nil { line = try LabLine(to: server, from: network) }
            return try line.map(work)
        } catch .broken {
            line = nil
            outcome.failures += 1
            guard outcome.failures <= failuresMax else {
                throw .hopeless(failures: outcome.failures)
            }
            Clocks.sleep(milliseconds: pauseMilliseconds)
            return nil
        }
    }

    /// As often as it takes.
    private mutating func insist(
        _ work: (LabLine) throws(LabFailure) -> LabAnswer
    ) throws(LabFailure) -> LabAnswer {
        while true {
            if let answer = try attempt(work) { return answer }
        }
    }
}
