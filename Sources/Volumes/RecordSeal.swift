/// The keyed MAC that makes a record ours: whoever lacks the key cannot write one.
///
/// The key lives outside of the volumes. `tag` must be a function of the key and of every byte.
public protocol RecordSeal {
    func tag(_ bytes: RawSpan) -> SealTag
}

/// 16 bytes of MAC, compared without telling where the difference is.
public struct SealTag: Equatable, Sendable {
    public let first: UInt64
    public let second: UInt64

    @inline(__always)
    public init(first: UInt64, second: UInt64) { (self.first, self.second) = (first, second) }

    @inline(__always)
    public static func == (left: SealTag, right: SealTag) -> Bool {
        (left.first ^ right.first) | (left.second ^ right.second) == 0
    }
}
