// What names an instance, an object and a volume: plain integers that cannot be mistaken for each
// other.

/// One volume file of an instance, of either class.
public struct VolumeID: Hashable, Comparable, Sendable {
    public let number: UInt16

    @inline(__always) public init(_ number: UInt16) { self.number = number }

    @inline(__always)
    public static func < (left: VolumeID, right: VolumeID) -> Bool { left.number < right.number }
}

/// What a volume holds: records with small objects, or nothing but the extents of large ones.
public enum VolumeClass: UInt8, Sendable, CaseIterable { case small = 1, large = 2 }

/// The UUID that one instance puts on everything it writes.
public struct InstanceID: Hashable, Sendable {
    /// Its first and last eight bytes, most significant first.
    public let high: UInt64
    public let low: UInt64

    @inline(__always)
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
}

/// The 16 bytes that name one object for life, whatever it is called.
public struct ObjectID: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    @inline(__always)
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
}
