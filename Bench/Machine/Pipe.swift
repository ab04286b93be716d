/// A socket pair that carries fixed-size records between threads: each send and each receive of a
/// record is whole, so several threads may share an end.

import Glibc
public import IO

public struct Pipe: Sendable {
    public let near: Descriptor
    public let far: Descriptor

    public init() throws(KernelError) {
        var ends: [Int32] = [0, 0]
        _ = try answer(unsafe socketpair(AF_UNIX, streamKind, 0, &ends))
        (near, far) = (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// Nil once the other end is closed.
    public static func receive<Record: BitwiseCopyable>(
        from end: Descriptor, like record: Record
    ) -> Record? {
        var record = record
        let count = unsafe withUnsafeMutableBytes(of: &record) {
            unsafe recv(end.number, $0.baseAddress, $0.count, Int32(MSG_WAITALL))
        }
        return count == MemoryLayout<Record>.size ? record : nil
    }

    /// Whether the other end is still there.
    public static func send<Record: BitwiseCopyable>(_ record: Record, to end: Descriptor) -> Bool {
        let count = unsafe withUnsafeBytes(of: record) {
            unsafe Glibc.send(
                end.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return count == MemoryLayout<Record>.size
    }
}
