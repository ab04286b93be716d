// Where a server is: its URL, taken apart once.

public struct ServerAddress: Equatable, Sendable {
    /// A name or an IP address, brackets off.
    public let host: String
    public let port: UInt16
    /// As the Host field has it.
    public let authority: String
    /// Begins and ends with a slash.
    public let base: String

    /// `http://host[:port][/base/]`; everything else says what is wrong with it.
    public init(url: String) throws(ClientError) {
        if url.hasPrefix("https://") {
            throw .badURL("there is no TLS here: give the address behind the proxy, with http://")
        }
        let scheme = "http://"
        guard url.hasPrefix(scheme) else { throw .badURL("begin with http://") }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        guard rest.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !rest.contains("?"),
            !rest.contains("#"), !rest.contains("@")
        else { throw .badURL("a server's URL is http://host:port/base/ and nothing else") }
        var base = String(rest[authority.endIndex...])
        if base.last != "/" { base += "/" }
        self.base = base
        self.authority = String(authority)
        (host, port) = try ServerAddress.split(authority)
    }

    private static func split(
        _ authority: Substring
    ) throws(ClientError) -> (host: String, port: UInt16) {
        let end =
            authority.first == "[" ? authority.firstIndex(of: "]") : authority.firstIndex(of: ":")
        var host = authority
        var port: UInt16 = 80
        if authority.first == "[" {
            guard let end else { throw .badURL("a bracket of the host is not closed") }
            host = authority[..<end].dropFirst()
            let tail = authority[end...].dropFirst()
            if !tail.isEmpty { port = try ServerAddress.port(tail) }
        } else if let end {
            host = authority[..<end]
            port = try ServerAddress.port(authority[end...])
        }
        guard !host.isEmpty else { throw .badURL("there is no host") }
        return (String(host), port)
    }

    /// `text` begins with the colon.
    private static func port(_ text: Substring) throws(ClientError) -> UInt16 {
        guard text.first == ":", let port = UInt16(text.dropFirst()), port > 0 else {
            throw .badURL("the port is no number from 1 to 65535")
        }
        return port
    }
}
