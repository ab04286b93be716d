/// The requests of the load client, as bytes.

import BenchMeasure

struct RequestText: ~Copyable {
    let names: ObjectNames
    private var signer: RequestSigner?
    private let durability: [UInt8]

    /// `durability` is what uploads ask for; nil leaves it to the server.
    init(
        names: ObjectNames, secret: String?, durability: Row.Durability? = nil
    ) throws(LoadFailure) {
        self.names = names
        let field = durability.map { "Millrace-Durability: \($0.rawValue)\r\n" }
        self.durability = Array((field ?? "").utf8)
        signer = if let secret { try RequestSigner(secret: secret) } else { nil }
    }

    func appendGet(_ number: UInt64, to target: inout OutputSpan<UInt8>) {
        append(Part.get, to: &target)
        names.append(number, to: &target)
        append(Part.getEnd, to: &target)
    }

    /// Asks for `count` bytes from `offset` on.
    func appendGet(
        _ number: UInt64, from offset: Int, count: Int, to target: inout OutputSpan<UInt8>
    ) {
        append(Part.get, to: &target)
        names.append(number, to: &target)
        append(Part.range, to: &target)
        RequestText.append(decimal: offset, to: &target)
        target.append(UInt8(ascii: "-"))
        RequestText.append(decimal: offset + count - 1, to: &target)
        append(Part.end, to: &target)
    }

    mutating func appendPut(
        _ number: UInt64, bodyCount: Int, expectsContinue: Bool = false,
        to target: inout OutputSpan<UInt8>
    ) {
        append(Part.put, to: &target)
        names.append(number, to: &target)
        if signer != nil {
            append(Part.signature, to: &target)
            signer!.appendTag(number, of: names, bodyCount: bodyCount, to: &target)
        }
        append(Part.putFields, to: &target)
        append(durability, to: &target)
        if expectsContinue { append(Part.expectation, to: &target) }
        append(Part.length, to: &target)
        RequestText.append(decimal: bodyCount, to: &target)
        append(Part.end, to: &target)
    }

    static func append(decimal value: Int, to target: inout OutputSpan<UInt8>) {
        var place = 1
        while value / place >= 10 { place *= 10 }
        while place > 0 {
            target.append(UInt8(value / place % 10) + 48)
            place /= 10
        }
    }

    private func append(_ text: [UInt8], to target: inout OutputSpan<UInt8>) {
        for byte in text { target.append(byte) }
    }
}

/// The parts of a request that are always the same; the fields are those that common clients send.
private enum Part {
    static let get = Array("GET ".utf8)
    static let getEnd = Array(
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: millrace-bench\r\nAccept: */*\r\n\r\n".utf8)
    static let range = Array(
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: millrace-bench\r\nRange: bytes=".utf8)
    static let put = Array("PUT ".utf8)
    static let signature = Array("?v=".utf8)
    static let putFields = Array(
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: millrace-bench\r\n".utf8)
    static let expectation = Array("Expect: 100-continue\r\n".utf8)
    static let length = Array("Content-Length: ".utf8)
    static let end = Array("\r\n\r\n".utf8)
}
