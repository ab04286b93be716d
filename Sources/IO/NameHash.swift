/// Hashes short byte strings for tables that clients can fill: keyed, so that nobody can aim names
/// at one bucket without knowing the key. By folded multiplication, as wyhash does.

@safe
public struct NameHash: Sendable {
    private let key: UInt64

    public init(key: UInt64) { self.key = key | 1 }

    @inline(__always)
    public func callAsFunction(_ name: Span<UInt8>) -> UInt64 {
        let bytes = unsafe name.bytes
        var state = key ^ UInt64(truncatingIfNeeded: bytes.byteCount)
        var offset = 0
        while offset &+ 8 <= bytes.byteCount {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = NameHash.fold(state ^ word, 0x9e37_79b9_7f4a_7c15)
            offset &+= 8
        }
        var tail: UInt64 = 0
        while offset < bytes.byteCount {
            tail =
                tail << 8 | UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            offset &+= 1
        }
        return NameHash.fold(state ^ tail, key)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
