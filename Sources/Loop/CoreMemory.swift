/// A core's arena, divided: receive buffers that the kernel fills, the hot cache's share, and the
/// pool from which handlers lease.
///
///     | receive buffers (1/16, ≤ 4 MiB) | front (1/8) | hot cache (5/16) | pool (the rest) |
///
/// Whoever finds the pool empty waits in line, so that more uploads than buffers all finish.

public import IO

public final class CoreMemory: @unchecked Sendable {
    // Unchecked: like its loop, it belongs to one thread, on which all of it is used.

    /// Large enough for nearly every request head.
    public static let receiveBufferSize = 4096
    /// Below this nothing would be left to lease.
    public static let smallest = 4 << 20

    public let arena: Arena
    /// For the ring: see `Ring.provideBuffers`.
    public let receiveBuffers: Region
    /// For request heads that arrive in pieces and for answers on their way out.
    public let front: Region
    public let cache: Region
    private var pool: BufferPool
    private let loop: EventLoop

    private struct Queued {
        let ticket: Ticket
        let count: Int
    }
    private var line: [Queued] = []

    /// `arena` holds at least `smallest` bytes and serves the handlers of `loop` only.
    public init(arena: Arena, loop: EventLoop) {
        precondition(arena.count >= CoreMemory.smallest)
        self.arena = arena
        self.loop = loop
        let unit = BufferPool.largest
        let units = arena.count / unit
        let receiveBytes = min(4 << 20, max(128 << 10, (units / 16) * unit))
        let frontStart = max(unit, receiveBytes)
        let frontBytes = max(1, units / 8) * unit
        let cacheStart = frontStart + frontBytes
        let cacheUnits = units * 5 / 16
        let poolStart = cacheStart + cacheUnits * unit
        receiveBuffers = Region(offset: 0, count: UInt32(receiveBytes))
        front = Region(offset: UInt32(frontStart), count: UInt32(frontBytes))
        cache = Region(offset: UInt32(cacheStart), count: UInt32(cacheUnits * unit))
        pool = BufferPool(
            over: Region(offset: UInt32(poolStart), count: UInt32(units * unit - poolStart)))
    }

    public var bytesFree: Int { pool.bytesFree }
    public var bytesTotal: Int { pool.bytesTotal }
    public var queueLength: Int { line.count }

    /// A buffer of at least `count` bytes (≤ 1 MiB), or nil if none is free or others wait.
    public func leaseNow(_ count: Int) -> BufferLease? {
        guard line.isEmpty else { return nil }
        return pool.lease(count)
    }

    /// A buffer of at least `count` bytes (≤ 1 MiB), first come first served.
    public func lease(_ count: Int) async -> BufferLease {
        if let lease = leaseNow(count) { return lease }
        let ticket = loop.makeTicket()
        line.append(Queued(ticket: ticket, count: count))
        let start = UInt32(await loop.answer(ticket)) << 10
        return BufferLease(
            attaching: Region(offset: start, count: UInt32(BufferPool.size(for: count))))
    }

    /// The largest buffer up to `preferred` bytes that is free now; waits only for `minimum`.
    public func lease(preferring preferred: Int, minimum: Int) async -> BufferLease {
        var count = preferred
        while count > minimum {
            // Leave a reserve, so that one rich upload cannot starve the many.
            if pool.bytesFree > pool.bytesTotal / 4, let lease = leaseNow(count) { return lease }
            count /= 2
        }
        return await lease(minimum)
    }

    public func giveBack(_ lease: consuming BufferLease) {
        pool.giveBack(lease)
        while let first = line.first, let lease = pool.lease(first.count) {
            line.removeFirst()
            loop.wake(first.ticket, with: Int32(lease.detach().offset >> 10))
        }
    }
}
