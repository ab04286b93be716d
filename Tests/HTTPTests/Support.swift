// What the tests of this module share: text in, outcome and text out, and a seeded generator.

import BenchMeasure
import HTTP

/// A head parsed from text, with the bytes its slices point into.
struct Parsed {
    let bytes: [UInt8]
    let outcome: HeadParser.Outcome
    let head: RequestHead

    init(_ text: String, limits: Limits = Limits()) { self.init(Array(text.utf8), limits: limits) }

    init(_ bytes: [UInt8], limits: Limits = Limits()) {
        var head = RequestHead()
        self.outcome = HeadParser.parse(bytes.span, into: &head, limits: limits)
        self.bytes = bytes
        self.head = head
    }

    /// nil for a field that was not sent.
    func text(_ slice: ByteSlice) -> String? {
        slice.isPresent ? String(decoding: bytes[slice.range], as: UTF8.self) : nil
    }

    var refusal: Refusal? {
        if case .invalid(let refusal) = outcome { refusal } else { nil }
    }

    var byteCount: Int? {
        if case .complete(let byteCount) = outcome { byteCount } else { nil }
    }

    /// Everything the head says, in order to compare two parses.
    var description: String { "\(meaning) \(text(head.fields) ?? "-")" }

    /// What it says beyond the extent of its fields.
    var meaning: String {
        let slices = [
            head.target, head.path, head.query, head.host, head.contentType,
            head.contentRange, head.authorization, head.range, head.ifMatch, head.ifNoneMatch,
            head.ifModifiedSince, head.ifUnmodifiedSince, head.ifRange, head.durability,
        ]
        let flags = [
            head.keepAlive, head.isChunked, head.isAsterisk, head.expectsContinue,
            head.hasUnknownExpectation, head.hasDigest, head.wantsReprDigest,
            head.hasUploadComplete,
        ]
        let length = head.contentLength.map { "\($0)" } ?? "-"
        return "\(head.method) \(head.minorVersion) \(length) \(flags) \(slices.map(text))"
    }
}

/// Collects what is written to an output span.
func written(
    capacity: Int = 4096, _ write: (inout OutputSpan<UInt8>) throws(Refusal) -> Void
) throws(Refusal) -> [UInt8] {
    try [UInt8](capacity: capacity, initializingWith: write)
}

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { numbers.next() }
}

/// A head with these field lines, and where the upload dialects' fields stand in it.
struct Spoken {
    let parsed: Parsed
    let lines: DialectLines

    var head: RequestHead { parsed.head }
    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { parsed.bytes.span }
    }

    init(_ fields: [String]) {
        let text = fields.map { $0 + "\r\n" }.joined()
        let parsed = Parsed("PATCH /files/a HTTP/1.1\r\nHost: Example.org:8080\r\n\(text)\r\n")
        precondition(parsed.byteCount != nil, "\(parsed.outcome)")
        self.parsed = parsed
        lines = DialectLines(parsed.head, in: parsed.bytes.span)
    }

    init(_ fields: String...) { self.init(fields) }

    func text(_ slice: ByteSlice) -> String {
        String(decoding: parsed.bytes[slice.range], as: UTF8.self)
    }
}
