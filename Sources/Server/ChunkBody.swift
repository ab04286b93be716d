/// How the bytes of a request's body come out of its framing: counted, or in chunks.

import HTTP

/// Decides; `Core.receive(_:from:)` brings the bytes.
struct ChunkBody {
    private(set) var decoder: ChunkedDecoder?
    /// The last byte has been taken.
    private(set) var isAtEnd: Bool
    /// What breaks the framing.
    private(set) var refusal: Refusal?

    init(_ head: RequestHead, _ limits: HTTP.Limits) {
        switch head.framing {
        case .none: (decoder, isAtEnd) = (nil, true)
        case .length(let count): (decoder, isAtEnd) = (nil, count == 0)
        case .chunked: (decoder, isAtEnd) = (ChunkedDecoder(limits: limits), false)
        }
    }

    /// What to do with bytes that have come, and how many of them that accounts for.
    enum Piece: Equatable {
        /// These are the body's.
        case data(Range<Int>, used: Int)
        case nothing(used: Int)
    }

    /// For a body in chunks: looks at the first bytes that are kept.
    mutating func next(in bytes: Span<UInt8>) -> Piece {
        guard var decoder else { preconditionFailure("a counted body has no pieces") }
        var position = 0
        let event = decoder.next(in: bytes, at: &position)
        self.decoder = decoder
        switch event {
        case .data(let range): return .data(range, used: position)
        case .needsMore: break
        case .end: isAtEnd = true
        case .invalid(let refusal): self.refusal = refusal
        }
        return .nothing(used: position)
    }

    /// So many bytes of a counted body are still missing.
    mutating func left(_ count: UInt64) { if decoder == nil { isAtEnd = count == 0 } }
}
