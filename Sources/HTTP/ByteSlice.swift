/// Where something stands in a request head: plain data that outlives the span it points into.
public struct ByteSlice: Equatable, BitwiseCopyable, Sendable {
    public let offset: UInt16
    public let count: UInt16

    /// Nothing was there. A method comes first in every head, so offset 0 with no bytes is free.
    public static let absent = ByteSlice(offset: 0, count: 0)

    @inline(__always)
    public init(offset: UInt16, count: UInt16) {
        self.offset = offset
        self.count = count
    }

    /// The caller has held both ends to `Limits.headBytes`.
    @inline(__always)
    init(_ start: Int, _ end: Int) {
        offset = UInt16(truncatingIfNeeded: start)
        count = UInt16(truncatingIfNeeded: end &- start)
    }

    /// True also for a field that was sent with an empty value.
    @inline(__always)
    public var isPresent: Bool { offset != 0 || count != 0 }

    public var range: Range<Int> { start..<end }
    @inline(__always) var start: Int { Int(offset) }
    @inline(__always) var end: Int { Int(offset) &+ Int(count) }
}

extension Span<UInt8> {
    /// The bytes of a slice of this head; traps if the slice is of a longer one.
    @_lifetime(copy self)
    public func extracting(_ slice: ByteSlice) -> Span<UInt8> { extracting(slice.range) }
}
