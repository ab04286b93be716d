/// The order of commits: which sequences are handed out, and up to where all are resolved.
///
/// Sequences resolve in any order; the indexer may only say "applied up to n" when nothing below
/// n is still on its way. A ring of bits holds what is resolved above the watermark.
///
/// Invariant: watermark < next, next - watermark - 1 sequences are open or resolved out of order,
/// and the bit of `watermark + 1` is clear.
public struct CommitWindow: Sendable {
    /// Sequences between the watermark and the newest: a limit for one that is never resolved.
    public static let spanMaxDefault = 65_536

    /// All sequences up to this one are complete or abandoned.
    public private(set) var watermark: UInt64
    private var next: UInt64
    private var resolved: [Bool]
    public private(set) var openCount = 0

    /// `last` is the highest sequence that was ever used; `spanMax` is a power of two.
    public init(last: UInt64, spanMax: Int = spanMaxDefault) {
        precondition(spanMax > 0 && spanMax.nonzeroBitCount == 1, "a power of two")
        watermark = last
        next = last + 1
        resolved = Array(repeating: false, count: spanMax)
    }

    /// The highest sequence handed out.
    public var last: UInt64 { next - 1 }

    /// The next sequence; nil while the oldest open one is too far behind.
    public mutating func assign() -> UInt64? {
        guard next - watermark <= UInt64(resolved.count) else { return nil }
        defer { next += 1 }
        openCount += 1
        return next
    }

    /// The record of this sequence is durable.
    public mutating func complete(_ sequence: UInt64) { resolve(sequence) }

    /// No record of this sequence was acknowledged, nor will be. If one may have been written all
    /// the same, its segment stays leased: the next start looks there, whatever the watermark says.
    public mutating func abandon(_ sequence: UInt64) { resolve(sequence) }

    private mutating func resolve(_ sequence: UInt64) {
        precondition(sequence < next, "sequence \(sequence) was never handed out")
        precondition(sequence > watermark && !resolved[slot(sequence)], "resolved twice")
        openCount -= 1
        resolved[slot(sequence)] = true
        while watermark + 1 < next, resolved[slot(watermark + 1)] {
            watermark += 1
            resolved[slot(watermark)] = false
        }
    }

    private func slot(_ sequence: UInt64) -> Int { Int(sequence & UInt64(resolved.count - 1)) }
}
