/// Connected descriptors to try operations on; closed when the test lets go of them.

import Glibc
import IO

/// A descriptor and who closes it.
final class Owned {
    let number: Int32
    var descriptor: Descriptor { Descriptor(number) }

    init(_ number: Int32) throws {
        guard number >= 0 else { throw KernelError(code: errno) }
        self.number = number
    }

    deinit { close(number) }

    func write(_ bytes: [UInt8]) throws {
        let count = unsafe Glibc.write(number, bytes, bytes.count)
        guard count == bytes.count else { throw KernelError(code: errno) }
    }

    /// Up to `count` bytes; waits for the first.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = unsafe Glibc.read(number, &bytes, count)
        guard received >= 0 else { throw KernelError(code: errno) }
        return Array(bytes.prefix(received))
    }

    /// Exactly `count` bytes, or fewer if the peer ends.
    func readWhole(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try read(count - bytes.count)
            if more.isEmpty { return bytes }
            bytes += more
        }
        return bytes
    }
}

/// A descriptor that is not open.
let notOpen = Descriptor(1_000_000)

struct Pair {
    let left: Owned
    let right: Owned

    /// Two ends of one local stream.
    static func local() throws -> Pair {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw KernelError(code: errno)
        }
        return Pair(left: try Owned(ends[0]), right: try Owned(ends[1]))
    }

    /// The reading (left) and the writing (right) end.
    static func pipe() throws -> Pair {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw KernelError(code: errno) }
        return Pair(left: try Owned(ends[0]), right: try Owned(ends[1]))
    }

    /// A TCP connection; its left end is the accepted one and non-blocking, as the server's are.
    static func tcp() throws -> Pair {
        let listener = try Listener()
        let right = try listener.connect()
        let left = try Owned(accept(listener.socket.number, nil, nil))
        _ = fcntl(left.number, F_SETFL, O_NONBLOCK)
        return Pair(left: left, right: right)
    }
}

/// A TCP listener on a free port of the loopback device.
struct Listener {
    let socket: Owned
    private let port: UInt16

    init() throws {
        socket = try Owned(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let wanted = Listener.loopback(port: 0)
        let number = socket.number
        let bound = unsafe Listener.with(wanted) { unsafe bind(number, $0, $1) }
        guard bound == 0, listen(socket.number, 16) == 0 else { throw KernelError(code: errno) }
        var address = sockaddr_in()
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(number, $0, &count)
            }
        }
        guard named == 0 else { throw KernelError(code: errno) }
        port = UInt16(bigEndian: address.sin_port)
    }

    func connect() throws -> Owned {
        let client = try Owned(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let target = Listener.loopback(port: port)
        let status = unsafe Listener.with(target) {
            unsafe Glibc.connect(client.number, $0, $1)
        }
        guard status == 0 else { throw KernelError(code: errno) }
        return client
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func with(
        _ address: sockaddr_in, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
