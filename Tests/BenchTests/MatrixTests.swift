// Goal:   the rows that are run are those that were agreed, with the goals that were set.

import BenchMeasure
import Testing

@Suite struct `The matrix` {
    private func row(_ name: String) throws -> Row {
        try #require(Row.all.first { $0.name == name })
    }

    @Test func `has every row once, and no group without rows`() {
        let names = Row.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.count == 29)
        for group in Row.groups {
            #expect(!group.rows.isEmpty)
            #expect(!names.contains(group.name), "a group is no row")
            #expect(Row.named(group.name) == group.rows)
        }
        #expect(Row.named("get-2k").isEmpty)
    }

    @Test(arguments: [
        ("get-1k", "server CPU", "≤ 0.55"), ("get-1k", "throughput", "≥ 1.8"),
        ("get-16k", "server CPU", "≤ 0.75"), ("get-64k", "throughput", "≥ 1.0"),
        ("get-1g", "server CPU", "≤ 1.05"), ("get-1g-16c", "throughput", "≥ 1.0"),
        ("get-1g-cold", "server CPU", "≤ 1.5"), ("get-1g-cold", "throughput", "≥ 1.15"),
        ("put-1g", "server CPU", "≤ 0.4"), ("put-1g", "throughput", "≥ 2.7"),
        ("put-1g-4c", "server CPU", "≤ 0.6"), ("put-1g-4c", "throughput", "≥ 1.8"),
        ("put-4k", "server CPU", "≤ 0.3"), ("put-4k", "throughput", "≥ 10.0"),
        ("get-4k-beside-cold", "p99", "≤ 0.2"),
    ])
    func `holds Millrace to its goals beside nginx`(
        name: String, figure: String, bound: String
    ) throws {
        let goal = try row(name).goals.first { $0.figure.rawValue == figure && $0.peer == .nginx }
        #expect(goal?.bound.text == bound)
    }

    @Test func `sets goals where they were agreed and nowhere else`() throws {
        let cold = try row("get-1g-cold").goals.filter { $0.peer == .nginxDirect }
        #expect(cold.map(\.bound.text) == ["≤ 0.4"])
        #expect(Row.all.map(\.goals.count).reduce(0, +) == 24)
        #expect(Row.all.filter { $0.durability == .written }.allSatisfy { $0.goals.isEmpty })
    }

    @Test func `asks each peer only for what it can do`() throws {
        #expect(try row("get-64k").takes(.caddy))
        #expect(try !row("get-64k").takes(.nginxDirect))
        #expect(try row("get-1g-cold").takes(.nginxDirect))
        for name in ["put-4k", "put-1g-written", "mixed-4k", "idle"] {
            #expect(try Side.allCases.filter(row(name).takes) == [.millrace, .nginx], "\(name)")
        }
    }

    @Test func `counts bytes where they weigh, requests elsewhere`() throws {
        #expect(try row("get-64k").unit == .request)
        #expect(try row("get-1m").unit == .gigabyte)
        #expect(try row("get-4k-beside-cold").unit == .gigabyte)
        #expect(try row("put-4k").measuresLatency)
        #expect(try !row("put-1g").measuresLatency)
        #expect(try row("put-4k").scheduledRounds(pairs: 15) == 5)
        #expect(try row("put-4k").scheduledRounds(pairs: 1) == 1)
        #expect(try row("put-1m").scheduledRounds(pairs: 15) == 0)
    }

    @Test func `says how much room it takes, more for more rounds`() throws {
        var options = try Options(["--rows", "put-4k,put-64k", "--peers", "nginx"])
        let needed = options.bytesNeeded
        #expect(needed > 10 << 30)
        options.pairs *= 2
        #expect(options.bytesNeeded > needed)
        // Large uploads are deleted after each round.
        var large = try Options(["--rows", "put-1g-4c", "--peers", "nginx"])
        let forLarge = large.bytesNeeded
        large.pairs *= 2
        #expect(large.bytesNeeded == forLarge)
        #expect(forLarge >= 9 * large.largeCount)
        #expect(try row("put-64k").uploadsPerRound(isQuick: false) == 2_048)
        #expect(try row("put-1g-4c").uploadsPerRound(isQuick: true) == 4)
    }
}
