// Goal:   every byte has at most one user, none is lost, and only an empty pool says no.
// Method: random steps beside a model that knows each KiB's user; the seed is in every failure.

import BenchMeasure
import Testing

@testable import IO

@Suite struct `A buffer pool` {
    private static let region = Region(offset: 3 << 20, count: (4 << 20) + 12345)

    private func makePool() -> BufferPool { BufferPool(over: Self.region) }

    /// Where the lease was, or nil if there was none.
    private func take(_ count: Int, from pool: inout BufferPool) -> Region? {
        guard let lease = pool.lease(count) else { return nil }
        return lease.detach()
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `agrees with a model over random steps`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var pool = makePool()
        var model = Model(start: Int(Self.region.offset), bytesTotal: 4 << 20)
        var held: [Region] = []
        for _ in 0..<2000 {
            // Phases of growing and of shrinking, so that it is full and empty often.
            let isGrowing =
                held.isEmpty || random.next() % 1000 < (held.count % 300 < 150 ? 650 : 400)
            if isGrowing {
                let count = Int(random.next() % (1 << (random.next() % 20 + 1))) + 1
                let region = take(count, from: &pool)
                #expect((region != nil) == model.hasRoom(for: BufferPool.size(for: count)))
                guard let region else { continue }
                #expect(Int(region.count) == BufferPool.size(for: count))
                let isNobodys = model.take(region)
                #expect(isNobodys)
                held.append(region)
            } else {
                let region = held.remove(at: Int(random.next() % UInt64(held.count)))
                pool.giveBack(BufferLease(attaching: region))
                model.release(region)
            }
            let bytesFree = pool.bytesFree
            #expect(bytesFree == model.bytesFree)
        }
        for region in held { pool.giveBack(BufferLease(attaching: region)) }
        expectWhole(&pool)
    }

    /// Four buffers of the largest size and not a byte more.
    private func expectWhole(_ pool: inout BufferPool) {
        let bytesFree = pool.bytesFree
        #expect(bytesFree == 4 << 20)
        let wholes = (0..<4).compactMap { _ in take(BufferPool.largest, from: &pool) }
        #expect(Set(wholes.map(\.offset)) == [3 << 20, 4 << 20, 5 << 20, 6 << 20])
        let more = take(1, from: &pool)
        #expect(more == nil)
        for region in wholes { pool.giveBack(BufferLease(attaching: region)) }
    }

    @Test(arguments: 0...10)
    func `joins buffers of every size back to the whole, in either order`(order: Int) {
        let size = BufferPool.smallest << order
        for isReversed in [false, true] {
            var pool = makePool()
            let all = (0..<(4 << 20) / size).compactMap { _ in take(size, from: &pool) }
            #expect(all.count == (4 << 20) / size)
            let (bytesFree, more) = (pool.bytesFree, take(1, from: &pool))
            #expect(bytesFree == 0 && more == nil)
            for region in isReversed ? all.reversed() : all {
                pool.giveBack(BufferLease(attaching: region))
            }
            expectWhole(&pool)
        }
    }

    @Test(
        arguments: [
            (0, 1 << 10), (1, 1 << 10), (1024, 1 << 10), (1025, 2 << 10), (4096, 4 << 10),
            (4097, 8 << 10), (65_537, 128 << 10), (1 << 20, 1 << 20), ((1 << 19) + 1, 1 << 20),
        ])
    func `rounds up to a power of two`(count: Int, size: Int) {
        #expect(BufferPool.size(for: count) == size)
    }

    @Test func `aligns every buffer to its own size`() {
        for order in 0...10 {
            var pool = makePool()
            let odd = take(1, from: &pool)
            let region = take(BufferPool.smallest << order, from: &pool)
            #expect(odd != nil && region.map { $0.offset % $0.count } == 0)
        }
    }

    @Test func `over less than one largest buffer is always empty`() {
        var pool = BufferPool(over: Region(offset: 0, count: (1 << 20) - 1))
        let lease = take(1, from: &pool)
        let bytesTotal = pool.bytesTotal
        #expect(lease == nil && bytesTotal == 0)
    }

    @Test func `traps when asked for more than its largest buffer`() async {
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(over: Region(offset: 0, count: 1 << 20))
            if let lease = pool.lease(BufferPool.largest + 1) { pool.giveBack(lease) }
        }
    }

    @Test func `traps when its region is not aligned to the largest buffer`() async {
        await #expect(processExitsWith: .failure) {
            _ = BufferPool(over: Region(offset: 4096, count: 1 << 20))
        }
    }

    @Test func `traps when a buffer is given back twice, joined or not`() async {
        await #expect(processExitsWith: .failure) { giveBackTwice(1024, holding: 0) }
        await #expect(processExitsWith: .failure) { giveBackTwice(1024, holding: 1024) }
        await #expect(processExitsWith: .failure) { giveBackTwice(1 << 20, holding: 0) }
    }

    @Test func `traps when part of a buffer is given back`() async {
        await #expect(processExitsWith: .failure) { giveBackPart(from: 0, count: 2048) }
        await #expect(processExitsWith: .failure) { giveBackPart(from: 0, count: 4000) }
        await #expect(processExitsWith: .failure) { giveBackPart(from: 100, count: 3996) }
        await #expect(processExitsWith: .failure) { giveBackPart(from: 2048, count: 2048) }
    }
}

@Suite struct `A buffer lease` {
    @Test func `may rest as plain data and be taken up again`() {
        var pool = BufferPool(over: Region(offset: 0, count: 1 << 20))
        guard let lease = pool.lease(5000) else {
            Issue.record("a whole pool has room for 5000 bytes")
            return
        }
        let region = lease.detach()
        #expect(region.count == 8192)
        pool.giveBack(BufferLease(attaching: region))
        let bytesFree = pool.bytesFree
        #expect(bytesFree == 1 << 20)
    }

    @Test func `traps when it is dropped`() async {
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(over: Region(offset: 0, count: 1 << 20))
            _ = pool.lease(1)
        }
    }
}

private func giveBackTwice(_ count: Int, holding other: Int) {
    var pool = BufferPool(over: Region(offset: 0, count: 1 << 20))
    guard let lease = pool.lease(count) else { return }
    let region = lease.detach()
    if other > 0, let second = pool.lease(other) { _ = second.detach() }
    pool.giveBack(BufferLease(attaching: region))
    pool.giveBack(BufferLease(attaching: region))
}

private func giveBackPart(from skipped: Int, count: Int) {
    var pool = BufferPool(over: Region(offset: 0, count: 1 << 20))
    guard let lease = pool.lease(4096) else { return }
    let region = lease.detach()
    pool.giveBack(BufferLease(attaching: region.part(from: skipped, count: count)))
}

/// Which KiB is whose.
private struct Model {
    let start: Int
    var isTaken: [Bool]
    var bytesFree: Int

    init(start: Int, bytesTotal: Int) {
        self.start = start
        isTaken = Array(repeating: false, count: bytesTotal >> 10)
        bytesFree = bytesTotal
    }

    /// Whether `size` aligned bytes are free anywhere.
    func hasRoom(for size: Int) -> Bool {
        stride(from: 0, to: isTaken.count, by: size >> 10).contains { block in
            !isTaken[block..<block + size >> 10].contains(true)
        }
    }

    /// False if the region is outside, not aligned to its size, or overlaps another.
    mutating func take(_ region: Region) -> Bool {
        let offset = Int(region.offset) - start
        guard offset >= 0, offset % Int(region.count) == 0 else { return false }
        let blocks = offset >> 10..<(offset + Int(region.count)) >> 10
        guard blocks.upperBound <= isTaken.count, !isTaken[blocks].contains(true) else {
            return false
        }
        for block in blocks { isTaken[block] = true }
        bytesFree -= Int(region.count)
        return true
    }

    mutating func release(_ region: Region) {
        let first = (Int(region.offset) - start) >> 10
        for block in first..<first + Int(region.count) >> 10 { isTaken[block] = false }
        bytesFree += Int(region.count)
    }
}
