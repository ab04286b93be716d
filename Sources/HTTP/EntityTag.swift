/// Entity tags (RFC 9110 §8.8.3): one, or a list of them in a precondition.
struct EntityTag {
    let isWeak: Bool
    /// With its quotes.
    let opaque: Range<Int>

    /// Reads a tag at `position` and moves behind it; nil, with the position anywhere, if there is
    /// none.
    init?(in bytes: Span<UInt8>, at position: inout Int) {
        isWeak =
            position + 1 < bytes.count && bytes[position] == UInt8(ascii: "W")
            && bytes[position + 1] == Ascii.slash
        if isWeak { position += 2 }
        let start = position
        guard position < bytes.count, bytes[position] == Ascii.quote else { return nil }
        position += 1
        while position < bytes.count, EntityTag.allows(bytes[position]) { position += 1 }
        guard position < bytes.count, bytes[position] == Ascii.quote else { return nil }
        position += 1
        opaque = start..<position
    }

    /// `etagc`: visible ASCII but the quote, and anything beyond ASCII.
    private static func allows(_ byte: UInt8) -> Bool {
        byte > Ascii.space && byte != Ascii.quote && byte != Ascii.delete
    }

    enum Comparison {
        /// Neither is weak and the opaque parts are the same.
        case strong
        /// The opaque parts are the same.
        case weak
    }

    /// Whether a list of tags, or `*`, has one that matches the current tag. The list is read up to
    /// the first fault; what stands before it counts.
    static func list(
        _ list: Span<UInt8>, matches current: Span<UInt8>, _ comparison: Comparison
    ) -> Bool {
        if list.count == 1, list[0] == UInt8(ascii: "*") { return true }
        var position = 0
        while position < list.count {
            if list[position] == Ascii.comma || Ascii.isBlank(list[position]) {
                position += 1
                continue
            }
            guard let tag = EntityTag(in: list, at: &position) else { return false }
            if tag.matches(current, in: list, comparison) { return true }
            while position < list.count, Ascii.isBlank(list[position]) { position += 1 }
            guard position == list.count || list[position] == Ascii.comma else { return false }
        }
        return false
    }

    /// Compares with a whole tag, the current one.
    func matches(_ current: Span<UInt8>, in bytes: Span<UInt8>, _ comparison: Comparison) -> Bool {
        let isCurrentWeak = current.count > 0 && current[0] == UInt8(ascii: "W")
        if comparison == .strong && (isWeak || isCurrentWeak) { return false }
        let currentOpaque = current.extracting(droppingFirst: isCurrentWeak ? 2 : 0)
        return bytes.extracting(opaque).equals(currentOpaque)
    }
}
