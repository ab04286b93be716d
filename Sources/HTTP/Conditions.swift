/// Preconditions of a request against the object as it is now (RFC 9110 §13), in the order that
/// §13.2.2 lays down.
public enum Conditions {
    public enum Verdict: Equatable, Sendable {
        /// Perform the method. If `isRangeAllowed`, a Range field counts: it was sent, the method
        /// is GET, and If-Range, if any, holds.
        case proceed(isRangeAllowed: Bool)
        /// 304.
        case notModified
        /// 412.
        case preconditionFailed
    }

    /// - Parameters:
    ///   - bytes: those that the head was parsed from.
    ///   - entityTag: the object's, with its quotes.
    ///   - lastModified: the object's, in seconds since 1970, as Last-Modified has it.
    ///   - now: seconds since 1970; gives two-digit years their century.
    public static func evaluate(
        _ head: RequestHead, in bytes: Span<UInt8>, entityTag: Span<UInt8>, lastModified: Int64,
        now: Int64
    ) -> Verdict {
        let isRead = head.method == .get || head.method == .head
        if head.ifMatch.isPresent {
            guard anyLine(head.ifMatch, "if-match", head, bytes, entityTag, .strong) else {
                return .preconditionFailed
            }
        } else if let date = date(head.ifUnmodifiedSince, bytes, now), lastModified > date {
            return .preconditionFailed
        }
        if head.ifNoneMatch.isPresent {
            if anyLine(head.ifNoneMatch, "if-none-match", head, bytes, entityTag, .weak) {
                return isRead ? .notModified : .preconditionFailed
            }
        } else if isRead, let date = date(head.ifModifiedSince, bytes, now), lastModified <= date {
            return .notModified
        }
        guard head.method == .get, head.range.isPresent else {
            return .proceed(isRangeAllowed: false)
        }
        return .proceed(isRangeAllowed: ifRangeHolds(head, bytes, entityTag, lastModified, now))
    }

    /// For a target that has no object: If-Match cannot hold, everything else can.
    public static func evaluateAbsent(_ head: RequestHead) -> Verdict {
        head.ifMatch.isPresent ? .preconditionFailed : .proceed(isRangeAllowed: false)
    }

    /// If-Match and If-None-Match are lists, which may be spread over several lines.
    private static func anyLine(
        _ slot: ByteSlice, _ name: String, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ entityTag: Span<UInt8>, _ comparison: EntityTag.Comparison
    ) -> Bool {
        if EntityTag.list(bytes.extracting(slot), matches: entityTag, comparison) { return true }
        guard head.hasRepeatedConditionList else { return false }
        var fields = FieldCursor(head)
        while let line = fields.next(named: name, in: bytes) {
            if EntityTag.list(bytes.extracting(line), matches: entityTag, comparison) {
                return true
            }
        }
        return false
    }

    /// nil if the field was not sent or is no date: it is ignored then.
    private static func date(_ slot: ByteSlice, _ bytes: Span<UInt8>, _ now: Int64) -> Int64? {
        slot.isPresent ? HTTPDate.parse(bytes.extracting(slot), now: now) : nil
    }

    /// A tag holds by strong comparison, a date only if it is exactly Last-Modified (§13.1.5).
    private static func ifRangeHolds(
        _ head: RequestHead, _ bytes: Span<UInt8>, _ entityTag: Span<UInt8>, _ lastModified: Int64,
        _ now: Int64
    ) -> Bool {
        guard head.ifRange.isPresent else { return true }
        let value = bytes.extracting(head.ifRange)
        var position = 0
        if let tag = EntityTag(in: value, at: &position) {
            return position == value.count && tag.matches(entityTag, in: value, .strong)
        }
        return HTTPDate.parse(value, now: now) == lastModified
    }
}
