/// Buffers of 1 KiB to 1 MiB out of one stretch of a core's arena, by the buddy system (Knuth,
/// The Art of Computer Programming, vol. 1, §2.5): a buffer splits in halves, halves join again.
///
/// Invariant: every byte is in exactly one free block or one lease; no two free buddies coexist.
/// Nothing is allocated after `init`.
public struct BufferPool: ~Copyable {
    public static let smallest = 1 << 10
    public static let largest = 1 << 20
    private static let orderCount = 11

    private static let none = UInt32.max
    private let start: UInt32
    /// One entry for every smallest block: links of its free list, valid at free blocks' heads.
    private var next: [UInt32]
    private var previous: [UInt32]
    /// The order of the free block that starts here, or `leased` plus the order, or `inner`.
    private var state: [UInt8]
    private var heads: [UInt32]
    public private(set) var bytesFree: Int
    public let bytesTotal: Int

    private static let leased: UInt8 = 0x40
    private static let inner: UInt8 = 0xff

    /// Manages `region`, whose start must be aligned to the largest buffer; a tail that is not a
    /// multiple of the largest is left unused.
    public init(over region: Region) {
        precondition(region.offset % UInt32(BufferPool.largest) == 0)
        start = region.offset
        let wholeCount = Int(region.count) / BufferPool.largest
        let blockCount = wholeCount << (BufferPool.orderCount - 1)
        next = Array(repeating: BufferPool.none, count: blockCount)
        previous = next
        state = Array(repeating: BufferPool.inner, count: blockCount)
        heads = Array(repeating: BufferPool.none, count: BufferPool.orderCount)
        bytesTotal = wholeCount * BufferPool.largest
        bytesFree = bytesTotal
        for index in (0..<wholeCount).reversed() {
            link(UInt32(index << (BufferPool.orderCount - 1)), order: BufferPool.orderCount - 1)
        }
    }

    /// What a lease of `count` bytes really takes.
    public static func size(for count: Int) -> Int {
        smallest << order(for: count)
    }

    /// A buffer of at least `count` bytes (at most 1 MiB), or nil if none is free.
    public mutating func lease(_ count: Int) -> BufferLease? {
        let wanted = BufferPool.order(for: count)
        var order = wanted
        while order < BufferPool.orderCount, heads[order] == BufferPool.none { order += 1 }
        guard order < BufferPool.orderCount else { return nil }
        let block = heads[order]
        unlink(block, order: order)
        while order > wanted {
            order -= 1
            link(block + (1 << UInt32(order)), order: order)
        }
        state[Int(block)] = BufferPool.leased | UInt8(order)
        bytesFree -= BufferPool.smallest << order
        return BufferLease(region(at: block, order: order))
    }

    private func region(at block: UInt32, order: Int) -> Region {
        Region(offset: start + block << 10, count: UInt32(BufferPool.smallest << order))
    }

    public mutating func giveBack(_ lease: consuming BufferLease) {
        let region = lease.detach()
        var block = (region.offset - start) >> 10
        var order = BufferPool.order(for: Int(region.count))
        precondition(
            state[Int(block)] == BufferPool.leased | UInt8(order)
                && region == self.region(at: block, order: order), "given back twice, or cut")
        bytesFree += Int(region.count)
        while order < BufferPool.orderCount - 1 {
            let buddy = block ^ (1 << UInt32(order))
            guard state[Int(buddy)] == UInt8(order) else { break }
            unlink(buddy, order: order)
            state[Int(max(block, buddy))] = BufferPool.inner
            block = min(block, buddy)
            order += 1
        }
        link(block, order: order)
    }

    private static func order(for count: Int) -> Int {
        precondition(count <= largest, "no buffer is that large")
        let blocks = max(1, (count + smallest - 1) >> 10)
        return Int.bitWidth - (blocks - 1).leadingZeroBitCount
    }

    private mutating func link(_ block: UInt32, order: Int) {
        let head = heads[order]
        next[Int(block)] = head
        previous[Int(block)] = BufferPool.none
        if head != BufferPool.none { previous[Int(head)] = block }
        heads[order] = block
        state[Int(block)] = UInt8(order)
    }

    private mutating func unlink(_ block: UInt32, order: Int) {
        let (before, after) = (previous[Int(block)], next[Int(block)])
        if before == BufferPool.none {
            heads[order] = after
        } else {
            next[Int(before)] = after
        }
        if after != BufferPool.none { previous[Int(after)] = before }
        state[Int(block)] = BufferPool.inner
    }
}
