// Eight bytes in one step: how names are compared and lines are scanned without vector types.

/// Up to eight characters as one little-endian word, for comparing with `Span.word(at:)`.
@inline(__always)
func word(
    _ a: Unicode.Scalar, _ b: Unicode.Scalar = "\0", _ c: Unicode.Scalar = "\0",
    _ d: Unicode.Scalar = "\0", _ e: Unicode.Scalar = "\0", _ f: Unicode.Scalar = "\0",
    _ g: Unicode.Scalar = "\0", _ h: Unicode.Scalar = "\0"
) -> UInt64 {
    let low = a.value | b.value &<< 8 | c.value &<< 16 | d.value &<< 24
    let high = e.value | f.value &<< 8 | g.value &<< 16 | h.value &<< 24
    return UInt64(low) | UInt64(high) &<< 32
}

extension Span<UInt8> {
    /// The first eight bytes, little-endian. The caller has seen that there are eight; so has the
    /// compiler then, and fuses the loads without a check.
    @inline(__always)
    var firstWord: UInt64 {
        precondition(count >= 8, "a word has eight bytes")
        var word = UInt64(self[0])
        word |= UInt64(self[1]) &<< 8
        word |= UInt64(self[2]) &<< 16
        word |= UInt64(self[3]) &<< 24
        word |= UInt64(self[4]) &<< 32
        word |= UInt64(self[5]) &<< 40
        word |= UInt64(self[6]) &<< 48
        word |= UInt64(self[7]) &<< 56
        return word
    }

    /// Bytes `start..<start + 8`, little-endian.
    @inline(__always)
    func word(at start: Int) -> UInt64 { extracting(droppingFirst: start).firstWord }

    /// Bytes `start..<start + byteCount` (at most eight), little-endian, zeros above.
    @inline(__always)
    func word(at start: Int, byteCount: Int) -> UInt64 {
        if byteCount >= 8 { return word(at: start) }
        if start &+ 8 <= count {
            return word(at: start) & ((1 &<< (UInt64(truncatingIfNeeded: byteCount) &* 8)) &- 1)
        }
        var word: UInt64 = 0
        for index in 0..<byteCount { word |= UInt64(self[start &+ index]) &<< UInt64(index &* 8) }
        return word
    }

    /// Compares a token with a lower-case name of at most sixteen characters, given as its first
    /// and its last eight (`first` alone below nine), whatever the token's case.
    @inline(__always)
    func hasToken(_ slice: ByteSlice, _ byteCount: Int, _ first: UInt64, _ last: UInt64 = 0) -> Bool
    {
        guard Int(slice.count) == byteCount else { return false }
        let start = slice.start
        if Swar.lowercased(word(at: start, byteCount: byteCount), byteCount) != first {
            return false
        }
        return byteCount <= 8 || Swar.lowercased(word(at: slice.end &- 8), 8) == last
    }
}
