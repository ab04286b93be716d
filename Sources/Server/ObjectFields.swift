/// The response fields that belong to an object, whoever asks: one place for GET, HEAD, 206, 304.

import HTTP

struct ObjectFields {
    let length: UInt64
    let sequence: UInt64
    /// CRC32C of the content, or over its units' checksums.
    let checksum: UInt32
    let modifiedSeconds: UInt64
    /// Parts of it are sent to who asks for them.
    var hasRanges = true
    /// Who accepts a coding may get another answer.
    var isNegotiated = false
    /// What its bytes are to be decoded by.
    var coding: ContentCoding?

    /// Room for everything `append` writes besides media type.
    static let sizeMax = 640

    /// What a user agent may do with content that would run in a browser: nothing.
    static let contentPolicy = "sandbox; default-src 'none'"

    /// Behind Content-Length, which differs between 200 and 206.
    func append(to output: inout OutputSpan<UInt8>, mediaType: Span<UInt8>) {
        output.appendField("Content-Type", mediaType)
        appendValidators(to: &output)
        output.append(hasRanges ? "Accept-Ranges: bytes\r\n" : "Accept-Ranges: none\r\n")
        output.append("X-Content-Type-Options: nosniff\r\n")
        if let coding { output.appendField("Content-Encoding", coding.token) }
        if MediaType.isActive(mediaType) {
            output.appendField("Content-Security-Policy", ObjectFields.contentPolicy)
            output.appendField("Content-Disposition", "attachment")
        }
    }

    func appendValidators(to output: inout OutputSpan<UInt8>) {
        output.append("ETag: ")
        appendEntityTag(to: &output)
        output.append("\r\n")
        output.appendField("Last-Modified", date: Int64(clamping: modifiedSeconds))
        // Of a 304 as well (RFC 9110 §15.4.5).
        if isNegotiated { output.append("Vary: Accept-Encoding\r\n") }
    }

    /// Strong: a name never has the same sequence twice, and the checksum is the content's.
    func appendEntityTag(to output: inout OutputSpan<UInt8>) {
        output.append(UInt8(ascii: "\""))
        output.append(hexadecimal: sequence)
        output.append(UInt8(ascii: "-"))
        output.append(hexadecimal: UInt64(checksum))
        output.append(UInt8(ascii: "\""))
    }

    static let entityTagSizeMax = 27
}

extension OutputSpan<UInt8> {
    mutating func append(hexadecimal value: UInt64) {
        var shift = max(0, (64 - value.leadingZeroBitCount + 3) / 4 * 4 - 4)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            append(digit < 10 ? 48 + digit : 87 + digit)
            shift -= 4
        }
    }
}
