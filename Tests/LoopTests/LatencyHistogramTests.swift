// Goal:   what is on the metrics page counts every time once, where it belongs, and adds them up.

import IO
import Testing

@testable import Loop

@Suite struct `A latency histogram` {
    private func counts(_ histogram: LatencyHistogram) -> [UInt64] {
        (0...LatencyHistogram.boundCount).map { histogram.count(in: $0) }
    }

    private func bucket(of nanoseconds: UInt64) -> Int? {
        var histogram = LatencyHistogram()
        histogram.add(nanoseconds)
        let counts = counts(histogram)
        return counts.reduce(0, +) == 1 ? counts.firstIndex(of: 1) : nil
    }

    @Test func `has bounds that double from 8 microseconds to more than a minute`() {
        let bounds = (0...LatencyHistogram.boundCount).map { LatencyHistogram.bound(of: $0) }
        #expect(bounds.first == 8_000 && bounds[7] == 1_024_000)
        #expect(bounds[bounds.count - 2] == 67_108_864_000)
        #expect(bounds.last == .some(nil))
        for (lower, upper) in zip(bounds, bounds.dropFirst().dropLast()) {
            #expect(upper == lower.map { $0 * 2 })
        }
    }

    @Test(arguments: 0..<LatencyHistogram.boundCount)
    func `counts up to a bound in its bucket, and what is longer in the next`(number: Int) throws {
        let bound = try #require(LatencyHistogram.bound(of: number))
        #expect(bucket(of: bound) == number)
        #expect(bucket(of: bound + 1) == number + 1)
        #expect(bucket(of: bound - 1) == number)
    }

    @Test func `counts nothing in the first bucket, and all that is too long in the last`() {
        #expect(bucket(of: 0) == 0)
        #expect(bucket(of: 1) == 0)
        #expect(bucket(of: .max) == LatencyHistogram.boundCount)
    }

    @Test func `adds up`() {
        var one = LatencyHistogram()
        for nanoseconds in [0, 5, 8_001, 20_000, 100_000_000_000] as [UInt64] {
            one.add(nanoseconds)
        }
        #expect(one.nanosecondsSum == 100_000_028_006)
        var other = LatencyHistogram()
        other.add(16_000)
        #expect(one != other)
        var sum = one
        sum.merge(other)
        #expect(sum.nanosecondsSum == 100_000_044_006)
        #expect(counts(sum)[0...2] == [2, 2, 1] && counts(sum).last == 1)
        #expect(counts(sum).reduce(0, +) == 6)
        one.add(16_000)
        #expect(one == sum)
    }

    /// The same sum, and the same number of times.
    @Test func `differs where only buckets do`() {
        var (one, other) = (LatencyHistogram(), LatencyHistogram())
        for nanoseconds in [10_000, 30_000] as [UInt64] { one.add(nanoseconds) }
        for nanoseconds in [20_000, 20_000] as [UInt64] { other.add(nanoseconds) }
        #expect(one.nanosecondsSum == other.nanosecondsSum && one != other)
    }
}

@Suite struct `Waits for a buffer` {
    @Test(arguments: [false, true])
    func `are counted if none was free, with their length`(isNested: Bool) throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: CoreMemory.smallest, alignment: 1 << 21)
        let memory = CoreMemory(arena: unsafe Arena(bytes), loop: driven.loop)
        let notes = Notes()
        for _ in 0..<3 {
            driven.begin { _ in
                let largest = BufferPool.largest
                let lease =
                    isNested ? await memory.leaseNested(largest) : await memory.lease(largest)
                notes.numbers.append(Int(lease.detach().offset))
            }
        }
        driven.run(now: 1_000_000)
        #expect(notes.numbers.count == 1 && memory.waits == LatencyHistogram())
        var expected = LatencyHistogram()
        for (now, waited) in [(1_500_000, 500_000), (9_000_000, 8_000_000)] as [(UInt64, UInt64)] {
            let offset = UInt32(notes.numbers.removeLast())
            let count = UInt32(BufferPool.largest)
            driven.run(now: now)
            memory.giveBack(BufferLease(attaching: Region(offset: offset, count: count)))
            driven.run(now: now)
            expected.add(waited)
            #expect(memory.waits == expected)
        }
        #expect(memory.queueLength == 0 && notes.numbers.count == 1)
    }
}
