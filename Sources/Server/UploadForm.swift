/// What a form is as an upload: which of its parts is the file, what the fields before it say, and
/// what makes it none.

import HTTP

/// Decides; `Core.receiveForm` brings the bytes.
struct UploadForm {
    enum Step: Equatable {
        /// The file begins: what stands before it is known.
        case file(FormPart)
        /// These bytes of the input, from its first on, are the file's.
        case data(Range<Int>)
        /// What stands behind the position, at most `carryBytesMax` bytes, is to be seen again.
        case needsMore
        /// The form is sound, and over; what follows means nothing.
        case end
    }

    enum Fault: Error, Equatable {
        case refused(Refusal)
        case noFile
        /// Of which only one would be stored.
        case severalFiles
        /// The upload has begun by then.
        case pathBehindFile
        /// What is no file is longer than so many bytes.
        case tooLong(limit: Int)
    }

    private enum Part {
        case none, file, path, other
    }

    private var parser: FormDataParser
    private let limits: HTTP.Limits
    private var part = Part.none
    private var hasFile = false
    private var hasPath = false
    /// Where the client wants it published; nil if it does not say.
    private(set) var path: [UInt8]?
    private var droppedByteCount = 0

    init(_ boundary: FormBoundary, limits: HTTP.Limits) {
        parser = FormDataParser(boundary, limits: limits)
        self.limits = limits
    }

    var carryBytesMax: Int { parser.carryBytesMax }

    /// Between the file's first byte and its last.
    var isInFile: Bool { part == .file }

    /// All that a form may hold beside its file, in bytes.
    static func otherBytesMax(_ limits: HTTP.Limits) -> UInt64 {
        // A boundary has a line's end and two hyphens before it, and as many behind it, or blanks.
        let partBytes = 2 * limits.partHeadBytes + limits.boundaryBytes + 8
        return UInt64(
            limits.preambleBytes + (limits.partCount + 1) * partBytes + limits.formFieldBytes)
    }

    /// Reads from `position` to the next step and moves the position there.
    mutating func next(
        in bytes: Span<UInt8>, at position: inout Int
    ) throws(Fault) -> Step {
        while true {
            switch parser.next(in: bytes, at: &position) {
            case .part(let next):
                try begin(next)
                if isInFile { return .file(next) }
            case .data(let range):
                if isInFile { return .data(range) }
                try take(bytes.extracting(range))
            case .partEnd: part = .none
            case .needsMore: return .needsMore
            case .end:
                guard hasFile else { throw .noFile }
                return .end
            case .invalid(let refusal): throw .refused(refusal)
            }
        }
    }

    /// The file is the first part that has a file's name, whatever the field is called.
    private mutating func begin(_ next: FormPart) throws(Fault) {
        if next.fileName != nil {
            guard !hasFile else { throw .severalFiles }
            hasFile = true
            part = .file
        } else if next.name.span.equals("path") {
            guard !hasFile else { throw .pathBehindFile }
            guard !hasPath else { throw .refused(.repeatedField) }
            hasPath = true
            part = .path
        } else {
            part = .other
        }
    }

    private mutating func take(_ data: Span<UInt8>) throws(Fault) {
        try drop(data.count)
        guard part == .path else { return }
        var text = path ?? []
        guard text.count + data.count <= limits.nameBytes else { throw .refused(.pathTooLong) }
        for index in data.indices { text.append(data[index]) }
        path = text
    }

    /// So many bytes are nobody's.
    mutating func drop(_ count: Int) throws(Fault) {
        droppedByteCount += count
        guard droppedByteCount <= limits.formFieldBytes else {
            throw .tooLong(limit: limits.formFieldBytes)
        }
    }
}
