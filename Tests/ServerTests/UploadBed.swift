// What tests of uploads with a token do on a stored bed.

import Simulator
import Testing

@testable import Server

extension StoredBed {
    static let token = "Authorization: Bearer admin\r\n"

    /// As `settings`, but an upload lasts until its client is back.
    static func lasting(uploadBytesMax: UInt64 = 1 << 30) -> FrontSettings {
        var settings = StoredBed.settings
        settings.uploadSecondsToLive = 3600
        settings.uploadBytesMax = uploadBytesMax
        return settings
    }

    /// A request with a token, as text up to its body.
    func head(_ method: String, _ target: String, _ fields: [String], length: Int?) -> String {
        let all = length.map { fields + ["Content-Length: \($0)"] } ?? fields
        return "\(method) \(target) HTTP/1.1\r\nHost: h\r\n\(StoredBed.token)"
            + all.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    func ask(
        _ method: String, _ target: String, _ fields: [String] = [], _ body: [UInt8]? = nil
    ) -> Response? {
        exchange(head(method, target, fields, length: body?.count), body ?? []).answer
    }

    /// What is published under a path; nil if nothing is.
    func object(_ path: String) -> [UInt8]? {
        let answer = exchange("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n").answer
        return answer?.status == 200 ? answer?.body : nil
    }

    /// Bytes that objects take in large volumes, once there is one.
    func largeBytesAtRest() throws -> UInt64 {
        #expect(try put("at-rest", noise(100_000, seed: 100)) == 201)
        return try largeBytesUsed()
    }

    /// What is published where the answer says.
    func published(_ answer: Response?) -> [UInt8]? {
        answer?.member("url").flatMap { object($0) }
    }
}

extension Response {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the field of that name.
    func field(_ name: String) -> String? {
        fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    /// A member of a JSON object without nesting, as it is written.
    func member(_ name: String) -> String? {
        guard let key = text.firstRange(of: "\"\(name)\":") else { return nil }
        let rest = text[key.upperBound...]
        if rest.first == "\"" { return String(rest.dropFirst().prefix { $0 != "\"" }) }
        if rest.first == "[" {
            let end = rest.firstRange(of: ",\"")?.lowerBound ?? rest.lastIndex(of: "}")
            return end.map { String(rest[..<$0]) }
        }
        return String(rest.prefix { $0 != "," && $0 != "}" })
    }
}

/// A body in chunks of so many bytes.
func chunked(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    var coded: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        let piece = bytes[start..<min(start + size, bytes.count)]
        coded += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
    }
    return coded + Array("0\r\n\r\n".utf8)
}
