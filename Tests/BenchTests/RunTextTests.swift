// Goal:   what is printed is what was measured: units, order of sides, verdicts, warnings.

import BenchMeasure
import Foundation
import Testing

private func sample(
    _ unit: Row.Unit, _ side: Side, _ pair: Int, cpu: Double, seconds: Double
) -> Sample {
    let count = unit == .gigabyte ? 1 : 1_000
    var sample = Sample(
        unit: unit, side: side, pair: pair, objectCount: count,
        byteCount: unit == .gigabyte ? 2_000_000_000 : 1 << 20, seconds: seconds)
    (sample.serverCPU, sample.serverCPUInRound) = (cpu, cpu)
    (sample.serverCPUByThreads, sample.serverCPUByTicks) = (cpu, cpu)
    sample.flushCPU = side == .nginx ? 0.5 : 0
    return sample
}

private func row(_ name: String) throws -> Row {
    try #require(Row.all.first { $0.name == name })
}

private func scheduled(_ side: Side, _ pair: Int, _ nanoseconds: UInt64) -> LatencySample {
    var histogram = Histogram()
    histogram.add(nanoseconds)
    return LatencySample(
        side: side, pair: pair, perSecond: 500, histogram: histogram, serverCPUPerRequest: 2e-6)
}

@Suite struct `A sample` {
    @Test func `counts large objects in gigabytes, small ones in requests`() {
        let large = sample(.gigabyte, .nginx, 0, cpu: 1, seconds: 4)
        #expect(large.serverCPUPerUnit == 0.5)
        #expect(large.serverAndFlushCPUPerUnit == 0.75)
        #expect(large.throughput == 0.5)
        #expect(large.serverUse == 0.25)
        let small = sample(.request, .millrace, 0, cpu: 0.01, seconds: 0.1)
        #expect(small.serverCPUPerUnit == 1e-5)
        #expect(small.throughput == 10_000)
    }

    @Test func `tells how much of the CPU ended threads used`() {
        var some = sample(.request, .millrace, 0, cpu: 2, seconds: 1)
        some.serverCPUByThreads = 1.5
        #expect(some.threadsMissing == 0.25)
        some.serverCPU = 0
        #expect(some.threadsMissing == 0)
    }
}

@Suite struct `The result of a row` {
    private let samples = (0..<7).flatMap { pair in
        [
            sample(.request, .millrace, pair, cpu: 0.02, seconds: 0.1),
            sample(.request, .nginx, pair, cpu: 0.08 + Double(pair) / 1000, seconds: 0.5),
            sample(.request, .h2o, pair, cpu: 0.04, seconds: 0.1),
        ]
    }

    private func result(
        _ name: String, _ samples: [Sample], _ latencies: [LatencySample] = []
    ) throws -> RowResult {
        RowResult(
            row: try row(name), bytesPerObject: 1_024, samples: samples, latencies: latencies,
            seed: 1)
    }

    @Test func `compares Millrace to each peer, pair by pair`() throws {
        let result = try result("get-1k", samples.reversed())
        let cpu = try #require(result.ratio(.cpu))
        #expect(cpu.verdict == .met)
        #expect(abs(cpu.ratio.median - 0.02 / 0.083) < 1e-12)
        #expect(result.ratio(.throughput)?.ratio.median == 5)
        #expect(result.ratio(.throughput)?.verdict == .met)
        #expect(result.ratio(.cpu, to: .h2o)?.ratio.median == 0.5)
        #expect(result.pairCount == 7)
        #expect(result.sides.map(\.side) == [.millrace, .nginx, .h2o])
    }

    @Test func `holds a goal against the peer that it names only`() throws {
        let result = try result("get-1k", samples)
        let toOther = try #require(result.ratio(.throughput, to: .h2o))
        #expect(toOther.goal == nil && toOther.verdict == nil)
    }

    @Test func `of one side compares nothing`() throws {
        let result = try result("put-4k", samples.filter { $0.side == .nginx })
        #expect(result.ratios.isEmpty)
        #expect(result.side(.millrace) == nil)
        #expect(result.side(.nginx)?.figures.throughput.median == 2_000)
    }

    @Test func `compares the 99th percentiles of scheduled rounds`() throws {
        let latencies = (0..<3).flatMap { pair in
            [scheduled(.millrace, pair, 200), scheduled(.nginx, pair, 100)]
        }
        let result = try result("get-4k-beside-cold", samples, latencies)
        let p99 = try #require(result.ratio(.p99))
        #expect(p99.ratio.median == 2)
        #expect(p99.goal == .atMost(0.2))
        #expect(p99.verdict == .notMet)
        #expect(result.side(.millrace)?.latency?.all.count == 3)
        #expect(result.side(.h2o)?.latency == nil)
        #expect(result.ratio(.p99, to: .h2o) == nil)
    }

    /// The keys that perf/README.md promises to those who read the JSON.
    @Test func `is written down under the names that readers know`() throws {
        let latencies = [scheduled(.millrace, 0, 200), scheduled(.nginx, 0, 100)]
        let result = try result("get-1k", samples, latencies)
        let data = try JSONEncoder().encode(result)
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let row = try #require(json["row"] as? [String: Any])
        #expect(row["name"] as? String == "get-1k")
        #expect(row["work"] as? String == "get")
        #expect(row["connections"] as? Int == 64)
        #expect(row["unit"] as? String == "request")
        #expect(json["bytesPerObject"] as? Int == 1_024)
        #expect((json["samples"] as? [[String: Any]])?.count == samples.count)
        let sides = try #require(json["sides"] as? [[String: Any]])
        let latency = try #require(sides[0]["latency"] as? [String: Any])
        #expect((latency["all"] as? [String: Any])?["p999"] as? Int == 200)
        #expect((latency["buckets"] as? [[String: Any]])?.first?["count"] as? Int == 1)
        let ratio = try #require((json["ratios"] as? [[String: Any]])?.first)
        #expect(ratio["peer"] as? String == "nginx")
        #expect((ratio["goal"] as? [String: Any])?["atMost"] as? Double == 0.55)
        #expect((ratio["ratio"] as? [String: Any])?["median"] != nil)
    }
}

@Suite struct `The warnings` {
    private func warnings(_ name: String, _ samples: [Sample]) throws -> [String] {
        let row = try row(name)
        return Warnings.of([RowResult(row: row, bytesPerObject: 1, samples: samples, seed: 1)])
    }

    @Test func `tell when the client did not saturate the server`() throws {
        let lazy = [sample(.request, .nginx, 0, cpu: 0.5, seconds: 1)]
        #expect(try warnings("get-1k", lazy).contains { $0.contains("used 50 %") })
        // Uploads wait for a disk, and that is no fault of the client.
        #expect(try warnings("put-4k", lazy).isEmpty)
    }

    @Test func `tell of strangers, stray threads and clocks that disagree`() throws {
        var odd = sample(.gigabyte, .millrace, 0, cpu: 2, seconds: 2)
        odd.otherCPU = 1
        odd.isConfined = false
        odd.serverCPUByTicks = 1.5
        let warnings = try warnings("put-1g", [odd])
        #expect(warnings.count == 3)
        #expect(warnings.contains { $0.contains("50 % of a CPU") })
        #expect(warnings.contains { $0.contains("not bound") })
        #expect(warnings.contains { $0.contains("disagree") })
    }

    @Test func `are none for a clean run`() throws {
        let clean = [sample(.request, .nginx, 0, cpu: 0.99, seconds: 1)]
        #expect(try warnings("get-1k", clean).isEmpty)
    }
}

@Suite struct `The text of a run` {
    @Test func `shows figures, goals, latencies, memory and what to beware of`() throws {
        let samples = (0..<2).flatMap { pair in
            [
                sample(.gigabyte, .millrace, pair, cpu: 0.3, seconds: 0.5),
                sample(.gigabyte, .nginx, pair, cpu: 0.25, seconds: 0.5),
            ]
        }
        var environment = Environment()
        environment.kernel = "6.1.0"
        environment.peers = ["nginx 1", "h2o 2"]
        let idle = IdleResult(
            side: .millrace, connectionCount: 100, bytesBefore: 1_000, bytesWith: 26_000,
            residentBefore: 2_000_000)
        var result = RunResult(environment: environment, skipped: ["caddy is not installed"])
        result.rows = [
            RowResult(
                row: try row("get-1g"), bytesPerObject: 1 << 30, samples: samples,
                latencies: [scheduled(.nginx, 0, 123_000)], seed: 1)
        ]
        (result.idle, result.warnings) = ([idle], ["the moon was full"])
        let text = RunText(result).markdown
        #expect(text.contains("- kernel: 6.1.0\n"))
        #expect(text.contains("- peers: nginx 1; h2o 2\n"))
        #expect(text.contains("- caddy is not installed\n- the moon was full\n"))
        #expect(text.contains("0.150 [0.150–0.150] s/GB"))
        #expect(text.contains("4.00 [4.00–4.00] GB/s"))
        #expect(text.contains("1.20 [1.20–1.20]"))
        #expect(text.contains("≤ 1.05"))
        #expect(text.contains("| 0.50 k/s     | 2.00 [2.00–2.00] µs/request | 123 | 123 | 123"))
        #expect(text.contains("| 250 "))
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
