/// What a client may call a file: a name, never a path.
public enum FileName {
    /// UTF-8 of 1 to `Limits.segmentBytes` bytes without slash, backslash or control character,
    /// and neither `.` nor `..`. Every such name can be one segment of an object's name.
    public static func validate(_ name: Span<UInt8>, limits: Limits) throws(Refusal) {
        guard name.count > 0, name.count <= limits.segmentBytes else { throw .malformedFileName }
        var text = UnicodeValidator()
        var isOnlyDots = true
        for index in name.indices {
            let byte = name[index]
            if byte == Ascii.slash || byte == Ascii.backslash || Ascii.isControl(byte) {
                throw .malformedFileName
            }
            guard text.accepts(byte) else { throw .malformedFileName }
            isOnlyDots = isOnlyDots && byte == Ascii.dot
        }
        guard text.isBetweenCharacters, !isOnlyDots || name.count > 2 else {
            throw .malformedFileName
        }
    }
}
