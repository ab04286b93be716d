// Goal:   the filter's answer is one of the samples of the window, and hardly off the extreme.
// Method: the same random samples held against all of the window, kept and sorted.

import Testing

@testable import Engine

@Suite struct `A windowed extreme` {
    @Test func `is the first sample, then whatever is better at once`() {
        var greatest = WindowedExtreme(.greatest)
        var least = WindowedExtreme(.least)
        #expect(greatest.value == nil && least.value == nil)
        for (time, value) in [5.0, 3, 7, 2].enumerated() {
            greatest.observe(value, at: Double(time), window: 10)
            least.observe(value, at: Double(time), window: 10)
        }
        #expect(greatest.value == 7 && least.value == 2)
    }

    @Test func `forgets what has left the window, for the best behind it`() {
        var filter = WindowedExtreme(.greatest)
        filter.observe(100, at: 0, window: 10)
        for time in 1...9 { filter.observe(50 - Double(time), at: Double(time), window: 10) }
        #expect(filter.value == 100)
        filter.observe(1, at: 10.5, window: 10)
        #expect(filter.value == 47, "the best that was seen a quarter of the window later")
    }

    @Test func `starts again after a silence longer than the window`() {
        var filter = WindowedExtreme(.least)
        filter.observe(1, at: 0, window: 10)
        filter.observe(9, at: 30, window: 10)
        #expect(filter.value == 9)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `never leaves the window's samples, and is near their extreme`(seed: UInt64) {
        var random = Numbers(state: seed)
        var filter = WindowedExtreme(.greatest)
        var seen: [(time: Double, value: Double)] = []
        var (time, exact, count) = (0.0, 0, 0)
        for _ in 0..<1000 {
            time += Double.random(in: 0.01...1, using: &random)
            let value = Double.random(in: 0...100, using: &random).rounded()
            filter.observe(value, at: time, window: 10)
            seen.append((time, value))
            seen.removeAll { $0.time < time - 10 }
            let inWindow = seen.map(\.value)
            let answer = filter.value ?? -1
            #expect(inWindow.contains(answer))
            #expect(answer >= value)
            count += 1
            if answer == inWindow.max() { exact += 1 }
        }
        #expect(Double(exact) > 0.6 * Double(count), "\(exact) of \(count)")
    }
}

/// The same numbers every time.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) << 32 | (state &* 0x9e37_79b9_7f4a_7c15) >> 32
    }
}
