// Goal:   a few connections fill all cores evenly, and none moves twice or without need.
// Method: all small distributions, one by one; seeded arrivals on cores as a hash would have them.

import Testing

@testable import Engine

/// The decision for one connection that came to `core`; `counts` are without it.
private func target(_ core: Int, _ counts: [Int], countMax: Int = .max) -> Int? {
    var counts = counts
    counts[core] += 1
    return ConnectionBalance.target(from: core, counts: counts.span, countMax: countMax)
}

/// Every way in which `cores` cores have 0 to `most` connections each.
private func distributions(cores: Int, most: Int) -> [[Int]] {
    guard cores > 0 else { return [[]] }
    let rest = distributions(cores: cores - 1, most: most)
    return (0...most).flatMap { count in rest.map { [count] + $0 } }
}

@Suite struct `A connection just accepted` {
    @Test func `stays on the only core, and where there are not many more than elsewhere`() {
        #expect(target(0, [7]) == nil)
        #expect(target(0, [0, 0]) == nil)
        #expect(target(0, [1, 1]) == nil)
        #expect(target(0, [4, 4]) == nil)
        #expect(target(0, [99, 80]) == nil)
        #expect(target(0, [0, 100]) == nil)
    }

    @Test func `goes to the core that has fewer`() {
        #expect(target(0, [1, 0]) == 1)
        #expect(target(1, [0, 1]) == 0)
        #expect(target(0, [8, 7]) == 1)
        #expect(target(0, [100, 80]) == 1)
        #expect(target(2, [5, 3, 6, 4]) == 1)
    }

    @Test func `goes to the next core behind its own where several have as few`() {
        #expect(target(0, [5, 2, 2, 2]) == 1)
        #expect(target(2, [2, 2, 5, 2]) == 3)
        #expect(target(3, [2, 2, 2, 5]) == 0)
    }

    @Test func `stays if the others are full`() {
        #expect(target(0, [20, 10], countMax: 10) == nil)
        #expect(target(0, [20, 9], countMax: 10) == 1)
    }

    @Test(arguments: 1...4)
    func `moves at most once, to a core that then has no more than its first`(cores: Int) {
        for counts in distributions(cores: cores, most: cores == 4 ? 6 : 12) {
            for core in 0..<cores {
                guard let first = target(core, counts) else { continue }
                #expect(counts[first] == counts.min())
                #expect(counts[first] + 1 <= counts[core])
                #expect(target(first, counts) == nil, "\(counts) from \(core) by way of \(first)")
            }
        }
    }

    @Test(arguments: 2...8)
    func `of many leaves no core with more than 1.25 times another's, or one more`(cores: Int) {
        var random: UInt64 = 0x9e37_79b9_7f4a_7c15
        for _ in 0..<50 {
            var counts = Array(repeating: 0, count: cores)
            for _ in 0..<200 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Some cores are chosen more often than others.
                let core = min(Int(random >> 33) % cores, Int(random >> 20 & 0xfff) % cores)
                counts[target(core, counts) ?? core] += 1
                let (most, fewest) = (counts.max() ?? 0, counts.min() ?? 0)
                #expect(most <= fewest + 1 || most * 4 <= fewest * 5, "\(counts)")
            }
        }
    }

    @Test func `of 16 on two cores is one of eight and eight, however they come`() {
        for pattern in 0..<(1 << 16) {
            var counts = [0, 0]
            for bit in 0..<16 {
                let core = pattern >> bit & 1
                counts[target(core, counts) ?? core] += 1
            }
            if counts != [8, 8] { Issue.record("\(counts) from \(pattern)") }
        }
    }
}
