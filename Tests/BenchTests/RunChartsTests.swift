// Goal:   what a run's JSON holds becomes drawings; what it does not hold is said, never invented.

import BenchMeasure
import Foundation
import Testing

@testable import BenchPlot

private func sample(_ row: Row, _ side: Side, _ pair: Int) -> Sample {
    let bytes = row.size.byteCount(large: 1 << 30)
    var sample = Sample(
        unit: row.unit, side: side, pair: pair, objectCount: 1_000, byteCount: 1_000 * bytes,
        seconds: side == .nginx ? 2 : 1)
    sample.serverCPU = side == .nginx ? 0.5 : 0.25
    return sample
}

private func latencies(_ side: Side) -> LatencySample {
    var histogram = Histogram()
    var random = SplitMix64(seed: 3)
    for _ in 0..<20_000 {
        histogram.add(UInt64.random(in: 10_000...10_000_000, using: &random))
    }
    return LatencySample(side: side, pair: 0, perSecond: 2_500, histogram: histogram)
}

/// As the bench writes it down.
private func json(
    _ names: [String], sides: [Side] = [.millrace, .nginx], of rows: [Row] = Row.all
) throws -> JSONValue {
    var environment = Environment()
    (environment.date, environment.commit) = ("2026-11-24T00:00:00Z", "abc1234")
    var run = RunResult(environment: environment)
    for row in rows where names.contains(row.name) {
        let samples = (0..<3).flatMap { pair in sides.map { sample(row, $0, pair) } }
        run.rows.append(
            RowResult(
                row: row, bytesPerObject: row.size.byteCount(large: 1 << 30), samples: samples,
                latencies: row.measuresLatency ? sides.map(latencies) : [], seed: 1))
    }
    return try JSONValue.read(try JSONEncoder().encode(run))
}

@Suite struct `The drawings of a run` {
    @Test func `are what its rows give`() throws {
        let names = [
            "get-1k", "get-1k-16c", "get-64k", "get-1g", "get-1g-cold", "put-4k", "put-1g",
        ]
        let charts = RunCharts(PlotRun(try json(names)))
        #expect(
            charts.charts.map(\.name) == [
                "throughput-get", "throughput-put-durable", "cpu-request", "cpu-gigabyte",
                "latency-get-1k", "latency-get-1k-16c", "latency-get-64k", "latency-put-4k",
            ])
        #expect(charts.notes.isEmpty)
        for chart in charts.charts {
            #expect(chart.drawing.shapes.contains { $0.names("millrace") }, "\(chart.name)")
            #expect(chart.drawing.shapes.contains { $0.names("nginx") }, "\(chart.name)")
        }
    }

    /// 1,000 objects in a second, and in two.
    @Test func `tell throughput in bytes, also of what is counted per request`() throws {
        let charts = RunCharts(PlotRun(try json(["get-1k", "get-1m"])))
        let run = PlotRun(try json(["get-1k", "get-1m"]))
        #expect(run.rows.map(\.isPerGigabyte) == [false, true])
        #expect(charts.charts.first?.name == "throughput-get")
        let middle = run.rows[1].sides.map { $0.throughput?.middle ?? 0 }
        #expect(abs(middle[0] - 1.048576) < 1e-9 && abs(middle[1] - 0.524288) < 1e-9)
    }

    @Test func `of all rows and servers are small files`() throws {
        let run = PlotRun(try json(Row.all.map(\.name), sides: [.millrace] + Side.peers))
        let charts = RunCharts(run)
        #expect(charts.charts.count > 12)
        for chart in charts.charts {
            #expect(SVG(chart.drawing).text.utf8.count < 100_000, "\(chart.name)")
        }
    }

    @Test func `leave out what is not there, and say so`() throws {
        let charts = RunCharts(PlotRun(try json(["get-1g"])))
        #expect(charts.charts.map(\.name) == ["cpu-gigabyte"])
        #expect(
            charts.notes == [
                "throughput-get: rows of one size only",
                "cpu-request: no row is counted per request",
                "latency: no row has requests on a schedule",
            ])
    }

    @Test(
        arguments: [
            (#"{"rows": [{"row": "get-1k", "millrace": {}}, 7]}"#, ["get-1k", "number 2"]),
            (#"{"rows": [{"row": {"name": "a", "work": "get"}, "sides": []}]}"#, ["a"]),
            ("[]", []), (#"{"rows": null}"#, []),
        ] as [(String, [String])])
    func `of other shapes are none`(text: String, left: [String]) throws {
        let run = PlotRun(try JSONValue.read(Data(text.utf8)))
        #expect(run.rows.isEmpty)
        #expect(
            run.notes
                == left.map { "row \($0) is not written as runs are now and was left out" })
        #expect(RunCharts(run).charts.isEmpty)
    }

    @Test func `take a figure that is not whole for none`() throws {
        let text = """
            {"rows": [{"row": {"name": "a", "work": "get", "unit": "request"}, "sides": [
            {"side": "x", "figures": {"serverCPU": {"median": 2, "least": 3, "greatest": 4},
            "throughput": {"median": 2, "least": 1, "greatest": 4}}},
            {"figures": {}}]}]}
            """
        let run = PlotRun(try JSONValue.read(Data(text.utf8)))
        #expect(run.rows.count == 1 && run.rows[0].sides.count == 1)
        #expect(run.rows[0].sides[0].cpu == nil && run.rows[0].sides[0].throughput?.least == 1)
    }
}

@Suite struct `A drawing of buffers` {
    private func charts(_ rows: [Row]) throws -> RunCharts {
        RunCharts(PlotRun(try json(rows.map(\.name), sides: [.millrace, .reduced], of: rows)))
    }

    private func markers(_ drawing: Drawing, of series: Int) -> [Point] {
        drawing.shapes.compactMap {
            if case .marker(let point, series) = $0 { point } else { nil }
        }
    }

    @Test func `is there for each kind of work, over all their sizes, beside adaptive ones`() throws
    {
        let charts = try charts(Options(["--buffers"]).rows)
        // The smallest buffers come first, and are there for uploads only.
        let names = ["put-1m", "put-1g", "put-1g-4c", "get-1g", "get-1g-16c"]
        let expected = ["cpu-gigabyte"] + names.map { "cpu-buffers-\($0)" }
        #expect(charts.charts.map(\.name) == expected)
        let upload = charts.charts.first { $0.name == "cpu-buffers-put-1g-4c" }
        let drawing = try #require(upload).drawing
        for text in ["32 KiB", "256 KiB", "1 MiB", "adaptive", "of one size"] {
            #expect(drawing.shapes.contains { $0.names(text) }, "\(text)")
        }
        #expect(drawing.shapes.contains { $0.names("CPU per gigabyte over buffers, put-1g-4c") })
        // Each in the legend, then at six sizes, evenly apart.
        let (adaptive, fixed) = (markers(drawing, of: 0), markers(drawing, of: 1))
        #expect(adaptive.count == 7 && fixed.count == 7)
        let steps = zip(fixed.dropFirst(), fixed.dropFirst(2)).map { $1.x - $0.x }
        let areEven = steps.allSatisfy { $0 > 0 && abs($0 - steps[0]) < 1e-9 }
        #expect(areEven)
        #expect(adaptive.dropFirst().map(\.x) == fixed.dropFirst().map(\.x))
        let download = try #require(charts.charts.first { $0.name == "cpu-buffers-get-1g" })
        #expect(!download.drawing.shapes.contains { $0.names("32 KiB") })
    }

    @Test func `is none for one size, or without figures, and that is said`() throws {
        let rows = try Options(["--buffers", "--rows", "put-1g"]).rows
        let one = try charts(Array(rows.prefix(1)))
        #expect(one.charts.map(\.name) == ["cpu-gigabyte"])
        #expect(one.notes.contains("cpu-buffers-put-1g: no figures, or of one size only"))
        #expect(try charts(rows).charts.count == 2)
    }

    @Test func `takes a size that is none for none`() throws {
        let text = """
            {"rows": [{"row": {"name": "a", "work": "get", "unit": "gigabyte", "bufferBytes": 0},
            "sides": [{"side": "x", "figures": {}}]}]}
            """
        let run = PlotRun(try JSONValue.read(Data(text.utf8)))
        #expect(run.rows.map(\.bufferBytes) == [nil] && run.rows[0].base == "a")
    }
}

@Suite struct `A drawing of percentiles` {
    @Test func `goes one further for each nine`() {
        let buckets = [(1_000.0, 90.0), (2_000, 9), (3_000, 0), (9_000, 1)].map {
            PlotRun.Bucket(upTo: $0.0, count: $0.1)
        }
        let values = RunCharts.percentiles(buckets)
        #expect(values.map(\.y) == [1, 2, 9])
        #expect(abs(values[0].x - 1) < 1e-9 && abs(values[1].x - 2) < 1e-9)
        #expect(abs(values[2].x - 2.301) < 1e-3, "the slowest: half a request is slower")
        #expect(RunCharts.percentiles([]).isEmpty)
    }

    @Test func `names them as far as it goes`() {
        let labels = RunCharts.percentileTicks(3.3).flatMap(\.lines)
        #expect(labels == ["0", "50", "90", "99", "99.9", "99.99"])
    }
}

@Suite struct `Numbers on an axis` {
    @Test(arguments: [
        (1.0, "1"), (0.05, "0.05"), (1_000, "1k"), (20_000, "20k"), (2_500, "2.5k"),
        (5e6, "5M"), (0, "0"), (1e9, "1G"),
    ])
    func `are short`(value: Double, text: String) {
        #expect(Tick.label(value) == text)
    }

    @Test func `of sizes are in powers of 1024`() {
        #expect(RunCharts.size(1_024) == "1 KiB" && RunCharts.size(1_073_741_824) == "1 GiB")
        #expect(RunCharts.size(65_536) == "64 KiB" && RunCharts.size(100) == "100 bytes")
    }
}

@Suite struct `The command plot` {
    @Test func `draws beside the run, unless it is told where`() throws {
        let request = try PlotCommand.parse(["a/run.json"])
        #expect(request.run == "a/run.json" && request.directory == nil)
        #expect(PlotCommand.directory(of: "a/run.json") == "a/run")
        #expect(try PlotCommand.parse(["r", "--output", "o"]).directory == "o")
        #expect(try PlotCommand.parse(["--help"]).wantsHelp)
    }

    @Test(arguments: [
        ([], "which run?"), (["a", "b"], "what is b?"), (["--fast"], "what is --fast?"),
        (["a", "--output"], "--output needs a value"),
    ])
    func `names what is wrong`(arguments: [String], complaint: String) {
        let mistake = #expect(throws: PlotCommand.Mistake.self) {
            try PlotCommand.parse(arguments)
        }
        #expect(mistake?.text.contains(complaint) == true)
    }

    @Test func `writes a file for each drawing, and none for a run without any`() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/plot-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let empty = directory + "/empty.json"
        try "{}".write(toFile: empty, atomically: true, encoding: .utf8)
        #expect(try PlotCommand.draw(empty, into: directory + "/none") == 0)
        #expect(!FileManager.default.fileExists(atPath: directory + "/none"))
        let run = directory + "/run.json"
        try #"""
        {"rows": [{"row": {"name": "a", "work": "get", "unit": "request"}, "sides": [
        {"side": "x", "figures": {"serverCPU": {"median": 3, "least": 3, "greatest": 4}}}]}]}
        """#.write(toFile: run, atomically: true, encoding: .utf8)
        #expect(PlotCommand.run([run]) == 0)
        let drawn = try FileManager.default.contentsOfDirectory(atPath: directory + "/run")
        #expect(drawn == ["cpu-request.svg"])
        #expect(PlotCommand.run([directory + "/nothing.json"]) == 1)
        #expect(PlotCommand.run([]) == 2)
    }
}

extension Drawing.Shape {
    fileprivate func names(_ name: String) -> Bool {
        if case .text(name, _, _, _, _, _) = self { true } else { false }
    }
}
