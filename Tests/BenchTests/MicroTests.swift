// Goal:   a run of microbenches does what it was told, and says what it found.

import BenchMeasure
import Testing

@Suite struct `The options of micro` {
    @Test func `without arguments are a whole run, which is written down`() throws {
        let options = try MicroOptions([])
        #expect(options == MicroOptions())
        #expect(options.directory == "perf/runs")
    }

    @Test func `take every value`() throws {
        let options = try MicroOptions([
            "--filter", "head", "--quick", "--check", "--list", "--iterations", "7", "--output",
            "o", "--data", "d", "--cpu", "3", "--help",
        ])
        #expect(options.filter == "head" && options.isQuick && options.checks && options.lists)
        #expect(options.iterations == 7 && options.output == "o" && options.data == "d")
        #expect(options.cpu == 3 && options.wantsHelp)
    }

    @Test(
        arguments: [
            (["--quick"], nil), (["--filter", "a"], nil), (["--quick", "--output", "o"], "o"),
            (["--filter", "a", "--output", "o"], "o"), (["--check", "--output", "o"], nil),
            (["--filter", "a", "--iterations", "1", "--output", "o"], nil),
        ] as [([String], String?)])
    func `write down what is complete, or what a place was named for`(
        arguments: [String], directory: String?
    ) throws {
        #expect(try MicroOptions(arguments).directory == directory)
    }

    @Test(arguments: [
        (["--filter"], "--filter needs a value"),
        (["--speed", "9"], "there is no option --speed"),
        (["fast"], "what is fast?"),
        (["--cpu", "x"], "--cpu is a number from 0"),
        (["--filter", "a", "--iterations", "0"], "--iterations is a number from 1"),
        (["--iterations", "5"], "say which with --filter"),
    ])
    func `name what is wrong`(arguments: [String], complaint: String) {
        let mistake = #expect(throws: Options.Mistake.self) { try MicroOptions(arguments) }
        #expect(mistake?.description.contains(complaint) == true)
    }
}

@Suite struct `A microbench's result` {
    private func result(_ count: UInt64) -> MicroResult {
        MicroResult(name: "a", what: "b", allocationCount: count, countedIterations: 1_000)
    }

    @Test func `is objected to above its limit, or without one`() {
        #expect(result(0).objection(limit: 0) == nil)
        #expect(result(10_000).objection(limit: 10) == nil)
        #expect(result(9_999).objection(limit: 10) == nil)
        let one = "a: 0.001 allocations an iteration, 0.000 allowed"
        #expect(result(1).objection(limit: 0) == one)
        #expect(result(10_001).objection(limit: 10) != nil)
        #expect(result(0).objection(limit: nil)?.contains("no limit") == true)
    }

    @Test func `is a line of the table`() {
        var timed = result(2_000)
        timed.samples = [12.04, 11, 250]
        let run = MicroRun(facts: ["commit: 1234567"], results: [timed, result(1)])
        let lines = run.markdown.split(separator: "\n")
        #expect(lines.contains("- commit: 1234567"))
        #expect(lines.contains { $0.contains("| 12.0 [11.0–250.0] | 2 ") })
        #expect(lines.contains { $0.contains("| – ") && $0.contains("| 0.001 ") })
    }
}
