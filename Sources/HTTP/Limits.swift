/// Every bound that HTTP/1.1 input is held to, named once; each is inclusive: n passes, n + 1 not.
///
/// A refusal names the limit it met (`Refusal`), and so the status: 414, 431 or 400.
public struct Limits: Equatable, BitwiseCopyable, Sendable {
    /// Request line, fields and the empty line that ends them, in bytes; then 431.
    /// At most 65,535, because positions in a head are 16 bits (`ByteSlice`).
    public var headBytes = 16 << 10

    /// Method, target and version without the line's end, in bytes; then 414. RFC 9112 §3 asks
    /// for at least 8,000.
    public var requestLineBytes = 8 << 10

    /// A method longer than any that exists; then 501 (RFC 9112 §3).
    public var methodBytes = 32

    /// Field lines of one head; then 431.
    public var fieldCount = 100

    /// A chunk's size and its extensions without the line's end, in bytes; then 400.
    public var chunkLineBytes = 256

    /// All trailer field lines of one body, in bytes; then 431. They are read and dropped.
    public var trailerBytes = 8 << 10

    /// The decoded object name; then 414. Below LMDB's key limit of 511, with room for a prefix.
    public var nameBytes = 480

    /// One decoded segment of a name; then 400. The limit of the common file systems (NAME_MAX),
    /// so that every object can be exported as a file.
    public var segmentBytes = 255

    /// A client's Content-Type that is stored with its object, in bytes; then 415.
    public var contentTypeBytes = 128

    /// Keys and values of tus's Upload-Metadata as sent, in bytes; then 413.
    public var metadataBytes = 4 << 10

    /// Pairs of Upload-Metadata; then 413.
    public var metadataPairs = 32

    /// Partial uploads that one tus upload is put together from; then 413.
    public var concatenatedUploads = 256

    /// The boundary of a form (RFC 2046 §5.1.1); then 400.
    public var boundaryBytes = 70

    /// What stands before the first boundary of a form, in bytes; then 400. RFC 2046 has it
    /// ignored; no client of forms sends more than a line's end.
    public var preambleBytes = 256

    /// The fields of one part of a form with the empty line behind them, and blanks behind a
    /// boundary, in bytes; then 413.
    public var partHeadBytes = 4 << 10

    /// Parts of one form; then 413.
    public var partCount = 64

    /// The data of a form's fields that are no file, and what follows its last boundary, in bytes;
    /// then 413.
    public var formFieldBytes = 256 << 10

    public init() {}
}
