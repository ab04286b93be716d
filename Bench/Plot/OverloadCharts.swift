// Drawings of an overload run: what is done, how late and how much is refused, over what is asked.

import Foundation

/// Three drawings a row, each with admission and without.
struct OverloadCharts {
    private struct Point {
        let load: Double
        let hasAdmission: Bool
        let goodput: Double
        let p99: Double?
        let refusals: Double
        let refusalP99: Double?
    }

    private let subtitle: String
    private(set) var charts: [RunCharts.Chart] = []
    /// What was not drawn, and why.
    private(set) var notes: [String] = []

    /// Nil if it is the JSON of another run.
    init?(_ json: JSONValue) {
        guard let rows = json["overload"]?.list else { return nil }
        let facts = (json["facts"]?.list ?? []).compactMap(\.text)
        subtitle = facts.filter { $0.hasPrefix("date: ") || $0.hasPrefix("commit: ") }
            .joined(separator: ", ")
        for row in rows { add(row) }
    }

    private mutating func add(_ row: JSONValue) {
        guard let name = row["work"]?["name"]?.text, let capacity = row["capacity"]?.number,
            capacity > 0
        else {
            notes.append("a row without a name or a capacity")
            return
        }
        let points = (row["points"]?.list ?? []).compactMap(OverloadCharts.point)
        add(
            "goodput-\(name)", "Done, \(name)", "of what the server can do", points,
            OverloadCharts.both { $0.goodput / capacity })
        add(
            "p99-\(name)", "How late, \(name)", "ms, p99 from when a request was due", points,
            OverloadCharts.both { $0.p99.map { $0 / 1e6 } }
                + [
                    Line(words: "refusals", number: 2) { point in
                        point.hasAdmission ? point.refusalP99.map { $0 / 1e6 } : nil
                    }
                ])
        add(
            "refusals-\(name)", "Refused, \(name)", "of what the server can do", points,
            [OverloadCharts.both { $0.refusals / capacity }[0]])
    }

    /// One of a drawing: what it shows of a point, if anything.
    private struct Line {
        let words: String
        let number: Int
        let value: (Point) -> Double?
    }

    private static func both(_ value: @escaping (Point) -> Double?) -> [Line] {
        [
            Line(words: "with admission", number: 0) { $0.hasAdmission ? value($0) : nil },
            Line(words: "without", number: 1) { $0.hasAdmission ? nil : value($0) },
        ]
    }

    private static func point(_ json: JSONValue) -> Point? {
        guard let load = json["load"]?.number, let goodput = json["goodput"]?.number,
            let refusals = json["refusals"]?.number
        else { return nil }
        return Point(
            load: load, hasAdmission: json["hasAdmission"] == .flag(true), goodput: goodput,
            p99: json["admitted"]?["p99"]?.number, refusals: refusals,
            refusalP99: json["refused"]?["p99"]?.number)
    }

    private mutating func add(
        _ name: String, _ title: String, _ axis: String, _ points: [Point], _ lines: [Line]
    ) {
        let series = lines.compactMap { line -> LineSeries? in
            let values = points.sorted { $0.load < $1.load }
                .compactMap { point -> LineSeries.Value? in
                    guard let y = line.value(point), y > 0 else { return nil }
                    return LineSeries.Value(x: point.load, y: y)
                }
            return values.isEmpty
                ? nil : LineSeries(name: line.words, number: line.number, values: values)
        }
        let loads = Set(points.map(\.load)).sorted()
        let chart = LineChart(
            title: title, subtitle: subtitle,
            horizontal: "requests that were due, by what the server can do", vertical: axis,
            ticks: loads.map { Tick($0, ["\(Tick.label($0))×"]) }, horizontalKind: .linear,
            series: series)
        if let drawing = chart.drawing {
            charts.append(RunCharts.Chart(name: name, drawing: drawing))
        } else {
            notes.append("\(name): nothing to show")
        }
    }
}
