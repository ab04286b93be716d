/// A core's arena, divided: receive buffers that the kernel fills, the hot cache's share, and the
/// pool from which handlers lease.
///
///     | receive buffers (1/16) | front (1/8) | hot cache (5/16) | nested (1 MiB) | pool (rest) |
///
/// Whoever finds the pool empty waits in line, so that more uploads than buffers all finish.

public import IO

public final class CoreMemory: @unchecked Sendable {
    // Unchecked: like its loop, it belongs to one thread, on which all of it is used.

    /// Large enough for nearly every request head, and for one with a body of 4 KiB: each buffer
    /// is a receive of its own.
    public static let receiveBufferSize = 8192
    /// Below this nothing would be left to lease.
    public static let smallest = 4 << 20

    public let arena: Arena
    /// For the ring: see `Ring.provideBuffers`.
    public let receiveBuffers: Region
    /// For request heads that arrive in pieces and for answers on their way out.
    public let front: Region
    public let cache: Region
    private var pool: LeaseLine
    private var nested: LeaseLine
    /// How long those waited who had to.
    public private(set) var waits = LatencyHistogram()
    private let loop: EventLoop

    /// `arena` holds at least `smallest` bytes and serves the handlers of `loop` only.
    public init(arena: Arena, loop: EventLoop) {
        precondition(arena.count >= CoreMemory.smallest)
        self.arena = arena
        self.loop = loop
        let unit = BufferPool.largest
        let units = arena.count / unit
        let receiveBytes = CoreMemory.receiveBytes(outOf: arena.count)
        let frontStart = max(unit, receiveBytes)
        let cacheStart = frontStart + max(1, units / 8) * unit
        let nestedStart = cacheStart + (units < 8 ? 0 : units * 5 / 16) * unit
        let poolStart = nestedStart + unit
        func region(_ start: Int, _ end: Int) -> Region {
            Region(offset: UInt32(start), count: UInt32(end - start))
        }
        receiveBuffers = region(0, receiveBytes)
        front = region(frontStart, cacheStart)
        cache = region(cacheStart, nestedStart)
        nested = LeaseLine(over: region(nestedStart, poolStart))
        pool = LeaseLine(over: region(poolStart, units * unit))
    }

    /// A power of two, because the kernel's ring of buffers is one.
    private static func receiveBytes(outOf bytes: Int) -> Int {
        let power = 1 << (Int.bitWidth - 1 - (bytes / 16).leadingZeroBitCount)
        return power < BufferPool.largest ? 128 << 10 : min(4 << 20, power)
    }

    public var bytesFree: Int { pool.buffers.bytesFree }
    public var bytesTotal: Int { pool.buffers.bytesTotal }
    public var queueLength: Int { pool.line.count + nested.line.count }
    /// Somebody waits for what others hold while they wait for their clients.
    public var isShort: Bool { !pool.line.isEmpty }
    /// How long the first in that line has waited, in nanoseconds; 0 if there is none.
    public var longestWait: UInt64 { pool.line.first.map { loop.now - $0.askedAt } ?? 0 }

    /// A buffer of at least `count` bytes (≤ 1 MiB), or nil if none is free or others wait.
    public func leaseNow(_ count: Int) -> BufferLease? { pool.leaseNow(count) }

    /// A buffer of at least `count` bytes (≤ 1 MiB), first come first served. Only for who holds
    /// no other: see `leaseNested`.
    public func lease(_ count: Int) async -> BufferLease {
        if let lease = pool.leaseNow(count) { return lease }
        let ticket = loop.makeTicket()
        pool.line.append(LeaseLine.Queued(ticket: ticket, count: count, askedAt: loop.now))
        return await attach(ticket, count)
    }

    /// A buffer for who holds one already, or on whom holders of one wait. It comes from a share
    /// of its own, and its holder waits for the disk only, never for another lease or a client:
    /// so the holders of first buffers cannot all wait for each other.
    public func leaseNested(_ count: Int) async -> BufferLease {
        if let lease = nested.leaseNow(count) { return lease }
        let ticket = loop.makeTicket()
        nested.line.append(LeaseLine.Queued(ticket: ticket, count: count, askedAt: loop.now))
        return await attach(ticket, count)
    }

    private func attach(_ ticket: Ticket, _ count: Int) async -> BufferLease {
        let askedAt = loop.now
        let start = UInt32(await loop.answer(ticket)) << 10
        waits.add(loop.now - askedAt)
        return BufferLease(
            attaching: Region(offset: start, count: UInt32(BufferPool.size(for: count))))
    }

    /// The same for who could do without: leaves a reserve, so that a few rich transfers cannot
    /// starve the many.
    public func leaseSpare(_ count: Int) -> BufferLease? {
        bytesFree > bytesTotal / 4 ? leaseNow(count) : nil
    }

    /// The largest buffer up to `preferred` bytes that can be spared now; waits only for `minimum`.
    public func lease(preferring preferred: Int, minimum: Int) async -> BufferLease {
        var count = preferred
        while count > minimum {
            if let lease = leaseSpare(count) { return lease }
            count /= 2
        }
        return await lease(minimum)
    }

    public func giveBack(_ lease: consuming BufferLease) {
        let offset = lease.region.offset
        if offset >= pool.region.offset {
            pool.giveBack(lease, loop)
        } else {
            precondition(offset >= nested.region.offset, "not a buffer of this pool")
            nested.giveBack(lease, loop)
        }
    }
}

/// A pool and those who wait for it, in the order in which they came.
private struct LeaseLine: ~Copyable {
    struct Queued {
        let ticket: Ticket
        let count: Int
        let askedAt: UInt64
    }

    let region: Region
    var buffers: BufferPool
    var line: [Queued] = []

    init(over region: Region) {
        self.region = region
        buffers = BufferPool(over: region)
    }

    mutating func leaseNow(_ count: Int) -> BufferLease? {
        guard line.isEmpty else { return nil }
        return buffers.lease(count)
    }

    mutating func giveBack(_ lease: consuming BufferLease, _ loop: EventLoop) {
        buffers.giveBack(lease)
        while let first = line.first, let lease = buffers.lease(first.count) {
            line.removeFirst()
            loop.wake(first.ticket, with: Int32(lease.detach().offset >> 10))
        }
    }
}
