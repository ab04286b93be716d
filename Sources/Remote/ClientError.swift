// Why a server was not reached, or not understood.

internal import Files
internal import Glibc

public enum ClientError: Error, Equatable, Sendable {
    /// The URL cannot be one of a server.
    case badURL(String)
    case unresolved(host: String, String)
    /// `code` is the errno of what was tried: "connect", "send", "receive".
    case system(verb: String, code: Int32)
    /// The server ended the connection before it had answered.
    case ended
    /// What came is no HTTP/1.1, or none that was asked for.
    case malformed(String)

    /// A connection that was kept may have ended while nobody looked: worth one more try.
    public var isBroken: Bool {
        switch self {
        case .ended: true
        case .system(let verb, let code): verb != "connect" && [EPIPE, ECONNRESET].contains(code)
        case .badURL, .unresolved, .malformed: false
        }
    }
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badURL(let reason): reason
        case .unresolved(let host, let reason): "\(host) is not known: \(reason)"
        case .system(let verb, EAGAIN): "cannot \(verb): the server did nothing for too long"
        case .system(let verb, let code):
            "cannot \(verb): \(systemMessage(code))"
        case .ended: "the server ended the connection"
        case .malformed(let reason): "the server's answer makes no sense: \(reason)"
        }
    }
}
