// Goal:   what is printed is what was measured: units, order of sides, verdicts, warnings.

import BenchMeasure
import Testing

private func sample(_ row: Row, _ side: Side, _ pair: Int, cpu: Double, seconds: Double) -> Sample {
    let count = row.unit == .gigabyte ? 1 : 1_000
    var sample = Sample(
        row: row, side: side, pair: pair, objectCount: count,
        byteCount: row.unit == .gigabyte ? 2_000_000_000 : 1 << 20, seconds: seconds)
    (sample.serverCPU, sample.serverCPUInRound) = (cpu, cpu)
    (sample.serverCPUByThreads, sample.serverCPUByTicks) = (cpu, cpu)
    sample.flushCPU = side == .nginx ? 0.5 : 0
    return sample
}

@Suite struct `A sample` {
    @Test func `counts large objects in gigabytes, small ones in requests`() {
        let large = sample(.putLarge, .nginx, 0, cpu: 1, seconds: 4)
        #expect(large.serverCPUPerUnit == 0.5)
        #expect(large.serverAndFlushCPUPerUnit == 0.75)
        #expect(large.throughput == 0.5)
        #expect(large.serverUse == 0.25)
        let small = sample(.getSmall, .millrace, 0, cpu: 0.01, seconds: 0.1)
        #expect(small.serverCPUPerUnit == 1e-5)
        #expect(small.throughput == 10_000)
    }

    @Test func `tells how much of the CPU ended threads used`() {
        var some = sample(.getSmall, .millrace, 0, cpu: 2, seconds: 1)
        some.serverCPUByThreads = 1.5
        #expect(some.threadsMissing == 0.25)
        some.serverCPU = 0
        #expect(some.threadsMissing == 0)
    }
}

@Suite struct `The result of a row` {
    private let samples = (0..<7).flatMap { pair in
        [
            sample(.putSmall, .millrace, pair, cpu: 0.02, seconds: 0.1),
            sample(.putSmall, .nginx, pair, cpu: 0.08 + Double(pair) / 1000, seconds: 0.5),
        ]
    }

    @Test func `compares Millrace to nginx, pair by pair`() throws {
        let result = RowResult(row: .putSmall, samples: samples.reversed(), seed: 1)
        let both = try #require(result.comparison)
        #expect(both.cpuVerdict == .met)
        #expect(both.throughputRatio.median == 5)
        #expect(both.throughputVerdict == .met)
        #expect(abs(both.cpuRatio.median - 0.02 / 0.083) < 1e-12)
        #expect(result.pairCount == 7)
    }

    @Test func `of one side compares nothing`() {
        let result = RowResult(
            row: .putSmall, samples: samples.filter { $0.side == .nginx }, seed: 1)
        #expect(result.comparison == nil)
        #expect(result.millrace == nil)
        #expect(result.nginx?.throughput.median == 2_000)
    }

    @Test func `ignores samples of other rows`() {
        let result = RowResult(row: .getSmall, samples: samples, seed: 1)
        #expect(result.nginx == nil)
        #expect(result.pairCount == 0)
    }
}

@Suite struct `The warnings` {
    @Test func `tell when the client did not saturate the server`() {
        let lazy = [sample(.getSmall, .nginx, 0, cpu: 0.5, seconds: 1)]
        let rows = [RowResult(row: .getSmall, samples: lazy, seed: 1)]
        #expect(Warnings.of(rows, samples: lazy).contains { $0.contains("used 50 %") })
    }

    @Test func `tell of strangers, stray threads and clocks that disagree`() {
        var odd = sample(.putLarge, .millrace, 0, cpu: 2, seconds: 2)
        odd.otherCPU = 1
        odd.isConfined = false
        odd.serverCPUByTicks = 1.5
        let rows = [RowResult(row: .putLarge, samples: [odd], seed: 1)]
        let warnings = Warnings.of(rows, samples: [odd])
        #expect(warnings.count == 3)
        #expect(warnings.contains { $0.contains("50 % of a CPU") })
        #expect(warnings.contains { $0.contains("not bound") })
        #expect(warnings.contains { $0.contains("disagree") })
    }

    @Test func `are none for a clean run`() {
        let clean = [sample(.getSmall, .nginx, 0, cpu: 0.99, seconds: 1)]
        let rows = [RowResult(row: .getSmall, samples: clean, seed: 1)]
        #expect(Warnings.of(rows, samples: clean).isEmpty)
    }
}

@Suite struct `The text of a run` {
    @Test func `shows figures, goals, memory and what to beware of`() {
        let samples = (0..<2).flatMap { pair in
            [
                sample(.getLarge, .millrace, pair, cpu: 0.3, seconds: 0.5),
                sample(.getLarge, .nginx, pair, cpu: 0.25, seconds: 0.5),
            ]
        }
        var environment = Environment()
        environment.kernel = "6.1.0"
        let idle = IdleResult(
            side: .millrace, connectionCount: 100, bytesBefore: 1_000, bytesWith: 51_000,
            residentBefore: 2_000_000)
        let text = RunText(
            RunResult(
                environment: environment,
                rows: [RowResult(row: .getLarge, samples: samples, seed: 1)], idle: [idle],
                warnings: ["the moon was full"], samples: samples)
        ).markdown
        #expect(text.contains("- kernel: 6.1.0\n"))
        #expect(text.contains("- the moon was full\n"))
        #expect(text.contains("0.150 [0.150–0.150] s/GB"))
        #expect(text.contains("4.00 [4.00–4.00] GB/s"))
        #expect(text.contains("1.20 [1.20–1.20]"))
        #expect(text.contains("≤ 1.3"))
        #expect(text.contains("| 500 "))
        #expect(idle.verdict == .met)
    }
}

@Suite struct `A table` {
    @Test func `pads its columns and keeps bars apart from content`() {
        var table = MarkdownTable(["a", "wide"])
        table.add(["x|y", "1"])
        #expect(table.text == "| a    | wide |\n|------|------|\n| x\\|y | 1    |\n")
    }

    @Test(arguments: [
        (1.005, 2, "1.00"), (0.125, 2, "0.13"), (-0.004, 2, "0.00"), (-1.5, 0, "-2"),
        (12.0, 3, "12.000"), (0.0456, 3, "0.046"), (99.995, 1, "100.0"),
    ])
    func `rounds its numbers`(value: Double, places: Int, text: String) {
        #expect(Digits.fixed(value, places) == text)
    }

    @Test func `shows what is no number as a dash`() {
        #expect(Digits.fixed(.nan, 2) == "–")
        #expect(Digits.fixed(.infinity, 2) == "–")
    }
}
