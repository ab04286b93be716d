// Goal:   figures of uploads in chunks are computed and judged as the goals mean them.

import BenchMeasure
import Foundation
import Testing

private func row(_ name: String) throws -> Row {
    try #require(Row.all.first { $0.name == name })
}

@Suite struct `Rows of chunks` {
    @Test func `are beside the same uploads by one PUT, and beside nginx`() throws {
        for row in Row.all where row.work == .putChunks {
            #expect(Side.allCases.filter(row.takes) == [.millrace, .plain, .nginx], "\(row.name)")
            #expect(row.unit == .gigabyte && row.durability == .durable && !row.measuresLatency)
            let plain = row.plain
            #expect(plain.work == .put && plain.size == row.size && plain.name == row.name)
            #expect(
                plain.uploadsPerRound(isQuick: false) == row.uploadsPerRound(isQuick: false),
                "\(row.name)")
        }
        #expect(try row("sessions").takes(.millrace))
        #expect(try Side.allCases.count { try row("sessions").takes($0) } == 1)
    }

    @Test func `are one upload over all connections only where chunks have numbers`() throws {
        let assembly = try row("assemble-1g")
        #expect(assembly.connectionCount == 4 && assembly.plain.connectionCount == 1)
        #expect(assembly.uploadsPerRound(isQuick: false) == 1)
        let fair = try row("fair-64")
        #expect(fair.plain.connectionCount == 64)
        #expect(fair.uploadsPerRound(isQuick: true) == 64)
        #expect(Row.all.filter(\.measuresFairness).map(\.name) == ["fair-64"])
        #expect(try row("resume-1m").uploadsPerRound(isQuick: false) == 128)
    }

    @Test(arguments: [
        ("assemble-1g", "server CPU", Side.plain, "≤ 1.1"),
        ("assemble-1g", "throughput", .plain, "≥ 0.9"),
        ("tus-1g", "server CPU", .nginx, "≤ 0.6"),
        ("resume-1g", "server CPU", .nginx, "≤ 0.6"),
    ])
    func `have the goals that were agreed`(
        name: String, figure: String, peer: Side, bound: String
    ) throws {
        let goal = try row(name).goals.first { $0.figure.rawValue == figure && $0.peer == peer }
        #expect(goal?.bound.text == bound)
    }

    @Test func `say in the JSON which dialect was spoken`() throws {
        let json = String(decoding: try JSONEncoder().encode(try row("tus-1g")), as: UTF8.self)
        #expect(json.contains("\"dialect\":\"tus\"") && json.contains("\"put in chunks\""))
        let plain = String(decoding: try JSONEncoder().encode(try row("put-1g")), as: UTF8.self)
        #expect(!plain.contains("dialect"))
    }

    @Test func `count the CPU of Millrace's own PUT as that of a peer`() throws {
        let row = try row("assemble-1g")
        let samples = (0..<3).flatMap { pair in
            [(Side.millrace, 1.05), (.plain, 1.0), (.nginx, 4)].map { side, cpu in
                var sample = Sample(
                    unit: row.unit, side: side, pair: pair, objectCount: 1,
                    byteCount: 1_000_000_000, seconds: side == .millrace ? 1.25 : 1)
                sample.serverCPU = cpu
                return sample
            }
        }
        let result = RowResult(row: row, bytesPerObject: 1 << 30, samples: samples, seed: 1)
        #expect(result.sides.map(\.side) == [.millrace, .plain, .nginx])
        #expect(result.ratio(.cpu, to: .plain)?.verdict == .met)
        #expect(result.ratio(.throughput, to: .plain)?.ratio.median == 0.8)
        #expect(result.ratio(.throughput, to: .plain)?.verdict == .notMet)
        #expect(result.ratio(.cpu, to: .nginx)?.goal == nil)
    }

    @Test func `need room for what both kinds of a round leave until they are deleted`() throws {
        let row = try row("fair-64")
        let options = try Options(["--rows", "fair-64", "--peers", "nginx"])
        #expect(row.bytesKept(by: .nginx, options) == 4 << 30)
        #expect(row.bytesKept(by: .millrace, options) == 8 << 30)
    }
}

@Suite struct `How far uploads are apart` {
    private func ratio(_ times: [UInt64]) -> Double? {
        var spread = Spread()
        for time in times { spread.add(nanoseconds: time) }
        return spread.slowestToMean
    }

    @Test func `is the slowest one's speed by the mean of all speeds`() {
        #expect(ratio([]) == nil)
        #expect(ratio([500, 500]) == 1)
        // Speeds 1, 1 and 1/4: their mean is 3/4.
        #expect(abs((ratio([100, 400, 100]) ?? 0) - 1.0 / 3) < 1e-12)
        #expect(ratio([0, 0]) == 1)
    }

    @Test func `is told of rounds that are meant to be fair, of each side`() throws {
        var (even, uneven) = (Spread(), Spread())
        for time: UInt64 in [100, 100] { even.add(nanoseconds: time) }
        for time: UInt64 in [100, 900] { uneven.add(nanoseconds: time) }
        var rounds = UploadRounds()
        for _ in 0..<3 {
            rounds.add(.millrace, even, completions: Histogram())
            rounds.add(.plain, uneven, completions: Histogram())
        }
        let readings = rounds.readings(of: try row("fair-64"))
        #expect(readings.map(\.side) == [.millrace, .plain])
        #expect(readings[0].values.median == 1 && readings[0].verdict == .met)
        // No goal is set for others, however they do.
        #expect(readings[1].values.median < 0.5 && readings[1].verdict == nil)
        #expect(rounds.readings(of: try row("tus-1g")).isEmpty)
    }
}

@Suite struct `Readings` {
    @Test func `of completions are the percentile of all rounds together, in milliseconds`() throws
    {
        var rounds = UploadRounds()
        for round in 0..<10 {
            var completions = Histogram()
            // One slow one in a hundred decides nothing, two do.
            for index in 0..<20 {
                completions.add(round == 0 && index < 2 ? 9_000_000 : 1_000_000)
            }
            rounds.add(.millrace, Spread(), completions: completions)
        }
        let some = rounds.readings(of: try row("resume-1g"))
        #expect(some.map(\.figure) == [.completion])
        #expect(abs(some[0].values.median - 1) < 0.01 && some[0].verdict == .met)
        var more = Histogram()
        more.add(9_000_000)
        rounds.add(.millrace, Spread(), completions: more)
        let late = rounds.readings(of: try row("resume-1g"))
        #expect(abs(late[0].values.median - 9) < 0.1 && late[0].verdict == .notMet)
    }

    @Test func `are held against what was agreed, all of them or unresolved`() throws {
        let bounds = Reading.Figure.allCases.map(\.goal.text)
        #expect(bounds == ["≥ 0.5", "≤ 2.0", "≤ 1024.0", "≤ 2.0", "≤ 2.0"])
        func verdict(_ figure: Reading.Figure, _ values: [Double]) -> Verdict? {
            Reading(.sessions, .millrace, figure, values)?.verdict
        }
        #expect(verdict(.restart, [1, 1.5, 2]) == .met)
        #expect(verdict(.restart, [1, 1.5, 2.1]) == .metUnresolved)
        #expect(verdict(.restartAfterKill, [3, 2.5, 2.1]) == .notMet)
        #expect(verdict(.sessionMemory, [1025]) == .notMet)
        #expect(Reading(.sessions, .millrace, .restart, []) == nil)
    }

    @Test func `stand in the result with their units`() throws {
        var result = RunResult(environment: Environment())
        #expect(RunText.tables(of: result.readings).isEmpty)
        result.readings = [
            try #require(Reading(.sessions, .millrace, .sessionMemory, [812.4])),
            try #require(Reading(.sessions, .millrace, .restart, [0.5, 1.25, 0.75])),
        ]
        let text = RunText(result).markdown
        #expect(text.contains("| 812 bytes "))
        #expect(text.contains("| 0.75 [0.50–1.25] s "))
        #expect(text.contains("| ≤ 1024.0 "))
        let json = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
        #expect(json.contains("\"figure\":\"restart until ready\""))
        #expect(json.contains("\"goal\":{\"atMost\":1024}"))
    }
}
