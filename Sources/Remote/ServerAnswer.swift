// The head of a response, as far as a client of Millrace needs it.

public struct ServerAnswer: Equatable, Sendable {
    public let status: Int
    /// Names in lower case, in the order sent.
    private let fields: [(name: String, value: String)]

    /// Longer heads than a server's answer to us has.
    static let bytesMax = 64 << 10

    /// - Parameter head: up to the last field's line end, which is left out.
    init(head: [UInt8]) throws(ClientError) {
        guard let text = String(validating: head, as: UTF8.self) else {
            throw .malformed("its head is no UTF-8")
        }
        // A character of Swift's: CR LF is one.
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines[0].split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0] == "HTTP/1.1", first[1].utf8.count == 3,
            let status = Int(first[1]), (100...599).contains(status)
        else { throw .malformed("its first line is no HTTP/1.1 status") }
        self.status = status
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw .malformed("a field has no name")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((line[..<colon].lowercased(), String(value)))
        }
        self.fields = fields
        guard fields.filter({ $0.name == "content-length" }).count <= 1,
            self["content-length"] == nil || contentLength != nil
        else { throw .malformed("Content-Length is not one number") }
        guard self["transfer-encoding"] == nil else {
            throw .malformed("a coding that was not asked for")
        }
    }

    public subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    public var contentLength: UInt64? {
        guard let text = self["content-length"],
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return UInt64(text)
    }

    /// Whether the server ends the connection behind it.
    var closes: Bool { self["connection"]?.lowercased() == "close" }

    public static func == (left: ServerAnswer, right: ServerAnswer) -> Bool {
        left.status == right.status && left.fields.elementsEqual(right.fields, by: ==)
    }
}
