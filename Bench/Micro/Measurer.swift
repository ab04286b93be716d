/// Runs a bench: its allocations counted first, then its time taken, in samples.

import BenchMachine
import BenchMeasure
import CCount

struct Measurer {
    let place: MicroPlace
    /// Nil: allocations only.
    let sampling: Sampling?

    struct Sampling {
        let count: Int
        let nanoseconds: UInt64

        static let usual = Sampling(count: 25, nanoseconds: 10_000_000)
        static let quick = Sampling(count: 15, nanoseconds: 1_000_000)
    }

    func measure(_ bench: Microbench) throws -> MicroResult {
        let work = try bench.make(place)
        let allocations = try allocations(of: work, bench.countedIterations)
        var result = MicroResult(
            name: bench.name, what: bench.what, allocationCount: allocations,
            countedIterations: bench.countedIterations)
        guard let sampling else { return result }
        let count = try iterations(of: work, filling: sampling, max: bench.iterationsMax)
        for _ in 0..<sampling.count {
            result.samples.append(Double(try time(work, count)) / Double(count))
        }
        result.iterationsPerSample = count
        return result
    }

    /// Runs so many iterations where valgrind counts, after some where it does not.
    func runCounted(_ bench: Microbench, iterations: Int) throws {
        let work = try bench.make(place)
        try work.prepare(bench.countedIterations)
        work.run(bench.countedIterations)
        try work.prepare(iterations)
        let stretch = Stretch(work, iterations)
        unsafe ccount_run(
            { unsafe Unmanaged<Stretch>.fromOpaque($0!).takeUnretainedValue().run() },
            Unmanaged.passUnretained(stretch).toOpaque())
        withExtendedLifetime(stretch) {}
    }

    /// What a C function calls.
    private final class Stretch {
        private let work: Work
        private let iterations: Int

        init(_ work: Work, _ iterations: Int) { (self.work, self.iterations) = (work, iterations) }

        func run() { work.run(iterations) }
    }

    /// Of a second run: the first has grown what grows once.
    private func allocations(of work: Work, _ count: Int) throws -> UInt64 {
        try work.prepare(count)
        work.run(count)
        try work.prepare(count)
        let before = ccount_allocations()
        work.run(count)
        return ccount_allocations() - before
    }

    private func time(_ work: Work, _ count: Int) throws -> UInt64 {
        try work.prepare(count)
        let start = Clocks.now()
        work.run(count)
        return Clocks.now() - start
    }

    /// How many fill a sample.
    private func iterations(of work: Work, filling sampling: Sampling, max: Int) throws -> Int {
        var count = 1
        while count < max {
            let taken = try time(work, count)
            if taken >= sampling.nanoseconds { break }
            // No guess from a short run goes far.
            let wanted = Double(count) * Double(sampling.nanoseconds) / Double(Swift.max(taken, 1))
            count = min(max, Swift.max(count + 1, min(count * 8, Int(wanted * 1.05))))
        }
        return count
    }
}
