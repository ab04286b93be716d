/// Listening sockets, one a core, all on one port.

import CMachine
public import Configuration
public import IO

public enum Listening {
    /// One socket for each of `count` cores. Port 0 is chosen once, by the kernel, for all.
    public static func open(
        _ address: ListenAddress, count: Int
    ) throws(KernelError) -> (sockets: [Descriptor], address: ListenAddress) {
        precondition(count > 0)
        var sockets: [Descriptor] = []
        var port = address.port
        for index in 0..<count {
            sockets.append(try openOne(address.host, &port, isFirst: index == 0))
        }
        return (sockets, ListenAddress(host: address.host, port: port))
    }

    private static func openOne(
        _ host: ListenAddress.Host, _ port: inout UInt16, isFirst: Bool
    ) throws(KernelError) -> Descriptor {
        let bytes = bytes(of: host)
        var bound: UInt16 = 0
        let status = unsafe cmachine_listen(
            bytes, bytes.count == 16 ? 1 : 0, port, isFirst ? 1 : 0, &bound)
        if let error = KernelError(result: status) { throw error }
        port = bound
        return Descriptor(status)
    }

    /// In network order.
    private static func bytes(of host: ListenAddress.Host) -> [UInt8] {
        switch host {
        case .v4(let number):
            return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        case .v6(let high, let low):
            return [high, low].flatMap { half in
                stride(from: 56, through: 0, by: -8).map {
                    UInt8(truncatingIfNeeded: half >> UInt64($0))
                }
            }
        }
    }
}
