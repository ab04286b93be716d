/// The chunked transfer coding (RFC 9112 §7.1), decoded as it arrives and in place: data is handed
/// out as ranges of the input, nothing is copied or kept.
///
///     size ──▶ extension ──▶ data ──▶ CRLF ──▶ size …        size 0 ──▶ trailer lines ──▶ end
///
/// Extensions and trailers are checked for their syntax and their limits, then dropped.
public struct ChunkedDecoder: BitwiseCopyable, Sendable {
    public enum Event: Equatable, Sendable {
        /// These bytes of the input are content. Never empty.
        case data(Range<Int>)
        /// All input is used up; the body goes on.
        case needsMore
        /// The body is over; the next request starts at the position.
        case end
        /// Final: nothing behind the position can be made sense of.
        case invalid(Refusal)
    }

    private enum State: BitwiseCopyable {
        case size, blank, `extension`, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case end
        case invalid(Refusal)
    }

    /// UInt64.max has sixteen hexadecimal digits.
    private static let digitCountMax = 16

    private var state = State.size
    private var bytesMissing: UInt64 = 0
    private var digitCount = 0
    private var lineByteCount = 0
    private var trailerByteCount = 0
    private let chunkLineBytes: Int
    private let trailerBytes: Int

    public init(limits: Limits) {
        chunkLineBytes = limits.chunkLineBytes
        trailerBytes = limits.trailerBytes
    }

    /// Decodes from `position` to the next event and moves the position there. Call until it
    /// answers anything but `data`.
    public mutating func next(in bytes: Span<UInt8>, at position: inout Int) -> Event {
        while true {
            switch state {
            case .end: return .end
            case .invalid(let refusal): return .invalid(refusal)
            case .data:
                guard position < bytes.count else { return .needsMore }
                return .data(takeData(bytes.count, &position))
            case .size, .blank, .extension, .sizeLineFeed, .dataReturn, .dataLineFeed,
                .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
                guard position < bytes.count else { return .needsMore }
                state = after(bytes[position])
                position += 1
            }
        }
    }

    private mutating func takeData(_ end: Int, _ position: inout Int) -> Range<Int> {
        let available = end - position
        let byteCount = bytesMissing < UInt64(available) ? Int(bytesMissing) : available
        bytesMissing -= UInt64(byteCount)
        if bytesMissing == 0 { state = .dataReturn }
        position += byteCount
        return position - byteCount..<position
    }

    private mutating func after(_ byte: UInt8) -> State {
        switch state {
        case .size: afterSize(byte)
        case .blank: afterBlank(byte)
        case .extension: afterExtension(byte)
        case .sizeLineFeed: afterSizeLine(byte)
        case .dataReturn:
            byte == Ascii.carriageReturn ? .dataLineFeed : .invalid(.malformedChunkEnd)
        case .dataLineFeed: afterData(byte)
        case .trailerStart: afterTrailerStart(byte)
        case .trailerName: afterTrailerName(byte)
        case .trailerValue: afterTrailerValue(byte)
        case .trailerLineFeed: byte == Ascii.lineFeed ? .trailerStart : .invalid(.malformedTrailer)
        case .lastLineFeed: byte == Ascii.lineFeed ? .end : .invalid(.malformedTrailer)
        case .data, .end, .invalid: preconditionFailure("\(state) takes no single bytes")
        }
    }

    // MARK: The size line

    private mutating func afterSize(_ byte: UInt8) -> State {
        if let digit = Ascii.hexadecimalValue(byte) {
            guard digitCount < ChunkedDecoder.digitCountMax else {
                return .invalid(.malformedChunkSize)
            }
            digitCount += 1
            lineByteCount += 1
            bytesMissing = bytesMissing &<< 4 | UInt64(digit)
            return lineByteCount > chunkLineBytes ? .invalid(.chunkLineTooLong) : .size
        }
        guard digitCount > 0 else { return .invalid(.malformedChunkSize) }
        if byte == Ascii.carriageReturn { return .sizeLineFeed }
        return afterBlank(byte)
    }

    /// Blanks before a semicolon are part of the grammar (BWS), those at a line's end are not.
    private mutating func afterBlank(_ byte: UInt8) -> State {
        lineByteCount += 1
        if lineByteCount > chunkLineBytes { return .invalid(.chunkLineTooLong) }
        if byte == Ascii.semicolon { return .extension }
        return Ascii.isBlank(byte) ? .blank : .invalid(.malformedChunkSize)
    }

    private mutating func afterExtension(_ byte: UInt8) -> State {
        if byte == Ascii.carriageReturn { return .sizeLineFeed }
        if Ascii.isControl(byte) && byte != Ascii.tab { return .invalid(.malformedChunkSize) }
        lineByteCount += 1
        return lineByteCount > chunkLineBytes ? .invalid(.chunkLineTooLong) : .extension
    }

    private mutating func afterSizeLine(_ byte: UInt8) -> State {
        guard byte == Ascii.lineFeed else { return .invalid(.malformedChunkSize) }
        return bytesMissing == 0 ? .trailerStart : .data
    }

    private mutating func afterData(_ byte: UInt8) -> State {
        guard byte == Ascii.lineFeed else { return .invalid(.malformedChunkEnd) }
        digitCount = 0
        lineByteCount = 0
        return .size
    }

    // MARK: The trailer

    private mutating func afterTrailerStart(_ byte: UInt8) -> State {
        if byte == Ascii.carriageReturn { return .lastLineFeed }
        guard Ascii.isToken(byte) else { return .invalid(.malformedTrailer) }
        return counted(.trailerName)
    }

    private mutating func afterTrailerName(_ byte: UInt8) -> State {
        if byte == Ascii.colon { return counted(.trailerValue) }
        return Ascii.isToken(byte) ? counted(.trailerName) : .invalid(.malformedTrailer)
    }

    private mutating func afterTrailerValue(_ byte: UInt8) -> State {
        if byte == Ascii.carriageReturn { return .trailerLineFeed }
        if Ascii.isControl(byte) && byte != Ascii.tab { return .invalid(.malformedTrailer) }
        return counted(.trailerValue)
    }

    private mutating func counted(_ next: State) -> State {
        trailerByteCount += 1
        return trailerByteCount > trailerBytes ? .invalid(.trailerTooLong) : next
    }
}
