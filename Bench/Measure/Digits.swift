/// Numbers as a table shows them.
public enum Digits {
    /// `value` with `places` digits after the point, rounded half away from zero.
    public static func fixed(_ value: Double, _ places: Int) -> String {
        precondition((0...9).contains(places))
        guard value.isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded(.toNearestOrAwayFromZero)
        guard scaled < 9e15 else { return "\(value)" }
        let whole = Int(scaled)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        let tail = String(whole % Int(scale))
        let zeros = String(repeating: "0", count: places - tail.utf8.count)
        return "\(sign)\(whole / Int(scale)).\(zeros)\(tail)"
    }

    /// `median [least–greatest]`, each times `scale`.
    public static func summary(_ summary: Summary, scale: Double, _ places: Int) -> String {
        let (low, high) = (summary.least * scale, summary.greatest * scale)
        return fixed(summary.median * scale, places)
            + " [\(fixed(low, places))–\(fixed(high, places))]"
    }

    public static func ratio(_ ratio: RatioEstimate) -> String {
        "\(fixed(ratio.median, 2)) [\(fixed(ratio.low, 2))–\(fixed(ratio.high, 2))]"
    }
}

/// A Markdown table, columns padded so that it reads well as plain text too.
public struct MarkdownTable: Sendable {
    private let columns: [String]
    private var rows: [[String]] = []

    public init(_ columns: [String]) { self.columns = columns }

    public mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell for every column")
        rows.append(cells.map { String($0.flatMap { $0 == "|" ? ["\\", "|"] : [$0] }) })
    }

    public var text: String {
        let widths = columns.indices.map { column in
            ([columns] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) + "|" }.joined() + "\n"
        return line(columns) + rule + rows.map(line).joined()
    }
}
