// What may go wrong while a server is loaded.

public import BenchMeasure
public import Cryptography
public import IO

/// Why a round does not count: one broken answer spoils it.
public enum LoadFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case kernel(KernelError, during: String)
    case response(BadResponse)
    case status(Int, of: String)
    /// The body of this object is not what was sent.
    case wrongBody(of: String)
    /// A response of other length than the same object had before, or more bytes than announced.
    case lengthChanged(of: String)
    /// Uploads cannot be signed here.
    case signing(CryptographyError)
    /// Nothing happened on any connection for so many seconds.
    case stuck(seconds: Int)
    /// The server ended a connection that it should have kept.
    case closed(during: String)

    public var description: String {
        switch self {
        case .kernel(let error, let step): "errno \(error.code) during \(step)"
        case .response(let reason): "not a countable response: \(reason)"
        case .status(let status, let path): "status \(status) for \(path)"
        case .wrongBody(let path): "\(path) came back with other bytes than were sent"
        case .lengthChanged(let path): "\(path) came back with another length"
        case .signing(let reason): "cannot sign: \(reason)"
        case .stuck(let seconds): "nothing happened on any connection for \(seconds) s"
        case .closed(let step): "the server ended the connection during \(step)"
        }
    }

    /// Runs `body`; what the kernel refuses gets the name of the step.
    static func during<Value>(
        _ step: String, _ body: () throws(KernelError) -> Value
    ) throws(LoadFailure) -> Value {
        do { return try body() } catch { throw .kernel(error, during: step) }
    }
}
