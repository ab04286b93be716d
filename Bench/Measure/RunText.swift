/// A run as the Markdown that goes under perf/runs.
public struct RunText {
    private let result: RunResult

    public init(_ result: RunResult) { self.result = result }

    public var markdown: String {
        var parts = ["# Bench, \(result.environment.date)\n"]
        parts.append(result.environment.lines.map { "- \($0)\n" }.joined())
        let cautions = result.skipped + result.warnings
        if !cautions.isEmpty {
            parts.append("**Read this first**\n\n" + cautions.map { "- \($0)\n" }.joined())
        }
        parts += RunText.tables(of: result.rows)
        parts += RunText.tables(of: result.readings)
        if !result.idle.isEmpty { parts.append(idle) }
        return parts.joined(separator: "\n")
    }

    /// What is to be seen of one row when it is through.
    public static func tables(of rows: [RowResult]) -> [String] {
        guard !rows.isEmpty else { return [] }
        var parts = [figures(of: rows)]
        if rows.contains(where: { !$0.ratios.isEmpty }) { parts.append(ratios(of: rows)) }
        if rows.contains(where: { $0.sides.contains { $0.latency != nil } }) {
            parts.append(latencies(of: rows))
        }
        return parts
    }

    /// Medians with the least and the greatest round.
    private static func figures(of rows: [RowResult]) -> String {
        var table = MarkdownTable([
            "work", "server", "server CPU", "server + syncing threads", "throughput",
            "server's CPU in use",
        ])
        for row in rows {
            for side in row.sides { table.add(cells(row.row, side.side, side.figures)) }
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
            row.name, side.rawValue, cpu(figures.serverCPU),
            figures.serverAndFlushCPU == figures.serverCPU
                ? "the same" : cpu(figures.serverAndFlushCPU),
            Digits.summary(figures.throughput, scale: rateScale, 2) + " " + rateUnit,
            Digits.summary(figures.serverUse, scale: 100, 0) + " %",
        ]
    }

    private static func ratios(of rows: [RowResult]) -> String {
        var table = MarkdownTable([
            "work", "Millrace ÷", "figure", "median of pairs [95 % interval]", "must", "verdict",
        ])
        for row in rows {
            for ratio in row.ratios {
                table.add([
                    row.row.name, ratio.peer.rawValue, ratio.figure.rawValue,
                    Digits.ratio(ratio.ratio), ratio.goal?.text ?? "",
                    ratio.verdict?.rawValue ?? "",
                ])
            }
        }
        return table.text
    }

    private static func latencies(of rows: [RowResult]) -> String {
        var table = MarkdownTable([
            "work", "server", "requests due", "server CPU", "p50", "p90", "p99", "p99.9", "max",
        ])
        for row in rows {
            for side in row.sides {
                guard let latency = side.latency else { continue }
                let all = latency.all
                table.add(
                    [
                        row.row.name, side.side.rawValue,
                        Digits.fixed(latency.perSecond / 1e3, 2) + " k/s",
                        latency.serverCPU.map {
                            Digits.summary($0, scale: 1e6, 2) + " µs/request"
                        } ?? "",
                    ]
                        + [all.p50, all.p90, all.p99, all.p999, all.max].map {
                            Digits.fixed(Double($0) / 1e3, 0)
                        })
            }
        }
        return "Latencies in µs, from when a request was due, over all rounds.\n\n" + table.text
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
