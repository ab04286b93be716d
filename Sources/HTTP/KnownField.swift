/// The fields that have a slot in `RequestHead` or a say in framing, and those whose presence it
/// notes, told apart by length and then by one to three words.
enum KnownField: UInt8 {
    case other
    case host, contentLength, transferEncoding, connection, expect
    case contentType, contentRange, authorization, durability
    case range, ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange
    case contentDigest, reprDigest, wantReprDigest, uploadComplete

    /// Bit n is set if a known name has n characters.
    private static let lengths: UInt32 =
        1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1
        << 15 | 1 << 16 | 1 << 17 | 1 << 19

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ name: ByteSlice) {
        guard name.count < 32, (KnownField.lengths &>> UInt32(name.count)) & 1 != 0 else {
            self = .other
            return
        }
        self = name.count <= 8 ? KnownField.short(bytes, name) : KnownField.long(bytes, name)
    }

    private static func short(_ bytes: Span<UInt8>, _ name: ByteSlice) -> KnownField {
        let byteCount = Int(name.count)
        switch Swar.lowercased(bytes.word(at: name.start, byteCount: byteCount), byteCount) {
        case word("h", "o", "s", "t"): return .host
        case word("r", "a", "n", "g", "e"): return .range
        case word("e", "x", "p", "e", "c", "t"): return .expect
        case word("i", "f", "-", "m", "a", "t", "c", "h"): return .ifMatch
        case word("i", "f", "-", "r", "a", "n", "g", "e"): return .ifRange
        default: return .other
        }
    }

    private static func long(_ bytes: Span<UInt8>, _ name: ByteSlice) -> KnownField {
        let first = Swar.lowercased(bytes.word(at: name.start), 8)
        let last = Swar.lowercased(bytes.word(at: name.end &- 8), 8)
        let candidate = candidate(Int(name.count), first, last)
        guard name.count > 16, candidate != .other else { return candidate }
        let middle = Swar.lowercased(bytes.word(at: name.start &+ 8), 8)
        return middle == candidate.middle ? candidate : .other
    }

    /// By the first and the last eight characters, which are all up to sixteen.
    @inline(__always)
    private static func candidate(_ byteCount: Int, _ first: UInt64, _ last: UInt64) -> KnownField {
        switch (byteCount, first, last) {
        case (
            10, word("c", "o", "n", "n", "e", "c", "t", "i"),
            word("n", "n", "e", "c", "t", "i", "o", "n")
        ): .connection
        case (
            11, word("r", "e", "p", "r", "-", "d", "i", "g"),
            word("r", "-", "d", "i", "g", "e", "s", "t")
        ): .reprDigest
        case (
            12, word("c", "o", "n", "t", "e", "n", "t", "-"),
            word("e", "n", "t", "-", "t", "y", "p", "e")
        ): .contentType
        case (
            13, word("i", "f", "-", "n", "o", "n", "e", "-"),
            word("n", "e", "-", "m", "a", "t", "c", "h")
        ): .ifNoneMatch
        case (
            13, word("a", "u", "t", "h", "o", "r", "i", "z"),
            word("r", "i", "z", "a", "t", "i", "o", "n")
        ): .authorization
        case (
            13, word("c", "o", "n", "t", "e", "n", "t", "-"),
            word("n", "t", "-", "r", "a", "n", "g", "e")
        ): .contentRange
        case (
            14, word("c", "o", "n", "t", "e", "n", "t", "-"),
            word("t", "-", "l", "e", "n", "g", "t", "h")
        ): .contentLength
        case (
            14, word("c", "o", "n", "t", "e", "n", "t", "-"),
            word("t", "-", "d", "i", "g", "e", "s", "t")
        ): .contentDigest
        case (
            15, word("u", "p", "l", "o", "a", "d", "-", "c"),
            word("c", "o", "m", "p", "l", "e", "t", "e")
        ): .uploadComplete
        case (
            16, word("w", "a", "n", "t", "-", "r", "e", "p"),
            word("r", "-", "d", "i", "g", "e", "s", "t")
        ): .wantReprDigest
        case (
            17, word("t", "r", "a", "n", "s", "f", "e", "r"),
            word("e", "n", "c", "o", "d", "i", "n", "g")
        ): .transferEncoding
        case (
            17, word("i", "f", "-", "m", "o", "d", "i", "f"),
            word("e", "d", "-", "s", "i", "n", "c", "e")
        ): .ifModifiedSince
        case (
            19, word("i", "f", "-", "u", "n", "m", "o", "d"),
            word("e", "d", "-", "s", "i", "n", "c", "e")
        ): .ifUnmodifiedSince
        case (
            19, word("m", "i", "l", "l", "r", "a", "c", "e"),
            word("r", "a", "b", "i", "l", "i", "t", "y")
        ): .durability
        default: .other
        }
    }

    /// Characters 8 to 15 of the names longer than sixteen.
    private var middle: UInt64 {
        switch self {
        case .transferEncoding: word("-", "e", "n", "c", "o", "d", "i", "n")
        case .ifModifiedSince: word("i", "e", "d", "-", "s", "i", "n", "c")
        case .ifUnmodifiedSince: word("i", "f", "i", "e", "d", "-", "s", "i")
        case .durability: word("-", "d", "u", "r", "a", "b", "i", "l")
        case .other, .host, .contentLength, .connection, .expect, .contentType, .contentRange,
            .authorization, .range, .ifMatch, .ifNoneMatch, .ifRange, .contentDigest, .reprDigest,
            .wantReprDigest, .uploadComplete:
            0
        }
    }
}
