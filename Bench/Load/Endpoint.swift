/// Where a server listens and how its uploads must be asked for.

import BenchMachine
import BenchMeasure
import IO

public struct Endpoint: Sendable {
    public let port: UInt16
    /// What signed uploads are signed with; nil if they are not.
    public let secret: String?
    /// Asked of every client socket; nil leaves the system's.
    public let congestionControl: String?

    public init(port: UInt16, secret: String?, congestionControl: String?) {
        (self.port, self.secret) = (port, secret)
        self.congestionControl = congestionControl
    }

    func connect() throws(KernelError) -> Descriptor {
        try Connection.open(port: port, congestionControl: congestionControl)
    }
}
