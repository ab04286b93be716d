/// Client connections over IPv4, loopback if nothing else is said: plain, blocking calls.

import Glibc
public import IO

public enum Connection {
    /// Connects to 127.0.0.1:`port` from 127.0.0.`host`, with `congestionControl` if it is given
    /// and Nagle's algorithm off.
    public static func open(
        port: UInt16, fromHost host: UInt8 = 1, congestionControl: String?
    ) throws(KernelError) -> Descriptor {
        let socket = Descriptor(
            try answer(socket(AF_INET, streamKind, 0)))
        do throws(KernelError) {
            try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if let congestionControl { try set(socket, congestionControl: congestionControl) }
            if host != 1 {
                // The port is chosen at connect: one source address then has all ports for each
                // destination (Linux 4.2).
                try set(socket, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
                _ = try unsafe at(host: host, port: 0) { unsafe bind(socket.number, $0, $1) }
            }
            _ = try unsafe at(host: 1, port: port) { unsafe connect(socket.number, $0, $1) }
        } catch {
            OpenFile.close(socket)
            throw error
        }
        return socket
    }

    /// Connects to `port` of `address` in the network of the calling thread. No call on it waits
    /// for longer than `patienceSeconds`; then it fails as one that would block.
    public static func open(
        to address: UInt32, port: UInt16, congestionControl: String?, patienceSeconds: Int
    ) throws(KernelError) -> Descriptor {
        let socket = Descriptor(try answer(socket(AF_INET, streamKind, 0)))
        do throws(KernelError) {
            try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if let congestionControl { try set(socket, congestionControl: congestionControl) }
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                let patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
                let size = socklen_t(MemoryLayout<timeval>.size)
                let status = unsafe withUnsafePointer(to: patience) {
                    unsafe setsockopt(socket.number, SOL_SOCKET, option, $0, size)
                }
                _ = try answer(status)
            }
            _ = try unsafe at(address, port: port) { unsafe connect(socket.number, $0, $1) }
        } catch {
            OpenFile.close(socket)
            throw error
        }
        return socket
    }

    /// A port on 127.0.0.1 that was free a moment ago.
    public static func freePort() throws(KernelError) -> UInt16 {
        let socket = Descriptor(
            try answer(socket(AF_INET, streamKind, 0)))
        defer { OpenFile.close(socket) }
        _ = try unsafe at(host: 1, port: 0) { unsafe bind(socket.number, $0, $1) }
        var name = sockaddr_in()
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket.number, $0, &count)
            }
        }
        _ = try answer(status)
        return UInt16(bigEndian: name.sin_port)
    }

    /// Sends all of `bytes`.
    public static func send(_ bytes: [UInt8], to socket: Descriptor) throws(KernelError) {
        var count = 0
        while count < bytes.count {
            let start = count
            count += try uninterrupted {
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.send(
                        socket.number, buffer.baseAddress! + start, buffer.count - start,
                        Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    /// What has arrived, at least a byte and at most what `range` of `target` takes; 0 if the peer
    /// has ended.
    public static func receive(
        into target: inout [UInt8], _ range: Range<Int>, of socket: Descriptor
    ) throws(KernelError) -> Int {
        precondition(range.upperBound <= target.count)
        return try uninterrupted {
            unsafe target.withUnsafeMutableBytes { bytes in
                unsafe recv(socket.number, bytes.baseAddress! + range.lowerBound, range.count, 0)
            }
        }
    }

    /// What the call answers, made again where only a signal cut it short: one with a timeout is
    /// not restarted by the kernel, whatever the signal's handler asks for (signal(7)).
    private static func uninterrupted(_ call: () -> Int) throws(KernelError) -> Int {
        while true {
            let result = call()
            guard result < 0, errno == EINTR else { return try answer(result) }
        }
    }

    /// Drops up to `count` bytes in the kernel, without copying them (MSG_TRUNC, tcp(7)). Answers
    /// how many, nil if nothing has arrived yet, 0 if the peer has ended.
    public static func discardNow(
        upTo count: Int, of socket: Descriptor
    ) throws(KernelError) -> Int? {
        do throws(KernelError) {
            let flags = Int32(MSG_TRUNC) | Int32(MSG_DONTWAIT)
            return try answer(recv(socket.number, nil, count, flags))
        } catch .wouldBlock {
            return nil
        }
    }

    /// Calls on `socket` no longer wait.
    public static func makeNonBlocking(_ socket: Descriptor) throws(KernelError) {
        let flags = try answer(fcntl(socket.number, F_GETFL))
        _ = try answer(fcntl(socket.number, F_SETFL, flags | O_NONBLOCK))
    }

    private static func set(
        _ socket: Descriptor, _ level: Int32, _ option: Int32, _ value: Int32
    ) throws(KernelError) {
        let size = socklen_t(MemoryLayout<Int32>.size)
        let status = unsafe withUnsafePointer(to: value) {
            unsafe setsockopt(socket.number, level, option, $0, size)
        }
        _ = try answer(status)
    }

    private static func set(
        _ socket: Descriptor, congestionControl name: String
    ) throws(KernelError) {
        let status = unsafe name.withCString {
            unsafe setsockopt(
                socket.number, Int32(IPPROTO_TCP), TCP_CONGESTION, $0, socklen_t(name.utf8.count))
        }
        _ = try answer(status)
    }

    private static func at(
        host: UInt8, port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(KernelError) -> Int32 {
        try unsafe at(0x7f00_0000 | UInt32(host), port: port, body)
    }

    private static func at(
        _ number: UInt32, port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(KernelError) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = number.bigEndian
        let status = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return try answer(status)
    }
}
