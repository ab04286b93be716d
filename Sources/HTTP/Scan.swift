/// SIMD within a register: tests on all eight bytes of a word, for scanning lines.
///
/// A test sets the high bit of each byte that passes. Carries may set it for bytes above a hit
/// too, never below the lowest one: only the lowest hit is meaningful.
enum Swar {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Bytes below `bound`, for bounds up to 128.
    @inline(__always)
    static func below(_ bound: UInt64, in word: UInt64) -> UInt64 {
        (word &- ones &* bound) & ~word & highs
    }

    @inline(__always)
    static func equal(_ byte: UInt64, in word: UInt64) -> UInt64 {
        below(1, in: word ^ (ones &* byte))
    }

    /// DEL and every byte outside ASCII.
    @inline(__always)
    static func aboveTilde(in word: UInt64) -> UInt64 { (word | (word &+ ones)) & highs }

    @inline(__always)
    static func indexOfLowest(_ hits: UInt64) -> Int { hits.trailingZeroBitCount &>> 3 }

    /// Folds ASCII letters to lower case. Other token characters may change too, but none becomes
    /// a letter or a hyphen, so that a comparison with a name of those is exact for tokens.
    @inline(__always)
    static func lowercased(_ word: UInt64, _ byteCount: Int) -> UInt64 {
        let folded = word | 0x2020_2020_2020_2020
        if byteCount >= 8 { return folded }
        return folded & ((1 &<< (UInt64(truncatingIfNeeded: byteCount) &* 8)) &- 1)
    }

    /// Letters and hyphens, which are nearly all that field names consist of. Exact for every byte.
    @inline(__always)
    static func lettersAndHyphens(in word: UInt64) -> UInt64 {
        let folded = (word | ones &* 0x20) & ~highs
        let letters = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7b))
        let hyphens = ~(((word ^ ones &* 0x2d) & ~highs) &+ ones &* 0x7f)
        return (letters | hyphens) & ~word & highs
    }
}

/// Where a run of allowed bytes ends: eight at a time while eight are left, then one by one.
enum Scan {
    /// The first byte that is no token character; the count if there is none.
    @inline(__always)
    static func endOfToken(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var rest = bytes.extracting(droppingFirst: start)
        while rest.count >= 8 {
            let misses = Swar.lettersAndHyphens(in: rest.firstWord) ^ Swar.highs
            if misses == 0 {
                rest = rest.extracting(droppingFirst: 8)
                continue
            }
            rest = rest.extracting(droppingFirst: Swar.indexOfLowest(misses))
            guard rest.count > 0, Ascii.isToken(rest[0]) else { return bytes.count &- rest.count }
            rest = rest.extracting(droppingFirst: 1)
        }
        while rest.count > 0, Ascii.isToken(rest[0]) { rest = rest.extracting(droppingFirst: 1) }
        return bytes.count &- rest.count
    }

    /// The first control character but TAB; the count if there is none.
    @inline(__always)
    static func endOfValue(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var rest = bytes.extracting(droppingFirst: start)
        while rest.count >= 8 {
            let word = rest.firstWord
            let hits = Swar.below(0x20, in: word) | Swar.equal(0x7f, in: word)
            if hits == 0 {
                rest = rest.extracting(droppingFirst: 8)
                continue
            }
            rest = rest.extracting(droppingFirst: Swar.indexOfLowest(hits))
            guard rest.count > 0, rest[0] == Ascii.tab else { return bytes.count &- rest.count }
            rest = rest.extracting(droppingFirst: 1)
        }
        while rest.count > 0, !Ascii.isControl(rest[0]) || rest[0] == Ascii.tab {
            rest = rest.extracting(droppingFirst: 1)
        }
        return bytes.count &- rest.count
    }

    /// The first byte that no request target contains, or `stop`; the count if there is none.
    @inline(__always)
    static func endOfTarget(_ bytes: Span<UInt8>, from start: Int, orAt stop: UInt8) -> Int {
        let hash = UInt8(ascii: "#")
        var rest = bytes.extracting(droppingFirst: start)
        while rest.count >= 8 {
            let word = rest.firstWord
            let hits =
                Swar.below(0x21, in: word) | Swar.aboveTilde(in: word)
                | Swar.equal(UInt64(stop), in: word) | Swar.equal(UInt64(hash), in: word)
            if hits != 0 { return bytes.count &- rest.count &+ Swar.indexOfLowest(hits) }
            rest = rest.extracting(droppingFirst: 8)
        }
        while rest.count > 0 {
            let byte = rest[0]
            if byte <= Ascii.space || byte >= Ascii.delete || byte == stop || byte == hash { break }
            rest = rest.extracting(droppingFirst: 1)
        }
        return bytes.count &- rest.count
    }

    /// The first byte of that value; the count if there is none.
    static func first(_ byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int {
        var rest = bytes.extracting(droppingFirst: start)
        while rest.count >= 8 {
            let hits = Swar.equal(UInt64(byte), in: rest.firstWord)
            if hits != 0 { return bytes.count &- rest.count &+ Swar.indexOfLowest(hits) }
            rest = rest.extracting(droppingFirst: 8)
        }
        while rest.count > 0, rest[0] != byte { rest = rest.extracting(droppingFirst: 1) }
        return bytes.count &- rest.count
    }
}
