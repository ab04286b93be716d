// Which drawings a run gives.

import BenchMeasure
import Foundation

/// A run's drawings, each with a name for its file.
public struct RunCharts {
    public struct Chart: Equatable, Sendable {
        /// Without extension.
        public let name: String
        public let drawing: Drawing
    }

    let run: PlotRun
    public private(set) var charts: [Chart] = []
    /// What was not drawn, and why.
    public private(set) var notes: [String] = []

    public init(_ run: PlotRun) {
        self.run = run
        notes = run.notes
        addThroughputs()
        addCPU()
        addBuffers()
        addLatencies()
    }

    var subtitle: String {
        [run.date, run.commit.isEmpty ? "" : "commit \(run.commit)"].filter { !$0.isEmpty }
            .joined(separator: ", ")
    }

    mutating func add(_ name: String, _ drawing: Drawing?, elseSay note: String) {
        if let drawing {
            charts.append(Chart(name: name, drawing: drawing))
        } else {
            notes.append(note)
        }
    }

    // MARK: Throughput over size

    /// A drawing for each kind of row that has several sizes.
    private mutating func addThroughputs() {
        var kinds: [String] = []
        for row in run.rows where ["get", "put"].contains(row.kind.prefix { $0 != "," }) {
            // What is told apart by its buffers has drawings of its own.
            guard row.kind != "get, cold", row.bufferBytes == nil else { continue }
            if !kinds.contains(row.kind) { kinds.append(row.kind) }
        }
        for kind in kinds {
            let rows = RunCharts.firstOfEachSize(run.rows.filter { $0.kind == kind })
            let name = "throughput-" + kind.replacing(", ", with: "-").replacing(" ", with: "-")
            guard rows.count > 1 else {
                notes.append("\(name): rows of one size only")
                continue
            }
            add(name, throughput(kind, rows).drawing, elseSay: "\(name): no figures")
        }
    }

    /// Other rows of a size differ in their connections; by size.
    private static func firstOfEachSize(_ rows: [PlotRun.Row]) -> [PlotRun.Row] {
        var first: [PlotRun.Row] = []
        for row in rows where row.bytesPerObject != nil {
            if !first.contains(where: { $0.bytesPerObject == row.bytesPerObject }) {
                first.append(row)
            }
        }
        return first.sorted { ($0.bytesPerObject ?? 0) < ($1.bytesPerObject ?? 0) }
    }

    private func throughput(_ kind: String, _ rows: [PlotRun.Row]) -> LineChart {
        LineChart(
            title: "Throughput, \(kind == "get" ? "get, cached" : kind)",
            subtitle: subtitle + "; medians with the least and the greatest round",
            horizontal: "size of an object; connections below",
            vertical: "MB/s (10⁶ bytes a second)",
            ticks: rows.map { row in
                Tick(
                    row.bytesPerObject ?? 1,
                    [RunCharts.size(row.bytesPerObject ?? 0)]
                        + (row.connections.map { ["\($0) conn."] } ?? []))
            }, horizontalKind: .logarithmic,
            series: run.sideNames.compactMap { name in
                let values = rows.compactMap { RunCharts.megabytes(of: name, in: $0) }
                guard !values.isEmpty else { return nil }
                return LineSeries(name: name, number: run.number(of: name), values: values)
            })
    }

    private static func megabytes(of name: String, in row: PlotRun.Row) -> LineSeries.Value? {
        guard let bytes = row.bytesPerObject,
            let span = row.sides.first(where: { $0.name == name })?.throughput
        else { return nil }
        let scale = row.isPerGigabyte ? 1e3 : bytes / 1e6
        return LineSeries.Value(
            x: bytes, y: span.middle * scale, span: span.least * scale...span.greatest * scale)
    }

    static func size(_ bytes: Double) -> String {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")]
        let (unit, name) = units.first { bytes >= Double($0.0) } ?? (1, "bytes")
        return "\(Tick.label(bytes / Double(unit))) \(name)"
    }

    // MARK: CPU

    private mutating func addCPU() {
        add(
            "cpu-request", cpu("CPU per request", "µs of CPU per request", 1e6, large: false),
            elseSay: "cpu-request: no row is counted per request")
        add(
            "cpu-gigabyte",
            cpu("CPU per gigabyte", "ms of CPU per GB (10⁹ bytes)", 1e3, large: true),
            elseSay: "cpu-gigabyte: no row is counted per GB")
    }

    private func cpu(_ title: String, _ axis: String, _ scale: Double, large: Bool) -> Drawing? {
        let rows = run.rows.filter { $0.isPerGigabyte == large }.map { row in
            IntervalChart.Row(
                name: row.name,
                values: row.sides.compactMap { side in
                    side.cpu.map {
                        IntervalValue(
                            name: side.name, number: run.number(of: side.name),
                            middle: $0.middle * scale,
                            span: $0.least * scale...$0.greatest * scale)
                    }
                })
        }
        return IntervalChart(
            title: "\(title), servers alone",
            subtitle: subtitle + "; medians with the least and the greatest round", axis: axis,
            rows: rows.filter { !$0.values.isEmpty }
        ).drawing
    }

    // MARK: Latencies

    private mutating func addLatencies() {
        let rows = run.rows.filter { $0.sides.contains { !$0.latencies.isEmpty } }
        if rows.isEmpty { notes.append("latency: no row has requests on a schedule") }
        for row in rows {
            add(
                "latency-\(row.name)", latency(row).drawing,
                elseSay: "latency-\(row.name): nothing was counted")
        }
    }

    private func latency(_ row: PlotRun.Row) -> LineChart {
        let series = row.sides.filter { !$0.latencies.isEmpty }.map { side in
            LineSeries(
                name: side.name, number: run.number(of: side.name),
                values: RunCharts.percentiles(side.latencies), isMarked: false)
        }
        let last = series.flatMap(\.values).map(\.x).max() ?? 1
        let rate = row.sides.compactMap(\.requestsDue).first.map {
            "; \(Tick.label($0.rounded())) requests a second were due"
        }
        return LineChart(
            title: "Latency, \(row.name)", subtitle: subtitle + (rate ?? ""),
            horizontal: "percentile; the last point is the slowest request",
            vertical: "µs from when a request was due", ticks: RunCharts.percentileTicks(last),
            horizontalKind: .linear, series: series)
    }

    /// Where a percentile lies: one to the right for each nine more. The slowest of all has no
    /// share that is slower; it stands where half a request would be.
    static func percentiles(_ buckets: [PlotRun.Bucket]) -> [LineSeries.Value] {
        let total = buckets.map(\.count).reduce(0, +)
        guard total > 0 else { return [] }
        var seen = 0.0
        return buckets.sorted { $0.upTo < $1.upTo }.compactMap { bucket in
            guard bucket.count > 0 else { return nil }
            seen += bucket.count
            return LineSeries.Value(
                x: log10(total / max(0.5, total - seen)), y: bucket.upTo / 1e3)
        }
    }

    /// 0, 50, 90, 99, 99.9 and on, as far as `last` and one more.
    static func percentileTicks(_ last: Double) -> [Tick] {
        let end = max(1, Int(last.rounded(.up)))
        return [Tick(0, ["0"]), Tick(log10(2), ["50"])]
            + (1...end).map { nines in
                let digits = String(repeating: "9", count: nines)
                let text = nines > 2 ? "99." + digits.dropFirst(2) : nines == 1 ? "90" : digits
                return Tick(Double(nines), [text])
            }
    }
}
