/// Uploads in chunks, out of the source file: each over a connection of its own and in order, or,
/// by numbers, over all connections in no order at all.

import BenchMachine
import BenchMeasure
import IO

struct ChunkPuts: Work, ~Copyable {
    /// What a connection is at.
    private struct Step {
        var upload: Int
        var offset: Int
        var count: Int
        /// When it was asked for; 0 for what is a chunk.
        var completionStart: UInt64 = 0
    }

    private let text: ChunkText
    private let uploads: [CreatedUpload]
    /// Of each upload: where its bytes stand.
    private let parts: [FilePart]
    private let chunkBytes: Int
    private var current: [Step?]
    /// In order: the upload that nobody has begun to send.
    private var nextUpload = 0
    /// By numbers: the chunks that nobody has sent, the next one last.
    private var scattered: [Step] = []
    /// Of each upload: chunks that are not answered.
    private var missingCounts: [Int]
    /// How long the requests took that completed an upload, in nanoseconds.
    private(set) var completions = Histogram()

    init(
        text: ChunkText, uploads: [CreatedUpload], parts: [FilePart], chunkBytes: Int,
        seed: UInt64
    ) {
        precondition(uploads.count == parts.count, "a body for every upload")
        (self.text, self.uploads, self.parts) = (text, uploads, parts)
        self.chunkBytes = chunkBytes
        current = Array(repeating: nil, count: LoadLoop.connectionsMax)
        missingCounts = parts.map { ($0.count + chunkBytes - 1) / chunkBytes }
        guard text.dialect == .numbered else { return }
        for (upload, part) in parts.enumerated() {
            for offset in stride(from: 0, to: part.count, by: chunkBytes) {
                let count = min(chunkBytes, part.count - offset)
                scattered.append(Step(upload: upload, offset: offset, count: count))
            }
        }
        var random = SplitMix64(seed: SplitMix64.mix(seed))
        scattered.shuffle(using: &random)
    }

    func body(for connection: Int) -> Body? {
        guard let step = current[connection], step.count > 0 else { return nil }
        let whole = parts[step.upload]
        let part = FilePart(
            file: whole.file, offset: whole.offset + step.offset, count: step.count)
        return Body(part: part, awaitsInvitation: false)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard var step = nextStep(of: connection) else {
            current[connection] = nil
            return nil
        }
        var output = arena.output(scratch)
        let upload = uploads[step.upload]
        if step.count == 0 {
            step.completionStart = Clocks.now()
            text.appendCompletion(of: upload, at: step.offset, to: &output)
        } else {
            text.appendChunk(
                of: upload, at: step.offset, count: step.count, chunkBytes: chunkBytes,
                to: &output)
        }
        current[connection] = step
        return scratch.part(from: 0, count: output.count)
    }

    private mutating func nextStep(of connection: Int) -> Step? {
        guard text.dialect != .numbered else { return scattered.popLast() }
        if let step = current[connection], step.count > 0 {
            let offset = step.offset + step.count
            let count = min(chunkBytes, parts[step.upload].count - offset)
            if count > 0 || text.hasCompletion {
                return Step(upload: step.upload, offset: offset, count: count)
            }
        }
        guard nextUpload < uploads.count else { return nil }
        nextUpload += 1
        let count = min(chunkBytes, parts[nextUpload - 1].count)
        return Step(upload: nextUpload - 1, offset: 0, count: count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        guard let step = current[connection] else { preconditionFailure("nothing was asked") }
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let path = uploads[step.upload].path
        guard let head = try ResponseHead.readWhole(bytes, of: path) else { return .incomplete }
        let isCompletion = step.count == 0
        guard head.status == (isCompletion ? 201 : text.chunkStatus) else {
            throw .status(head.status, of: path)
        }
        if isCompletion {
            completions.add(Clocks.now() - step.completionStart)
            return .complete
        }
        missingCounts[step.upload] -= 1
        return missingCounts[step.upload] == 0 && !text.hasCompletion ? .complete : .continues
    }
}
