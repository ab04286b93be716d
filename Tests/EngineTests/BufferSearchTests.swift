// Goal:   the cheapest buffer size is found, whatever else the core does, and not left for nothing.
// Method: a played core whose cost per byte is known by size.

import Testing

@testable import Engine

/// A core that moves bytes in buffers of the size in use, and what its thread costs meanwhile.
private struct PlayedCore {
    var search: BufferSearch
    /// Nanoseconds a KiB, by size in KiB.
    let cost: [Int: Double]
    /// What a buffer's cost is multiplied by at most, up or down.
    var noise = 0.0
    /// What everything costs more at each buffer than at the one before.
    var drift = 0.0
    var now: UInt64 = 1
    var nanosecondsPerBuffer: UInt64 = 1_000_000
    private var nanoseconds = 0.0
    private var load = 1.0
    private var random = SmallRandom(seed: 1)

    init(_ limits: BufferLimits, cost: [Int: Double]) {
        search = BufferSearch(limits)
        self.cost = cost
    }

    /// Moves `count` buffers; 0 leased meanwhile.
    mutating func move(_ count: Int, leasedBytes: Int = 0) {
        for _ in 0..<count {
            let bytes = search.bufferBytes
            let factor = 1 + noise * random.symmetric()
            nanoseconds += Double(bytes >> 10) * (cost[bytes >> 10] ?? 0) * factor * load
            load += drift
            now += nanosecondsPerBuffer
            guard search.moved(bytes, now: now) else { continue }
            let time = UInt32(truncatingIfNeeded: UInt64(nanoseconds / 1000)) & 0x3fff_ffff
            search.measured(microseconds: time, leasedBytes: leasedBytes, now: now)
        }
    }
}

/// Knuth's linear congruential generator (MMIX): the same numbers each time.
private struct SmallRandom {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// From -1 to 1.
    mutating func symmetric() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / Double(UInt64(1) << 52) - 1
    }
}

@Suite struct `The search for the best buffer` {
    private let sizes = BufferLimits.sizes.map { $0 >> 10 }

    /// Costs 300 ns a KiB at `best`, a tenth more with each step away.
    private func valley(_ best: Int) -> [Int: Double] {
        let center = sizes.firstIndex(of: best) ?? 0
        return Dictionary(
            uniqueKeysWithValues: sizes.enumerated().map { index, size in
                (size, 300 * (1 + 0.1 * Double(abs(index - center))))
            })
    }

    @Test(arguments: BufferLimits.sizes.map { $0 >> 10 }, [0, 0.05, 0.3])
    func `finds it`(best: Int, noise: Double) {
        var core = PlayedCore(BufferLimits(), cost: valley(best))
        core.noise = noise
        core.move(100_000)
        #expect(core.search.best == best << 10)
        #expect(core.search.changes == UInt64(sizes.reversed().firstIndex(of: best) ?? 0))
    }

    @Test func `is not misled by a load that rises`() {
        var core = PlayedCore(BufferLimits(), cost: valley(1024))
        core.drift = 0.001
        core.move(20_000)
        #expect(core.search.best == 1 << 20)
    }

    @Test func `leaves a size for one that is clearly cheaper only`() {
        let cost = Dictionary(uniqueKeysWithValues: sizes.map { ($0, $0 == 512 ? 297.0 : 300) })
        var core = PlayedCore(BufferLimits(), cost: cost)
        core.move(20_000)
        #expect(core.search.trials == 1)
        #expect(core.search.best == 1 << 20)
    }

    @Test func `costs little where there is nothing to find`() {
        var core = PlayedCore(BufferLimits(), cost: valley(1024))
        // Two pairs of epochs tell.
        core.move(64 * 4 + 1)
        #expect(core.search.trials == 1)
        #expect(core.search.bufferBytes == 1 << 20)
        let interval = 300_000_000_000 / core.nanosecondsPerBuffer
        core.move(Int(interval) - 1000)
        #expect(core.search.trials == 1)
        core.move(1000)
        #expect(core.search.trials == 2)
        #expect(core.search.changes == 0)
    }

    @Test func `learns anew after its interval`() {
        var core = PlayedCore(BufferLimits(intervalNanoseconds: 60_000_000_000), cost: valley(256))
        core.move(20_000)
        #expect(core.search.best == 256 << 10)
        var other = PlayedCore(BufferLimits(), cost: valley(1024))
        other.search = core.search
        other.now = core.now
        other.move(100_000)
        #expect(other.search.best == 1 << 20)
    }

    @Test func `keeps to its limits, and off`() {
        var narrow = PlayedCore(
            BufferLimits(smallest: 128 << 10, largest: 512 << 10), cost: valley(32))
        narrow.move(20_000)
        #expect(narrow.search.best == 128 << 10)
        var single = PlayedCore(
            BufferLimits(smallest: 128 << 10, largest: 128 << 10), cost: valley(32))
        single.move(20_000)
        #expect(single.search.trials == 0)
        var off = PlayedCore(BufferLimits(isAdaptive: false), cost: valley(32))
        off.move(20_000)
        #expect(off.search.trials == 0)
        #expect(off.search.bufferBytes == 1 << 20)
    }

    @Test func `learns from trials that take longer than a short interval`() {
        var core = PlayedCore(BufferLimits(intervalNanoseconds: 1_000_000_000), cost: valley(32))
        core.nanosecondsPerBuffer = 10_000_000
        core.move(2_000)
        #expect(core.search.best < 1 << 20)
    }

    @Test func `gives a trial up that takes longer than the interval`() {
        var core = PlayedCore(BufferLimits(), cost: valley(32))
        core.nanosecondsPerBuffer = 4_000_000_000
        core.move(74)
        #expect(core.search.bufferBytes == 512 << 10)
        core.move(4)
        #expect(core.search.bufferBytes == 1 << 20)
        core.move(70)
        #expect(core.search.trials == 1)
        core.move(10)
        #expect(core.search.trials == 2)
    }
}

@Suite struct `A trial of two buffer sizes` {
    private func trial() -> BufferTrial {
        BufferTrial(current: 1 << 20, candidate: 512 << 10, startedAt: 0)
    }

    /// Plays one epoch that costs `microseconds`.
    private func play(
        _ trial: inout BufferTrial, from start: UInt32, microseconds: UInt32
    ) -> BufferTrial.Verdict {
        while !trial.moved(1 << 20) {}
        let first = trial.measured(microseconds: start & 0x3fff_ffff, leasedBytes: 0)
        #expect(first == .undecided)
        while !trial.moved(1 << 20) {}
        let end = (start + microseconds) & 0x3fff_ffff
        return trial.measured(microseconds: end, leasedBytes: 8 << 20)
    }

    @Test func `takes turns that favour neither`() {
        var trial = trial()
        var turns: [Int] = []
        for _ in 0..<8 {
            turns.append(trial.bufferBytes >> 10)
            let cost: UInt32 = trial.bufferBytes == 1 << 20 ? 1000 : 900
            let verdict = play(&trial, from: 0, microseconds: cost)
            #expect(verdict == .undecided)
        }
        #expect(turns == [1024, 512, 512, 1024, 1024, 512, 512, 1024])
    }

    @Test func `does not count what was leased before its turn`() {
        var trial = trial()
        _ = play(&trial, from: 0, microseconds: 10)
        #expect(trial.bufferBytes == 512 << 10)
        var count = 1
        while !trial.moved(1 << 20) { count += 1 }
        #expect(count == 8)
    }

    @Test func `ends with the second pair lost`() {
        var trial = trial()
        for cost in [1000, 1000, 1001] as [UInt32] {
            let verdict = play(&trial, from: 0, microseconds: cost)
            #expect(verdict == .undecided)
        }
        let verdict = play(&trial, from: 0, microseconds: 1000)
        #expect(verdict == .keep)
    }

    @Test func `measures across the end of the clock`() {
        var trial = trial()
        var verdict = BufferTrial.Verdict.undecided
        var turns = 0
        while verdict == .undecided {
            let cost: UInt32 = trial.bufferBytes == 1 << 20 ? 1000 : 900
            verdict = play(&trial, from: 0x3fff_fff0, microseconds: cost)
            turns += 1
        }
        #expect(verdict == .change)
        #expect(turns == 2 * BufferTrial.pairCount)
    }

    @Test func `asks once, and counts what moves until it is told`() {
        var trial = trial()
        let asks = trial.moved(1)
        let asksAgain = trial.moved(1)
        #expect(asks && !asksAgain)
    }
}
