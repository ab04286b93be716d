// What the played kernel knows of links.

import IO
import Loop
import Simulator

@testable import Server

/// `struct tcp_info` as Linux 6.18 has it, as far as anybody here reads it.
struct KernelLink {
    var roundTripMicroseconds: UInt32 = 100
    var receivedBytes: UInt64 = 0
    var deliveryBytesPerSecond: UInt64 = 1_000_000_000
    var byteCount = 280

    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 280)
        func put(_ value: UInt64, at offset: Int, byteCount: Int) {
            for index in 0..<byteCount {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
            }
        }
        for offset in [68, 92, 148] {
            put(UInt64(roundTripMicroseconds), at: offset, byteCount: 4)
        }
        put(receivedBytes, at: 128, byteCount: 8)
        put(deliveryBytesPerSecond, at: 160, byteCount: 8)
        return Array(bytes.prefix(byteCount))
    }
}

extension FrontBed {
    func linkInfo(_ client: Client?, _ target: Region) -> Int32 {
        if let error = planned(.linkInfo) { return error }
        guard let client else { return -KernelError.badDescriptor.code }
        var bytes = Array(client.linkInfo(client.linkInfoCount).prefix(Int(target.count)))
        client.linkInfoCount += 1
        // tcpi_bytes_acked: a link of which nothing comes to be acknowledged carries nothing.
        let acknowledged = UInt64(client.linkInfoCount) << 20
        for index in 0..<8 where bytes.count >= 128 {
            bytes[120 + index] = UInt8(truncatingIfNeeded: acknowledged >> (8 * UInt64(index)))
        }
        memory.arena.copy(bytes.span, to: target)
        return Int32(bytes.count)
    }
}
