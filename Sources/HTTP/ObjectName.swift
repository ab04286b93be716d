/// What an object may be called, for names that do not come as a request's path.
public enum ObjectName {
    public enum Fault: Error, Equatable, BitwiseCopyable, Sendable {
        /// As a request for that path would be.
        case refused(Refusal)
        /// The first segment is the server's own.
        case reserved(ReservedSegment)
    }

    /// Holds a name to the rules of `RequestPath`, and to those of first segments: of the server's
    /// own only `u` has objects below it, those whose uploads named no path.
    public static func validate(_ name: Span<UInt8>, limits: Limits) throws(Fault) {
        do throws(Refusal) {
            try validateText(name, limits)
        } catch {
            throw .refused(error)
        }
        guard let reserved = ReservedSegment(of: name) else { return }
        guard reserved == .u, name.count > reserved.text.utf8.count else {
            throw .reserved(reserved)
        }
    }

    private static func validateText(_ name: Span<UInt8>, _ limits: Limits) throws(Refusal) {
        var segment = PathSegment()
        for index in name.indices {
            guard index < limits.nameBytes else { throw .pathTooLong }
            let byte = PercentDecoding.Byte(value: name[index], isEscaped: false)
            try segment.take(byte, limits.segmentBytes)
        }
        try segment.finish()
        if name[0] == Ascii.dot { throw .hiddenSegment }
    }
}
