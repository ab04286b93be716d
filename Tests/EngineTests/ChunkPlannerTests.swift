// Goal:   chunks are as long as the published table says, and always something that can be used.
// Method: the table of ChunkPlanner.fixed, line by line; every figure just beside its bound; then
//         random questions, held against the rule written down a second time.

import Testing

@testable import Engine

private let MiB: UInt64 = 1 << 20
private let milliseconds: UInt64 = 1_000_000

private func chunk(
    _ size: UInt64?, _ rate: UInt64?, _ roundTrip: UInt64?, _ reliability: Double?,
    _ limits: ChunkLimits = ChunkLimits()
) -> UInt64 {
    ChunkPlanner.fixed(
        TransferFacts(
            size: size, bytesPerSecond: rate, roundTripNanoseconds: roundTrip,
            reliability: reliability), limits: limits)
}

/// The same numbers every time (Knuth's MMIX generator, its better half).
private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 { half() << 32 | half() }

    private mutating func half() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 32
    }
}

@Suite struct `A chunk by fixed tiers` {
    @Test func `is as long as the table says`() {
        let (fast, slow, near) = (200 * MiB, 10 * MiB, milliseconds)
        #expect(chunk(1024 * MiB, fast, near, 1) == 10_485_760)
        #expect(chunk(64 * MiB, fast, near, 1) == 6_709_248)
        #expect(chunk(64 * MiB, fast, near, 0.5) == 6_709_248)
        #expect(chunk(64 * MiB, 100 * MiB, near, 1) == 2_097_152)
        #expect(chunk(64 * MiB, fast, 50 * milliseconds, 1) == 2_097_152)
        #expect(chunk(20 * MiB, slow, 200 * milliseconds, 0.8) == 1_048_576)
        #expect(chunk(20 * MiB, slow, 20 * milliseconds, 0.79) == 417_792)
        #expect(chunk(1024 * MiB, slow, 201 * milliseconds, 1) == 524_288)
        #expect(chunk(MiB, slow, 20 * milliseconds, 1) == 262_144)
        #expect(chunk(100_000, slow, 20 * milliseconds, 1) == 262_144)
        #expect(chunk(nil, fast, near, 1) == 10_485_760)
        #expect(chunk(30 * MiB, nil, nil, nil) == 1_572_864)
        #expect(chunk(nil, nil, nil, nil) == 2_097_152)
    }

    @Test func `changes just beyond each bound`() {
        let size = 1024 * MiB
        let (fast, weak, other) = (10 * MiB, MiB / 2, 2 * MiB)
        #expect(chunk(size, 100 * MiB, 0, 1) == other)
        #expect(chunk(size, 100 * MiB + 1, 0, 1) == fast)
        #expect(chunk(size, 101 * MiB, 50 * milliseconds - 1, 1) == fast)
        #expect(chunk(size, 101 * MiB, 50 * milliseconds, 1) == other)
        #expect(chunk(size, 1, 200 * milliseconds, 1) == other)
        #expect(chunk(size, 1, 200 * milliseconds + 1, 1) == weak)
        #expect(chunk(size, 1, 1, 0.8) == other)
        #expect(chunk(size, 1, 1, (0.8).nextDown) == weak)
        // Where two apply: the first.
        #expect(chunk(size, 101 * MiB, 1, 0) == fast)
    }

    @Test func `takes what is not known for neither good nor bad`() {
        let size = 1024 * MiB
        #expect(chunk(size, 200 * MiB, nil, 1) == 2 * MiB)
        #expect(chunk(size, nil, 1, 1) == 2 * MiB)
        #expect(chunk(size, 200 * MiB, nil, 0.1) == MiB / 2)
        #expect(chunk(size, nil, 201 * milliseconds, nil) == MiB / 2)
        #expect(chunk(size, nil, nil, .nan) == 2 * MiB)
        #expect(chunk(nil, nil, nil, 0.1) == MiB / 2)
    }

    @Test func `keeps to the limits at both ends`() {
        let narrow = ChunkLimits(smallest: MiB, largest: MiB)
        let tiny = ChunkLimits(smallest: 4096, largest: 4096)
        for size in [nil, 0, 1, 4095, 4096, MiB, 1024 * MiB, .max] as [UInt64?] {
            #expect(chunk(size, 200 * MiB, 1, 1, narrow) == MiB)
            #expect(chunk(size, nil, nil, 0, tiny) == 4096)
        }
        #expect(chunk(.max, 200 * MiB, 1, 1) == 10 * MiB)
        #expect(chunk(0, 200 * MiB, 1, 1) == 256 << 10)
    }

    @Test func `is whole blocks within the limits, and the rule's, whatever is asked`() {
        var random = Random(state: 20_261_127)
        for _ in 0..<20_000 {
            let smallest = UInt64.random(in: 1...4096, using: &random) * 4096
            let largest = UInt64.random(in: smallest / 4096...8192, using: &random) * 4096
            let bits = UInt64.random(in: 0...45, using: &random)
            let size = UInt64.random(in: 0...1 << bits, using: &random)
            let rate = UInt64.random(in: 0...200 * MiB, using: &random)
            let roundTrip = UInt64.random(in: 0...400 * milliseconds, using: &random)
            let reliability = Double.random(in: 0.6...1, using: &random)
            let limits = ChunkLimits(smallest: smallest, largest: largest)
            let planned = chunk(size, rate, roundTrip, reliability, limits)

            var expected: UInt64
            if rate > 104_857_600 && roundTrip < 50_000_000 {
                expected = min(size / 10, 10_485_760)
            } else if reliability < 0.8 || roundTrip > 200_000_000 {
                expected = min(size / 50, 524_288)
            } else {
                expected = min(size / 20, 2_097_152)
            }
            expected = min(max(expected, smallest), largest) / 4096 * 4096
            #expect(planned == expected, "\(size) \(rate) \(roundTrip) \(reliability) \(limits)")
            #expect(planned % 4096 == 0 && planned >= smallest && planned <= largest)
        }
    }

    @Test func `traps on limits that no chunk could keep`() async {
        await #expect(processExitsWith: .failure) { _ = ChunkLimits(smallest: 0) }
        await #expect(processExitsWith: .failure) {
            _ = ChunkLimits(smallest: 8192, largest: 4096)
        }
        await #expect(processExitsWith: .failure) { _ = ChunkLimits(smallest: 5000) }
        await #expect(processExitsWith: .failure) { _ = ChunkLimits(largest: 1_000_000) }
    }
}
