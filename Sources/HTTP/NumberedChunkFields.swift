/// Numbered chunks, hmac-file-server's API: what a request says of its upload or of one chunk.
public struct NumberedChunkFields: Equatable, BitwiseCopyable, Sendable {
    /// X-Filename: a name by `FileName`'s rules; nil if it was not sent.
    public let fileName: ByteSlice?
    /// X-Total-Size, in bytes.
    public let totalSize: UInt64?
    /// X-Upload-Session-ID, whatever it is: an unknown one is answered as such.
    public let sessionID: ByteSlice?
    /// X-Chunk-Number, from 0 on.
    public let chunkNumber: UInt64?

    public init(
        _ lines: DialectLines, in bytes: Span<UInt8>, limits: Limits
    ) throws(Refusal) {
        let name = try lines.single(.fileName)
        if name.isPresent { try FileName.validate(bytes.extracting(name), limits: limits) }
        fileName = name.isPresent ? name : nil
        totalSize = try NumberedChunkFields.number(
            .totalSize, lines, bytes, .malformedTotalSize)
        let session = try lines.single(.sessionID)
        sessionID = session.isPresent ? session : nil
        chunkNumber = try NumberedChunkFields.number(
            .chunkNumber, lines, bytes, .malformedChunkNumber)
    }

    private static func number(
        _ field: DialectField, _ lines: DialectLines, _ bytes: Span<UInt8>, _ refusal: Refusal
    ) throws(Refusal) -> UInt64? {
        let value = try lines.single(field)
        guard value.isPresent else { return nil }
        guard let number = Decimal.parse(bytes.extracting(value)) else { throw refusal }
        return number
    }
}
