/// Many connections that asked once and then say nothing, and the question whether a server is up.

import BenchMachine
import BenchMeasure
import IO

public struct IdleConnections: ~Copyable {
    private var sockets: [Descriptor] = []
    /// A source address of its own for so many, so that ports do not run out.
    private static let perAddress = 4_000

    /// Opens `count` connections; each gets `path` answered with 200 and then stays.
    public init(_ count: Int, to server: Endpoint, path: String) throws(LoadFailure) {
        var sockets: [Descriptor] = []
        do throws(LoadFailure) {
            for index in 0..<count {
                let host = UInt8(2 + index / IdleConnections.perAddress)
                let socket = try LoadFailure.during("connect") { () throws(KernelError) in
                    try Connection.open(
                        port: server.port, fromHost: host,
                        congestionControl: server.congestionControl)
                }
                sockets.append(socket)
                let status = try Probe.status(of: path, over: socket)
                guard status == 200 else { throw .status(status, of: path) }
            }
        } catch {
            for socket in sockets { OpenFile.close(socket) }
            throw error
        }
        self.sockets = sockets
    }

    deinit { for socket in sockets { OpenFile.close(socket) } }
}

public enum Probe {
    /// The status of one GET over a connection of its own.
    public static func status(of path: String, at server: Endpoint) throws(LoadFailure) -> Int {
        let socket = try LoadFailure.during("connect") { () throws(KernelError) in
            try server.connect()
        }
        defer { OpenFile.close(socket) }
        return try status(of: path, over: socket)
    }

    /// One GET whose whole response is received; it must fit 8 KiB.
    static func status(of path: String, over socket: Descriptor) throws(LoadFailure) -> Int {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        try LoadFailure.during("send") { () throws(KernelError) in
            try Connection.send(request, to: socket)
        }
        var (bytes, received) = ([UInt8](repeating: 0, count: 8 << 10), 0)
        while true {
            let count: Int
            do {
                count = try Connection.receive(into: &bytes, received..<bytes.count, of: socket)
            } catch {
                throw .kernel(error, during: "receive")
            }
            guard count > 0 else { throw .closed(during: path) }
            received += count
            let head: ResponseHead?
            do { head = try ResponseHead.read(bytes.span.extracting(0..<received)) } catch {
                throw .response(error)
            }
            guard let head else { continue }
            guard head.headCount + head.contentLength <= bytes.count else {
                throw .lengthChanged(of: path)
            }
            if received >= head.headCount + head.contentLength { return head.status }
        }
    }
}
