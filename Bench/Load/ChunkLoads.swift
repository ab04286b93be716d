/// What a driver asks of the load client about uploads in chunks.

public import BenchMeasure

/// How uploads in chunks are made: whose, in which dialect, out of which file.
public struct ChunkObjects: Sendable {
    public let dialect: Row.Dialect
    /// Of scope upload; what allows a DELETE as well.
    public let token: String
    public let bodyCount: Int
    /// Of each chunk but an upload's last, unless the server says.
    public let chunkBytes: Int
    public let source: SourceFile

    public init(
        _ dialect: Row.Dialect, token: String, bodyCount: Int, chunkBytes: Int,
        source: SourceFile
    ) {
        (self.dialect, self.token, self.source) = (dialect, token, source)
        (self.bodyCount, self.chunkBytes) = (bodyCount, chunkBytes)
    }
}

extension LoadLoop {
    /// Uploads objects `numbers`, over as many connections as the plan says; what begins them is
    /// part of it. An object counts when it is complete.
    public mutating func putChunks(
        _ objects: ChunkObjects, _ numbers: Range<UInt64>, _ plan: LoadPlan
    ) throws(LoadFailure) -> (tally: LoadTally, uploads: [CreatedUpload]) {
        let text = ChunkText(objects.dialect, token: objects.token)
        let begun = try create(text, bodyCount: objects.bodyCount, count: numbers.count, plan)
        var puts = ChunkPuts(
            text: text, uploads: begun.uploads,
            parts: numbers.map { objects.source.part(of: $0, count: objects.bodyCount) },
            chunkBytes: begun.uploads.first?.chunkBytes ?? objects.chunkBytes, seed: plan.seed)
        var tally = try run(&puts, plan)
        precondition(tally.objectCount == numbers.count, "an upload was left unfinished")
        tally.seconds += begun.seconds
        tally.completions = puts.completions
        return (tally, begun.uploads)
    }

    private mutating func create(
        _ text: ChunkText, bodyCount: Int, count: Int, _ plan: LoadPlan
    ) throws(LoadFailure) -> (uploads: [CreatedUpload], seconds: Double) {
        var creations = UploadCreations(text: text, bodyCount: bodyCount, count: count)
        var plan = plan
        plan.connectionCount = min(plan.connectionCount, count)
        let tally = try run(&creations, plan)
        return (creations.uploads, tally.seconds)
    }

    /// Begins `count` uploads, sends a block of each and leaves them.
    public mutating func beginUploads(
        _ count: Int, token: String, seed: UInt64, _ plan: LoadPlan
    ) throws(LoadFailure) -> [CreatedUpload] {
        let text = ChunkText(.resumable, token: token)
        let begun = try create(text, bodyCount: 0, count: count, plan).uploads
        var beginnings = UploadBeginnings(text: text, uploads: begun, seed: seed)
        _ = try run(&beginnings, plan)
        return begun
    }

    /// Asks for each whether it is still there, with its block.
    public mutating func queryUploads(
        _ uploads: [CreatedUpload], token: String, _ plan: LoadPlan
    ) throws(LoadFailure) {
        var queries = UploadQueries(token: token, uploads: uploads)
        _ = try run(&queries, plan)
    }
}
