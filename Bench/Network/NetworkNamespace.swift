/// Network namespaces of the bench's own.

import BenchMachine
import CBench
import Glibc
public import IO

/// A network with nothing in it but what is put there. It has no name: the kernel takes it away
/// with the last descriptor, socket and process that is in it, however this process ends.
public final class NetworkNamespace: Sendable {
    private let file: Descriptor

    /// Needs root.
    public init() throws(KernelError) {
        let made = cbench_network_make()
        if let error = KernelError(result: made) { throw error }
        file = Descriptor(made)
    }

    deinit { OpenFile.close(file) }

    /// Where other programs find it (nsenter(1)), as long as this object lives.
    public var path: String { "/proc/\(getpid())/fd/\(file.number)" }

    /// What `program` and its arguments are to be preceded by so that it runs in here.
    public var entrance: [String] { ["nsenter", "--net=\(path)"] }

    /// Does something with this thread in here: sockets that it makes stay here.
    public func inside<Value>(_ body: () throws -> Value) throws -> Value {
        let own = cbench_network_current()
        if let error = KernelError(result: own) { throw error }
        defer { OpenFile.close(Descriptor(own)) }
        if let error = KernelError(result: cbench_network_enter(file.number)) { throw error }
        defer {
            let back = cbench_network_enter(own)
            precondition(back == 0, "no way back into the own network: errno \(-back)")
        }
        return try body()
    }
}

/// A network device whose packets this process reads and writes.
public final class TunDevice: Sendable {
    let file: Descriptor
    public static let packetBytesMax = 1500

    /// Made in `network`, and gone with this object.
    public init(named name: String, in network: NetworkNamespace) throws {
        let opened = try network.inside { unsafe cbench_open_tun(name) }
        if let error = KernelError(result: opened) { throw error }
        file = Descriptor(opened)
    }

    deinit { OpenFile.close(file) }

    /// The next packet that was sent into it; nil if there is none.
    func read(through buffer: inout [UInt8]) -> [UInt8]? {
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe Glibc.read(file.number, $0.baseAddress, $0.count)
        }
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// As if it had come in by it. False: the kernel did not take it.
    func write(_ packet: [UInt8]) -> Bool {
        unsafe packet.withUnsafeBytes {
            unsafe Glibc.write(file.number, $0.baseAddress, $0.count) == $0.count
        }
    }
}
