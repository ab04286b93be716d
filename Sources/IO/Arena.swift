/// The memory of one core that the kernel may read and write: mapped once, never moved, never
/// unmapped while the process lives, which is why its spans carry no lifetime.
///
/// Whoever holds a lease or a provided buffer owns that region's bytes; the arena itself checks
/// bounds only.
import Glibc

@safe
public struct Arena: @unchecked Sendable {
    // Unchecked: a base address is the same on every thread; each region has one owner at a time.
    private let base: UnsafeMutableRawPointer
    public let count: Int

    public init(_ memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count > 0 && memory.count <= Int(UInt32.max))
        unsafe base = memory.baseAddress!
        count = memory.count
    }

    /// For the ring only: where the region lies.
    @unsafe @inline(__always)
    public func address(of region: Region) -> UnsafeMutableRawPointer {
        precondition(Int(region.offset) + Int(region.count) <= count, "outside the arena")
        return unsafe base + Int(region.offset)
    }

    @inline(__always) @_lifetime(immortal)
    public func bytes(_ region: Region) -> RawSpan {
        let start = unsafe UnsafeRawPointer(address(of: region))
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: Int(region.count))
        return unsafe _overrideLifetime(span, borrowing: ())
    }

    @inline(__always) @_lifetime(immortal)
    public func span(_ region: Region) -> Span<UInt8> {
        let start = unsafe UnsafePointer(address(of: region).assumingMemoryBound(to: UInt8.self))
        let span = unsafe Span(_unsafeStart: start, count: Int(region.count))
        return unsafe _overrideLifetime(span, borrowing: ())
    }

    @inline(__always) @_lifetime(immortal)
    public func mutableBytes(_ region: Region) -> MutableRawSpan {
        let start = unsafe address(of: region)
        let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: Int(region.count))
        return unsafe _overrideLifetime(span, borrowing: ())
    }

    /// An empty output over `region`, to be appended to; read its `count` when done.
    @inline(__always) @_lifetime(immortal)
    public func output(_ region: Region) -> OutputSpan<UInt8> {
        let start = unsafe address(of: region).assumingMemoryBound(to: UInt8.self)
        let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: Int(region.count))
        let span = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        return unsafe _overrideLifetime(span, borrowing: ())
    }

    /// Copies `source` to the front of `target`, which must be at least as large.
    @inline(__always)
    public func copy(_ source: RawSpan, to target: Region) {
        precondition(source.byteCount <= Int(target.count), "a copy larger than its target")
        let to = unsafe address(of: target)
        unsafe source.withUnsafeBytes { from in
            guard let start = from.baseAddress else { return }
            unsafe to.copyMemory(from: start, byteCount: from.count)
        }
    }

    @inline(__always)
    public func copy(_ source: Span<UInt8>, to target: Region) {
        copy(unsafe source.bytes, to: target)
    }

    /// Copies between two regions that do not overlap.
    @inline(__always)
    public func copy(_ source: Region, to target: Region) {
        precondition(source.count <= target.count, "a copy larger than its target")
        let (from, to) = unsafe (address(of: source), address(of: target))
        unsafe to.copyMemory(from: from, byteCount: Int(source.count))
    }

    /// Copies between two regions that may overlap.
    public func move(_ source: Region, to target: Region) {
        precondition(source.count <= target.count, "a copy larger than its target")
        _ = unsafe memmove(address(of: target), address(of: source), Int(source.count))
    }

    public func zero(_ region: Region) {
        unsafe address(of: region).initializeMemory(
            as: UInt8.self, repeating: 0, count: Int(region.count))
    }

    /// Whether `region` holds exactly `bytes`.
    @inline(__always)
    public func holds(_ bytes: Span<UInt8>, at region: Region) -> Bool {
        guard bytes.count == Int(region.count) else { return false }
        let own = unsafe address(of: region)
        return unsafe bytes.withUnsafeBufferPointer { other in
            guard let start = other.baseAddress else { return true }
            return unsafe memcmp(own, start, other.count) == 0
        }
    }

    /// Whether both regions hold the same bytes. Not for secrets: it stops at a difference.
    public func equal(_ left: Region, _ right: Region) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe memcmp(address(of: left), address(of: right), Int(left.count)) == 0
    }
}
