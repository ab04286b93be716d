/// How an upload is cut into numbered chunks: all of one size but the last, counted from 0.
public struct ChunkNumbering: Equatable, Sendable {
    /// Bytes of the whole upload.
    public let length: UInt64
    public let chunkBytes: UInt64

    public init(length: UInt64, chunkBytes: UInt64) {
        precondition(chunkBytes > 0, "chunks without bytes never end")
        (self.length, self.chunkBytes) = (length, chunkBytes)
    }

    /// An upload without bytes is one chunk without bytes: some request has to end it.
    public var count: UInt64 {
        max(1, length / chunkBytes + (length % chunkBytes > 0 ? 1 : 0))
    }

    /// The bytes of a chunk; nil if there is none of that number.
    public func range(of chunk: UInt64) -> Range<UInt64>? {
        guard chunk < count else { return nil }
        let start = chunk * chunkBytes
        return start..<start + min(chunkBytes, length - start)
    }

    /// The chunks of which a byte is missing, as runs, in order.
    public func missing(from received: ExtentMap) -> [ClosedRange<UInt64>] {
        if length == 0 { return [0...0] }
        var runs: [ClosedRange<UInt64>] = []
        for hole in received.missing(in: 0..<length) {
            let chunks = hole.lowerBound / chunkBytes...(hole.upperBound - 1) / chunkBytes
            if let last = runs.last, chunks.lowerBound <= last.upperBound + 1 {
                runs[runs.count - 1] = last.lowerBound...chunks.upperBound
            } else {
                runs.append(chunks)
            }
        }
        return runs
    }
}
