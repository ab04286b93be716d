// A line between a client and a server that is slow, and that breaks: each connection through it
// after so many bytes of what its client sends.

import Foundation
import Glibc
import Synchronization
import Testing

final class FaultyLine: Sendable {
    enum Fault: Sendable {
        /// Both ends are told that the connection is no more, as a dying router does.
        case reset(after: Int)
        /// Both ends see the other one end.
        case end(after: Int)

        var bytes: Int {
            switch self {
            case .reset(let bytes), .end(let bytes): bytes
            }
        }
    }

    /// How fast it is: so many bytes at once, then a pause.
    struct Pace: Sendable {
        var pieceBytes = 64 << 10
        var pauseMicros: UInt32 = 0
    }

    /// Where clients connect to, at 127.0.0.1.
    let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let pace: Pace
    /// For the connections to come, in this order; those behind the last are fine.
    private let faults: Mutex<[Fault]>
    private let broken = Mutex(0)

    init(to target: UInt16, _ faults: [Fault], _ pace: Pace = Pace()) throws {
        self.target = target
        self.pace = pace
        self.faults = Mutex(faults)
        listener = try Sockets.listener()
        port = try Sockets.port(of: listener)
        let descriptor = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0, let self else { return }
                let fault = self.faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                Thread.detachNewThread { self.serve(client, fault) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Connections that it has broken.
    var breaks: Int { broken.withLock { $0 } }

    private func serve(_ client: Int32, _ fault: Fault?) {
        defer { close(client) }
        guard let server = try? Sockets.connection(to: target) else { return }
        defer { close(server) }
        var left = fault?.bytes ?? .max
        var polled = [
            pollfd(fd: client, events: Int16(POLLIN), revents: 0),
            pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        while left > 0 {
            guard unsafe poll(&polled, 2, 60_000) > 0 else { return }
            if polled[0].revents != 0 {
                guard let count = pass(client, server, atMost: min(left, pace.pieceBytes))
                else { return }
                left -= count
                if count == 0 {
                    shutdown(server, Int32(SHUT_WR))
                    polled[0].fd = -1
                }
                if pace.pauseMicros > 0 { usleep(pace.pauseMicros) }
            }
            if polled[1].revents != 0 {
                guard let count = pass(server, client, atMost: 64 << 10), count > 0
                else { return }
            }
        }
        broken.withLock { $0 += 1 }
        if case .reset? = fault {
            Sockets.resetAtClose(client)
            Sockets.resetAtClose(server)
        }
    }

    /// What has come, from one to the other; nil when either is gone.
    private func pass(_ source: Int32, _ sink: Int32, atMost count: Int) -> Int? {
        var buffer = [UInt8](repeating: 0, count: count)
        let taken = unsafe buffer.withUnsafeMutableBytes { target in
            unsafe recv(source, target.baseAddress, target.count, 0)
        }
        guard taken >= 0 else { return nil }
        var sent = 0
        while sent < taken {
            let more = unsafe buffer.withUnsafeBytes { all in
                unsafe send(sink, all.baseAddress! + sent, taken - sent, Int32(MSG_NOSIGNAL))
            }
            guard more > 0 else { return nil }
            sent += more
        }
        return taken
    }
}

/// Loopback sockets of tests.
enum Sockets {
    static func listener() throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw Problem("no socket: errno \(errno)") }
        try unsafe withLoopback(port: 0) { address, size in
            unsafe bind(descriptor, address, size)
        }
        guard listen(descriptor, 64) == 0 else { throw Problem("cannot listen: \(errno)") }
        return descriptor
    }

    static func port(of listener: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(listener, $0, &size)
            }
        }
        guard status == 0 else { throw Problem("no port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }

    static func connection(to port: UInt16) throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw Problem("no socket: errno \(errno)") }
        try unsafe withLoopback(port: port) { address, size in
            unsafe connect(descriptor, address, size)
        }
        return descriptor
    }

    private static func withLoopback(
        port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, size)
            }
        }
        guard status == 0 else { throw Problem("bind or connect: errno \(errno)") }
    }

    static func resetAtClose(_ descriptor: Int32) {
        var now = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        let status = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, size)
        if status != 0 { Issue.record("SO_LINGER: errno \(errno)") }
    }
}
