/// What stands between the parts of a form (RFC 2046 §5.1.1), taken from its Content-Type.
public struct FormBoundary: Equatable, Sendable {
    /// The line's end before it, two hyphens, and the boundary.
    let delimiter: [UInt8]
    /// By the last byte of a place that is no delimiter: how far on the next may start (Horspool,
    /// "Practical fast searching in strings", 1980).
    private let skips: [UInt8]

    /// - Parameter contentType: `multipart/form-data; boundary=…`; another type is `.notForm`.
    public init(contentType: Span<UInt8>, limits: Limits) throws(Refusal) {
        guard MediaType.isType(MediaType.formData, contentType) else { throw .notForm }
        let value = ByteSlice(0, contentType.count)
        let typeEnd = MediaType.withoutParameters(contentType).count
        var parameters = ParameterCursor(value, from: typeEnd)
        var boundary: [UInt8]?
        do throws(ParameterCursor.Malformed) {
            while let parameter = try parameters.next(in: contentType) {
                let name = contentType.extracting(parameter.name)
                guard name.equalsLowercase("boundary") else { continue }
                if boundary != nil { throw ParameterCursor.Malformed() }
                boundary = ParameterCursor.text(parameter, in: contentType)
            }
        } catch {
            throw .malformedBoundary
        }
        guard let boundary, let last = boundary.last, boundary.count <= limits.boundaryBytes,
            last != Ascii.space, boundary.allSatisfy(FormBoundary.allows)
        else { throw .malformedBoundary }
        precondition(limits.boundaryBytes < 250, "a skip is a byte")
        let delimiter =
            [Ascii.carriageReturn, Ascii.lineFeed, Ascii.hyphen, Ascii.hyphen] + boundary
        var skips = [UInt8](repeating: UInt8(delimiter.count), count: 256)
        for (index, byte) in delimiter.dropLast().enumerated() {
            skips[Int(byte)] = UInt8(delimiter.count - 1 - index)
        }
        (self.delimiter, self.skips) = (delimiter, skips)
    }

    /// Moves to the next delimiter, or, among the last bytes, to what may become one; else to the
    /// end. Looks at few bytes of data that is no text; at each a few times at worst, because a
    /// delimiter has no second CR.
    func find(in bytes: Span<UInt8>, from position: inout Int) -> Match {
        let last = delimiter.count - 1
        let lastByte = delimiter[last]
        while position + last < bytes.count {
            let byte = bytes[position + last]
            if byte == lastByte, match(bytes, at: position) == .whole { return .whole }
            position += Int(skips[Int(byte)])
        }
        while true {
            position = Scan.first(Ascii.carriageReturn, in: bytes, from: position)
            if position == bytes.count { return .none }
            let match = match(bytes, at: position)
            if match != .none { return match }
            position += 1
        }
    }

    /// `bchars`: letters, digits, space and `' ( ) + _ , - . / : = ?`.
    private static func allows(_ byte: UInt8) -> Bool {
        Ascii.contains(byte, low: 0xa7ff_fb81_0000_0000, high: 0x07ff_fffe_87ff_fffe)
    }

    enum Match {
        case none
        /// All that is there; more must come to tell.
        case partial
        case whole
    }

    /// Compares what stands at `position` with the delimiter, from its byte `skipped` on.
    func match(_ bytes: Span<UInt8>, at position: Int, skipping skipped: Int = 0) -> Match {
        let wanted = delimiter.count - skipped
        let available = min(bytes.count - position, wanted)
        for index in 0..<available where bytes[position + index] != delimiter[skipped + index] {
            return .none
        }
        return available == wanted ? .whole : .partial
    }
}
