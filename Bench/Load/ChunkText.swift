/// The requests of uploads that come in chunks, as bytes, in one of the dialects.

import BenchMeasure

struct ChunkText {
    let dialect: Row.Dialect
    /// What every request of a dialect begins with, behind its target.
    private let fields: [UInt8]

    init(_ dialect: Row.Dialect, token: String) {
        self.dialect = dialect
        let own = dialect == .tus ? "Tus-Resumable: 1.0.0\r\n" : ""
        fields = Array(
            (" HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: millrace-bench\r\n"
                + "Authorization: Bearer \(token)\r\n\(own)").utf8)
    }

    /// The request that completes an upload is one of its own, without content.
    var hasCompletion: Bool { dialect == .resumable }

    /// Begins an upload of `bodyCount` bytes. Where a request of its own completes it, it is not
    /// said how long it will be, or its last byte would.
    func appendCreation(bodyCount: Int, to target: inout OutputSpan<UInt8>) {
        switch dialect {
        case .tus:
            append("POST /files", to: &target)
            append(fields, to: &target)
            // chunk.bin
            append("Upload-Metadata: filename Y2h1bmsuYmlu\r\nUpload-Length: ", to: &target)
            RequestText.append(decimal: bodyCount, to: &target)
        case .resumable:
            append("POST /files", to: &target)
            append(fields, to: &target)
            append("Upload-Complete: ?0", to: &target)
        case .numbered:
            append("POST /chunked-upload", to: &target)
            append(fields, to: &target)
            append("X-Filename: chunk.bin\r\nX-Total-Size: ", to: &target)
            RequestText.append(decimal: bodyCount, to: &target)
        }
        append("\r\n", to: &target)
        appendLength(0, to: &target)
    }

    /// `count` bytes from `offset` on follow.
    func appendChunk(
        of upload: CreatedUpload, at offset: Int, count: Int, chunkBytes: Int,
        to target: inout OutputSpan<UInt8>
    ) {
        switch dialect {
        case .tus:
            appendPatch(upload, at: offset, to: &target)
            append("Content-Type: application/offset+octet-stream\r\n", to: &target)
        case .resumable:
            appendPatch(upload, at: offset, to: &target)
            append("Upload-Complete: ?0\r\n", to: &target)
            append("Content-Type: application/partial-upload\r\n", to: &target)
        case .numbered:
            append("PUT /chunked-upload", to: &target)
            append(fields, to: &target)
            append("X-Upload-Session-ID: ", to: &target)
            append(upload.id, to: &target)
            append("\r\nX-Chunk-Number: ", to: &target)
            RequestText.append(decimal: offset / chunkBytes, to: &target)
            append("\r\n", to: &target)
        }
        appendLength(count, to: &target)
    }

    /// Says that nothing follows `offset`.
    func appendCompletion(
        of upload: CreatedUpload, at offset: Int, to target: inout OutputSpan<UInt8>
    ) {
        precondition(hasCompletion, "this dialect's last byte completes an upload")
        appendPatch(upload, at: offset, to: &target)
        append("Upload-Complete: ?1\r\n", to: &target)
        append("Content-Type: application/partial-upload\r\n", to: &target)
        appendLength(0, to: &target)
    }

    /// The status of a chunk's answer; that of a completion is 201.
    var chunkStatus: Int { dialect == .numbered ? 200 : 204 }

    private func appendPatch(
        _ upload: CreatedUpload, at offset: Int, to target: inout OutputSpan<UInt8>
    ) {
        append("PATCH ", to: &target)
        append(Array(upload.path.utf8), to: &target)
        append(fields, to: &target)
        append("Upload-Offset: ", to: &target)
        RequestText.append(decimal: offset, to: &target)
        append("\r\n", to: &target)
    }

    private func appendLength(_ count: Int, to target: inout OutputSpan<UInt8>) {
        append("Content-Length: ", to: &target)
        RequestText.append(decimal: count, to: &target)
        append("\r\n\r\n", to: &target)
    }

    private func append(_ text: String, to target: inout OutputSpan<UInt8>) {
        for byte in text.utf8 { target.append(byte) }
    }

    private func append(_ bytes: [UInt8], to target: inout OutputSpan<UInt8>) {
        for byte in bytes { target.append(byte) }
    }
}

/// An upload as the server called it when it was begun.
public struct CreatedUpload: Equatable, Sendable {
    /// Its own address, which downloads it once it is finished.
    public let path: String
    /// The last segment of that.
    let id: [UInt8]
    /// Of each of its chunks but the last, if the server said.
    let chunkBytes: Int?

    init(path: String, chunkBytes: Int? = nil) {
        self.path = path
        self.chunkBytes = chunkBytes
        id = Array(path.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed())
    }

    /// What a whole answer to a creation tells; nil if that is not where the upload is.
    init?(answer: Span<UInt8>) {
        let text = String(decoding: answer.indices.map { answer[$0] }, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let line = lines.first(where: { $0.lowercased().hasPrefix("location:") }),
            let start = line.firstIndex(of: "/")
        else { return nil }
        let key = "\"chunk_size\":"
        let digits = text.firstRange(of: key).map { text[$0.upperBound...].drop { $0 == " " } }
        self.init(
            path: String(line[start...]),
            chunkBytes: digits.flatMap { Int($0.prefix { $0.isNumber }) })
    }
}
