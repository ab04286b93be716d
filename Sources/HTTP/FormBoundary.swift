/// What stands between the parts of a form (RFC 2046 §5.1.1), taken from its Content-Type.
public struct FormBoundary: Equatable, Sendable {
    /// The line's end before it, two hyphens, and the boundary.
    let delimiter: [UInt8]

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
        delimiter = [Ascii.carriageReturn, Ascii.lineFeed, Ascii.hyphen, Ascii.hyphen] + boundary
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
