/// A run as the Markdown that goes under perf/runs.
public struct RunText {
    private let result: RunResult

    public init(_ result: RunResult) { self.result = result }

    public var markdown: String {
        var parts = ["# Bench, \(result.environment.date)\n"]
        parts.append(result.environment.lines.map { "- \($0)\n" }.joined())
        if !result.warnings.isEmpty {
            parts.append("**Read this first**\n\n" + result.warnings.map { "- \($0)\n" }.joined())
        }
        if !result.rows.isEmpty {
            parts.append(figures)
            if result.rows.contains(where: { $0.comparison != nil }) { parts.append(goals) }
        }
        if !result.idle.isEmpty { parts.append(idle) }
        return parts.joined(separator: "\n")
    }

    /// Medians with the least and the greatest round.
    private var figures: String {
        var table = MarkdownTable([
            "work", "server", "server CPU", "server + syncing threads", "throughput",
            "server's CPU in use",
        ])
        for row in result.rows {
            for (side, figures) in [(Side.millrace, row.millrace), (.nginx, row.nginx)] {
                guard let figures else { continue }
                table.add(RunText.cells(row.row, side, figures))
            }
        }
        return "Medians [least–greatest] of the rounds.\n\n" + table.text
    }

    private static func cells(_ row: Row, _ side: Side, _ figures: RowResult.Figures) -> [String] {
        let isLarge = row.unit == .gigabyte
        let (cpuScale, cpuUnit) = isLarge ? (1.0, "s/GB") : (1e6, "µs/request")
        let (rateScale, rateUnit) = isLarge ? (1.0, "GB/s") : (1e-3, "k/s")
        let places = isLarge ? 3 : 2
        func cpu(_ summary: Summary) -> String {
            Digits.summary(summary, scale: cpuScale, places) + " " + cpuUnit
        }
        return [
            row.rawValue, side.rawValue, cpu(figures.serverCPU),
            figures.serverAndFlushCPU == figures.serverCPU
                ? "the same" : cpu(figures.serverAndFlushCPU),
            Digits.summary(figures.throughput, scale: rateScale, 2) + " " + rateUnit,
            Digits.summary(figures.serverUse, scale: 100, 0) + " %",
        ]
    }

    private var goals: String {
        var table = MarkdownTable([
            "work", "Millrace ÷ nginx", "median of pairs [95 % interval]", "must", "verdict",
        ])
        for row in result.rows {
            guard let both = row.comparison else { continue }
            table.add([
                row.row.rawValue, "server CPU", Digits.ratio(both.cpuRatio),
                row.row.cpuGoal?.text ?? "", both.cpuVerdict?.rawValue ?? "",
            ])
            table.add([
                "", "throughput", Digits.ratio(both.throughputRatio),
                row.row.throughputGoal?.text ?? "", both.throughputVerdict?.rawValue ?? "",
            ])
        }
        return table.text
    }

    private var idle: String {
        var table = MarkdownTable([
            "idle keep-alive connections", "connections", "bytes a connection", "before: private",
            "before: resident", "must", "verdict",
        ])
        for idle in result.idle {
            table.add([
                idle.side.rawValue, "\(idle.connectionCount)",
                Digits.fixed(idle.bytesPerConnection, 0),
                Digits.fixed(Double(idle.bytesBefore) / 1e6, 1) + " MB",
                Digits.fixed(Double(idle.residentBefore) / 1e6, 1) + " MB",
                idle.side == .millrace ? "≤ \(Int(Row.idleBytesGoal))" : "",
                idle.verdict?.rawValue ?? "",
            ])
        }
        return table.text
    }
}
