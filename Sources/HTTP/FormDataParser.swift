/// A form's body (multipart/form-data: RFC 7578, RFC 2046 §5.1), read as it arrives: data is
/// handed out as ranges of the input, only what stands before a part's data is copied.
///
///     start ──▶ boundary ──▶ CRLF ──▶ part's head ──▶ data ──▶ boundary ──▶ CRLF …
///       └▶ preamble ─┘                                            └▶ "--" ──▶ end
///
/// A line that starts with the boundary and goes on with anything but blanks or `--` is refused:
/// no two readers then see different parts. What follows the last boundary means nothing.
public struct FormDataParser: Sendable {
    public enum Event: Equatable, Sendable {
        /// A part starts; its data follows.
        case part(FormPart)
        /// These bytes of the input are data of the part. Never empty, never of a boundary.
        case data(Range<Int>)
        /// The part's data is over. Whether the form is sound is known only at its end.
        case partEnd
        /// The input is used up to the position; what stands behind it, at most `carryBytesMax`
        /// bytes, may be a boundary's start and is to stand at the start of the next input.
        case needsMore
        /// The form is over; what follows is to be dropped.
        case end
        /// Final: nothing behind the position can be made sense of.
        case invalid(Refusal)
    }

    private enum State: Equatable {
        case start, preamble
        case boundary, closing, blanks, lineFeed
        case head, dataStart, data
        case end
        case invalid(Refusal)
    }

    private let boundary: FormBoundary
    private let limits: Limits
    private var state = State.start
    private var partCount = 0
    private var preambleByteCount = 0
    private var blankCount = 0
    private var head: [UInt8] = []
    private var lineStart = 0

    public init(_ boundary: FormBoundary, limits: Limits) {
        precondition(limits.partHeadBytes <= Int(UInt16.max), "positions in a head are 16 bits")
        self.boundary = boundary
        self.limits = limits
    }

    /// What of an input may have to be seen again.
    public var carryBytesMax: Int { boundary.delimiter.count - 1 }

    /// Whether the body may end here.
    public var isComplete: Bool { state == .end }

    /// Reads from `position` to the next event and moves the position there. Call until it
    /// answers `needsMore`, `end` or `invalid`.
    public mutating func next(in bytes: Span<UInt8>, at position: inout Int) -> Event {
        while true {
            switch state {
            case .end: return .end
            case .invalid(let refusal): return .invalid(refusal)
            case .start, .dataStart:
                if let event = atLineStart(bytes, &position) { return event }
            case .preamble:
                if let event = inPreamble(bytes, &position) { return event }
            case .data: return inData(bytes, &position)
            case .boundary, .closing, .blanks, .lineFeed:
                guard position < bytes.count else { return .needsMore }
                state = after(bytes[position])
                position += 1
            case .head:
                guard position < bytes.count else { return .needsMore }
                let byte = bytes[position]
                position += 1
                if let event = inHead(byte) { return event }
            }
        }
    }

    // MARK: Looking for a boundary

    /// At the start of the body, and of a part's data, the boundary's line has no other before it
    /// whose end could belong to it.
    private mutating func atLineStart(_ bytes: Span<UInt8>, _ position: inout Int) -> Event? {
        let isPartOpen = state == .dataStart
        switch boundary.match(bytes, at: position, skipping: 2) {
        case .partial: return .needsMore
        case .none:
            state = isPartOpen ? .data : .preamble
            return nil
        case .whole:
            position += boundary.delimiter.count - 2
            state = .boundary
            return isPartOpen ? .partEnd : nil
        }
    }

    private mutating func inPreamble(_ bytes: Span<UInt8>, _ position: inout Int) -> Event? {
        let start = position
        let match = boundary.find(in: bytes, from: &position)
        preambleByteCount += position - start
        guard preambleByteCount <= limits.preambleBytes else { return refuse(.preambleTooLong) }
        guard match == .whole else { return .needsMore }
        position += boundary.delimiter.count
        state = .boundary
        return nil
    }

    private mutating func inData(_ bytes: Span<UInt8>, _ position: inout Int) -> Event {
        let start = position
        let match = boundary.find(in: bytes, from: &position)
        if position > start { return .data(start..<position) }
        guard match == .whole else { return .needsMore }
        position += boundary.delimiter.count
        state = .boundary
        return .partEnd
    }

    // MARK: The rest of a boundary's line

    private mutating func after(_ byte: UInt8) -> State {
        switch state {
        case .boundary:
            blankCount = 0
            return byte == Ascii.hyphen ? .closing : afterBlank(byte)
        case .closing: return byte == Ascii.hyphen ? .end : .invalid(.malformedForm)
        case .blanks: return afterBlank(byte)
        case .lineFeed: return byte == Ascii.lineFeed ? beginHead() : .invalid(.malformedForm)
        case .start, .preamble, .head, .dataStart, .data, .end, .invalid:
            preconditionFailure("\(state) is not in a boundary's line")
        }
    }

    /// RFC 2046 §5.1.1: `transport-padding`, which no client should make.
    private mutating func afterBlank(_ byte: UInt8) -> State {
        if byte == Ascii.carriageReturn { return .lineFeed }
        guard Ascii.isBlank(byte) else { return .invalid(.malformedForm) }
        blankCount += 1
        return blankCount > limits.partHeadBytes ? .invalid(.partHeadTooLong) : .blanks
    }

    private mutating func beginHead() -> State {
        guard partCount < limits.partCount else { return .invalid(.tooManyParts) }
        partCount += 1
        head.removeAll(keepingCapacity: true)
        head.reserveCapacity(256)
        lineStart = 0
        return .head
    }

    // MARK: A part's head

    private mutating func inHead(_ byte: UInt8) -> Event? {
        let isAfterReturn = head.last == Ascii.carriageReturn
        guard head.count < limits.partHeadBytes else { return refuse(.partHeadTooLong) }
        guard isAfterReturn == (byte == Ascii.lineFeed) else {
            return refuse(isAfterReturn ? .bareCarriageReturn : .bareLineFeed)
        }
        head.append(byte)
        guard isAfterReturn else { return nil }
        let isLineEmpty = head.count - lineStart == 2
        lineStart = head.count
        guard isLineEmpty else { return nil }
        do throws(Refusal) {
            let part = try FormPart(head: head.span)
            state = .dataStart
            return .part(part)
        } catch {
            return refuse(error)
        }
    }

    private mutating func refuse(_ refusal: Refusal) -> Event {
        state = .invalid(refusal)
        return .invalid(refusal)
    }
}
