// The load of the rows that upload in chunks.

import BenchLoad
import BenchMeasure
import Foundation

/// Uploads in chunks to Millrace, in one dialect; to others, and to Millrace once more for its own
/// comparison, the same bodies by one PUT each.
final class ChunkUploads: RowLoad {
    private let row: Row
    private let dialect: Row.Dialect
    private let rig: Rig
    private let byteCount: Int
    private let plain: SourcePuts
    private var stored: [(upload: CreatedUpload, part: FilePart)] = []

    init(_ row: Row, _ dialect: Row.Dialect, _ rig: Rig, _ byteCount: Int) {
        (self.row, self.dialect, self.rig, self.byteCount) = (row, dialect, rig, byteCount)
        plain = SourcePuts(row.plain, rig, byteCount, deletes: true)
    }

    private func isPlain(_ subject: Subject) -> Bool { subject.side != .millrace }

    func fill(_ subject: Subject) throws {
        if isPlain(subject) { try plain.fill(subject) }
    }

    func prepare(_ subject: Subject) throws { try plain.prepare(subject) }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        precondition(pace == nil, "what comes in chunks has no schedule")
        guard !isPlain(subject) else { return try plain.run(subject, seed: seed, pace: nil) }
        guard let token = subject.adminToken, let source = rig.source else {
            preconditionFailure("chunks need a token and their source")
        }
        let objects = ChunkObjects(
            dialect, token: token, bodyCount: byteCount, chunkBytes: Row.chunkBytes,
            source: source)
        let first = subject.firstUnusedNumber(of: row)
        let count = UInt64(row.uploadsPerRound(isQuick: rig.options.isQuick))
        subject.use(upTo: first + count, of: row)
        var plan = LoadPlan(subject.server, connections: row.connectionCount)
        plan.seed = seed
        let (tally, uploads) = try rig.client.putChunks(objects, first..<first + count, plan)
        let parts = (first..<first + count).map { source.part(of: $0, count: byteCount) }
        stored = Array(zip(uploads, parts))
        return tally
    }

    /// Compares every byte, under the upload's own address, and deletes the objects.
    func check(_ subject: Subject) throws {
        guard !isPlain(subject) else { return try plain.check(subject) }
        guard let token = subject.adminToken, let source = rig.source else {
            preconditionFailure("chunks need a token and their source")
        }
        var transfer = try LargeTransfer(to: subject.server, names: Objects.putNames(row))
        for (upload, part) in stored {
            try transfer.compare(upload.path, token: token, with: part, of: source)
        }
        let list = try transfer.fetch(
            "/admin/objects?prefix=\(ObjectListing.uploadPrefix)&limit=1000", token: token)
        let paths = try ObjectListing(list).paths
        guard paths.count == stored.count else {
            throw BenchError("\(row.name): \(paths.count) objects of \(stored.count) uploads")
        }
        for path in paths { try transfer.delete("/" + path, token: token) }
        stored = []
    }

    func close() { plain.close() }
}

/// A page of Millrace's list of objects.
private struct ObjectListing: Decodable {
    private struct Entry: Decodable { let path: String }
    private let objects: [Entry]

    /// Where uploads go that name no path.
    static let uploadPrefix = "u/"

    init(_ json: [UInt8]) throws {
        self = try JSONDecoder().decode(ObjectListing.self, from: Data(json))
    }

    var paths: [String] { objects.map(\.path) }
}
