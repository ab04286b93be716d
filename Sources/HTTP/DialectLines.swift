/// The fields that upload dialects speak with, and where they stand in a head.
public enum DialectField: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    // Shared by tus and the IETF's resumable uploads, each with a syntax of its own.
    case uploadLength, uploadOffset
    // draft-ietf-httpbis-resumable-upload.
    case uploadComplete, interopVersion
    // RFC 9530.
    case contentDigest, reprDigest, wantContentDigest, wantReprDigest
    // tus 1.0.
    case tusResumable, uploadDeferLength, uploadMetadata, uploadChecksum, uploadConcat
    case methodOverride
    // Numbered chunks.
    case fileName, totalSize, sessionID, chunkNumber

    /// In lower case.
    public var name: String {
        switch self {
        case .uploadLength: "upload-length"
        case .uploadOffset: "upload-offset"
        case .uploadComplete: "upload-complete"
        case .interopVersion: "upload-draft-interop-version"
        case .contentDigest: "content-digest"
        case .reprDigest: "repr-digest"
        case .wantContentDigest: "want-content-digest"
        case .wantReprDigest: "want-repr-digest"
        case .tusResumable: "tus-resumable"
        case .uploadDeferLength: "upload-defer-length"
        case .uploadMetadata: "upload-metadata"
        case .uploadChecksum: "upload-checksum"
        case .uploadConcat: "upload-concat"
        case .methodOverride: "x-http-method-override"
        case .fileName: "x-filename"
        case .totalSize: "x-total-size"
        case .sessionID: "x-upload-session-id"
        case .chunkNumber: "x-chunk-number"
        }
    }

    /// nil for every other name. By length first: few names get further than that.
    init?(_ name: Span<UInt8>) {
        let field: DialectField?
        switch name.count {
        case 10: field = DialectField.among([.fileName], name)
        case 11: field = DialectField.among([.reprDigest], name)
        case 12: field = DialectField.among([.totalSize], name)
        case 13:
            field = DialectField.among(
                [.uploadOffset, .uploadLength, .tusResumable, .uploadConcat], name)
        case 14: field = DialectField.among([.contentDigest, .chunkNumber], name)
        case 15:
            field = DialectField.among([.uploadComplete, .uploadMetadata, .uploadChecksum], name)
        case 16: field = DialectField.among([.wantReprDigest], name)
        case 19:
            field = DialectField.among(
                [.uploadDeferLength, .wantContentDigest, .sessionID], name)
        case 22: field = DialectField.among([.methodOverride], name)
        case 28: field = DialectField.among([.interopVersion], name)
        default: field = nil
        }
        guard let field else { return nil }
        self = field
    }

    private static func among<let count: Int>(
        _ candidates: InlineArray<count, DialectField>, _ name: Span<UInt8>
    ) -> DialectField? {
        for index in candidates.indices where name.equalsLowercase(candidates[index].name) {
            return candidates[index]
        }
        return nil
    }
}

/// Where the dialects' fields stand in one head: found in one walk over it, so that a request that
/// has none of them costs no more than that.
public struct DialectLines: BitwiseCopyable, Sendable {
    private var slots = InlineArray<18, ByteSlice>(repeating: .absent)
    private var repeated: UInt32 = 0
    private let start: FieldCursor

    /// No field of any dialect was sent.
    public private(set) var isEmpty = true

    /// `bytes` are those that the head was parsed from.
    public init(_ head: RequestHead, in bytes: Span<UInt8>) {
        start = FieldCursor(head)
        var cursor = start
        while let line = cursor.next(in: bytes) {
            guard let field = DialectField(bytes.extracting(line.name)) else { continue }
            isEmpty = false
            let index = Int(field.rawValue)
            if slots[index].isPresent {
                repeated |= 1 << UInt32(index)
            } else {
                slots[index] = line.value
            }
        }
    }

    /// The value, of the first line if there are several; absent if it was not sent.
    public subscript(field: DialectField) -> ByteSlice { slots[Int(field.rawValue)] }

    public func isRepeated(_ field: DialectField) -> Bool {
        repeated & 1 << UInt32(field.rawValue) != 0
    }

    /// All lines of a field whose value is a list.
    public func lines(of field: DialectField) -> FieldLines {
        FieldLines(self[field], name: field.name, in: isRepeated(field) ? start : nil)
    }

    /// The one line of a field that has one value: several are refused.
    func single(_ field: DialectField) throws(Refusal) -> ByteSlice {
        if isRepeated(field) { throw .repeatedField }
        return self[field]
    }

    /// The Item of a structured field. Several lines are malformed, because a comma between Items
    /// is.
    func item(_ field: DialectField, in bytes: Span<UInt8>) -> StructuredValue? {
        isRepeated(field) ? nil : StructuredValue(item: self[field], in: bytes)
    }
}

/// The lines of one field in the order sent (RFC 9110 §5.3).
public struct FieldLines: Sendable {
    private var first: ByteSlice
    private let name: String
    private var cursor: FieldCursor?
    let areSeveral: Bool

    /// - Parameter cursor: at the start of the head if there are several lines; else nil.
    init(_ first: ByteSlice, name: String, in cursor: FieldCursor?) {
        self.first = first
        self.name = name
        self.cursor = cursor
        areSeveral = cursor != nil
    }

    public mutating func next(in bytes: Span<UInt8>) -> ByteSlice? {
        if areSeveral { return cursor?.next(named: name, in: bytes) }
        guard first.isPresent else { return nil }
        defer { first = .absent }
        return first
    }
}
