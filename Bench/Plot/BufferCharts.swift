// CPU over the size of buffers: adaptive ones beside those of one size.

import BenchMeasure

extension RunCharts {
    /// A drawing for each kind of work that was done with buffers of several sizes.
    mutating func addBuffers() {
        let rows = run.rows.filter { $0.bufferBytes != nil && $0.isPerGigabyte }
        var bases: [String] = []
        for row in rows where !bases.contains(row.base) { bases.append(row.base) }
        for base in bases {
            let sizes = rows.filter { $0.base == base }
                .sorted { ($0.bufferBytes ?? 0) < ($1.bufferBytes ?? 0) }
            let name = "cpu-buffers-\(base)"
            add(
                name, buffers(base, sizes).drawing,
                elseSay: "\(name): no figures, or of one size only")
        }
    }

    private func buffers(_ base: String, _ rows: [PlotRun.Row]) -> LineChart {
        LineChart(
            title: "CPU per gigabyte over buffers, \(base)",
            subtitle: subtitle + "; medians with the least and the greatest round",
            horizontal:
                "size of all buffers that do not adapt, in the same rounds as those that do",
            vertical: "ms of CPU per GB (10⁹ bytes)",
            ticks: rows.compactMap { row in
                row.bufferBytes.map { Tick($0, [RunCharts.size($0)]) }
            }, horizontalKind: .logarithmic,
            series: [
                buffers(of: .millrace, called: "adaptive", rows),
                buffers(of: .reduced, called: "of one size", rows),
            ])
    }

    private func buffers(
        of side: Side, called name: String, _ rows: [PlotRun.Row]
    ) -> LineSeries {
        LineSeries(
            name: name, number: run.number(of: side.rawValue),
            values: rows.compactMap { RunCharts.milliseconds(of: side, in: $0) })
    }

    private static func milliseconds(of side: Side, in row: PlotRun.Row) -> LineSeries.Value? {
        guard let bytes = row.bufferBytes,
            let cpu = row.sides.first(where: { $0.name == side.rawValue })?.cpu
        else { return nil }
        return LineSeries.Value(
            x: bytes, y: cpu.middle * 1e3, span: cpu.least * 1e3...cpu.greatest * 1e3)
    }
}
