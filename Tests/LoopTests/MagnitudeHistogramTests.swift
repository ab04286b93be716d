// Goal:   whatever is counted is in the first bucket whose bound it does not exceed, once.
// Method: each bound, one more and one less; the ends of what 64 bits hold.

import Loop
import Testing

@Suite struct `A histogram of magnitudes` {
    @Test(arguments: [1, 4 << 10, 16 << 10, 1 << 32] as [UInt64])
    func `counts each value where it belongs`(leastBound: UInt64) {
        var values: [UInt64] = [0, 1, .max]
        for bucket in 0..<MagnitudeHistogram.boundCount {
            let bound = leastBound << UInt64(2 * bucket)
            values += [bound - 1, bound, bound + 1]
        }
        for value in values {
            var histogram = MagnitudeHistogram(leastBound: leastBound)
            histogram.add(value)
            let all = 0...MagnitudeHistogram.boundCount
            let expected = all.first { value <= histogram.bound(of: $0) ?? .max }
            for bucket in all {
                #expect(histogram.count(in: bucket) == (bucket == expected ? 1 : 0), "\(value)")
            }
            #expect(histogram.sum == value)
        }
    }

    @Test func `has bounds four times as far as the one before, but for the last`() {
        let histogram = MagnitudeHistogram(leastBound: 4096)
        #expect(histogram.bound(of: 0) == 4096)
        #expect(histogram.bound(of: 5) == 4 << 20)
        #expect(histogram.bound(of: 11) == 16 << 30)
        #expect(histogram.bound(of: MagnitudeHistogram.boundCount) == nil)
    }

    @Test func `is equal to one that counted the same`() {
        var (one, other) = (
            MagnitudeHistogram(leastBound: 4096), MagnitudeHistogram(leastBound: 4096)
        )
        #expect(one == other && one != MagnitudeHistogram(leastBound: 1024))
        one.add(5000)
        #expect(one != other)
        other.add(5000)
        #expect(one == other)
    }
}
