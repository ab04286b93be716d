/// The field lines of a head: their syntax (RFC 9112 §5), the few that have slots, and what the
/// framing fields say together.
struct FieldParser: BitwiseCopyable {
    /// Of an absolute-form target; takes the place of Host.
    var authority = ByteSlice.absent
    private var transferEncoding = ByteSlice.absent
    private var isChunked = false
    private var saysClose = false
    private var saysKeepAlive = false

    /// Returns the position behind the empty line.
    @inline(__always)
    mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, into head: inout RequestHead,
        _ limits: Limits
    ) throws(HeadParser.Stop) -> Int {
        var position = start
        var fieldCount = 0
        while true {
            guard position < bytes.count else { throw .incomplete }
            if bytes[position] == Ascii.carriageReturn {
                let end = try endOfLine(bytes, at: position)
                head.fields = ByteSlice(start, position)
                return end
            }
            if fieldCount == limits.fieldCount { throw .refused(.tooManyFields) }
            fieldCount &+= 1
            let nameStart = position
            position = Scan.endOfToken(bytes, from: nameStart)
            let nameEnd = position
            guard position < bytes.count else { throw .incomplete }
            guard bytes[position] == Ascii.colon, nameEnd > nameStart else {
                throw .refused(nameFault(bytes[position], isFirst: nameEnd == nameStart))
            }
            position &+= 1
            while position < bytes.count, Ascii.isBlank(bytes[position]) { position &+= 1 }
            let valueStart = position
            position = Scan.endOfValue(bytes, from: position)
            guard position < bytes.count else { throw .incomplete }
            var valueEnd = position
            position = try endOfLine(bytes, at: position)
            while valueEnd > valueStart, Ascii.isBlank(bytes[valueEnd &- 1]) { valueEnd &-= 1 }
            let name = KnownField(bytes, ByteSlice(nameStart, nameEnd))
            if name == .other { continue }
            try record(name, ByteSlice(valueStart, valueEnd), bytes, &head)
        }
    }

    @inline(__always)
    private func endOfLine(_ bytes: Span<UInt8>, at position: Int) throws(HeadParser.Stop) -> Int {
        guard bytes[position] == Ascii.carriageReturn else {
            let isLineFeed = bytes[position] == Ascii.lineFeed
            throw .refused(isLineFeed ? .bareLineFeed : .controlCharacter)
        }
        guard position &+ 1 < bytes.count else { throw .incomplete }
        guard bytes[position &+ 1] == Ascii.lineFeed else { throw .refused(.bareCarriageReturn) }
        return position &+ 2
    }

    private func nameFault(_ byte: UInt8, isFirst: Bool) -> Refusal {
        switch byte {
        case Ascii.lineFeed: .bareLineFeed
        case Ascii.space, Ascii.tab: isFirst ? .foldedField : .spaceBeforeColon
        default: .malformedFieldName
        }
    }

    @inline(__always)
    private mutating func record(
        _ name: KnownField, _ value: ByteSlice, _ bytes: Span<UInt8>, _ head: inout RequestHead
    ) throws(HeadParser.Stop) {
        switch name {
        case .host:
            try fill(&head.host, value)
            guard HostRule.allows(bytes.extracting(value)) else { throw .refused(.malformedHost) }
        case .contentLength: try recordLength(value, bytes, &head)
        case .transferEncoding:
            try fill(&transferEncoding, value)
            isChunked = bytes.hasToken(value, 7, word("c", "h", "u", "n", "k", "e", "d"))
        case .connection: recordConnection(value, bytes)
        case .expect: recordExpectation(value, bytes, &head)
        case .ifMatch: fillFirst(&head.ifMatch, value, &head.hasRepeatedConditionList)
        case .ifNoneMatch: fillFirst(&head.ifNoneMatch, value, &head.hasRepeatedConditionList)
        case .contentType: try fill(&head.contentType, value)
        case .contentRange: try fill(&head.contentRange, value)
        case .authorization: try fill(&head.authorization, value)
        case .range: try fill(&head.range, value)
        case .ifModifiedSince: try fill(&head.ifModifiedSince, value)
        case .ifUnmodifiedSince: try fill(&head.ifUnmodifiedSince, value)
        case .ifRange: try fill(&head.ifRange, value)
        case .durability: try fill(&head.durability, value)
        case .contentDigest, .reprDigest: head.hasDigest = true
        case .wantReprDigest: head.wantsReprDigest = true
        case .uploadComplete: head.hasUploadComplete = true
        case .other: break
        }
    }

    @inline(__always)
    private func fill(_ slot: inout ByteSlice, _ value: ByteSlice) throws(HeadParser.Stop) {
        if slot.isPresent { throw .refused(.repeatedField) }
        slot = value
    }

    private func fillFirst(_ slot: inout ByteSlice, _ value: ByteSlice, _ isRepeated: inout Bool) {
        if slot.isPresent { isRepeated = true } else { slot = value }
    }

    /// One decimal number, once: equal repetitions and lists are refused as well, because that is
    /// what two readers of one stream disagree about (RFC 9112 §6.3 lets us).
    private func recordLength(
        _ value: ByteSlice, _ bytes: Span<UInt8>, _ head: inout RequestHead
    ) throws(HeadParser.Stop) {
        if head.hasContentLength { throw .refused(.repeatedField) }
        guard let length = Decimal.parse(bytes.extracting(value)) else {
            throw .refused(.malformedContentLength)
        }
        head.hasContentLength = true
        head.contentLengthValue = length
    }

    private mutating func recordConnection(_ value: ByteSlice, _ bytes: Span<UInt8>) {
        var list = ListCursor(value)
        while let option = list.next(in: bytes) {
            if bytes.hasToken(option, 5, word("c", "l", "o", "s", "e")) { saysClose = true }
            let first = word("k", "e", "e", "p", "-", "a", "l", "i")
            let last = word("e", "p", "-", "a", "l", "i", "v", "e")
            if bytes.hasToken(option, 10, first, last) { saysKeepAlive = true }
        }
    }

    private func recordExpectation(
        _ value: ByteSlice, _ bytes: Span<UInt8>, _ head: inout RequestHead
    ) {
        var list = ListCursor(value)
        while let expectation = list.next(in: bytes) {
            let first = word("1", "0", "0", "-", "c", "o", "n", "t")
            let last = word("c", "o", "n", "t", "i", "n", "u", "e")
            if bytes.hasToken(expectation, 12, first, last) {
                head.expectsContinue = true
            } else {
                head.hasUnknownExpectation = true
            }
        }
    }

    /// What only the whole head can tell.
    @inline(__always)
    func conclude(_ head: inout RequestHead) throws(HeadParser.Stop) {
        let isOld = head.minorVersion == 0
        guard head.host.isPresent || isOld else { throw .refused(.missingHost) }
        if transferEncoding.isPresent {
            if isOld { throw .refused(.codingInOldVersion) }
            if head.hasContentLength { throw .refused(.lengthAndCoding) }
            guard isChunked else { throw .refused(.unknownCoding) }
            head.isChunked = true
        }
        if isOld {
            head.expectsContinue = false
            head.hasUnknownExpectation = false
        }
        head.keepAlive = !saysClose && (!isOld || saysKeepAlive)
        if authority.isPresent { head.host = authority }
    }
}
