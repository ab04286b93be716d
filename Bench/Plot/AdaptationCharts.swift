// How near planned chunks come to the best ones, and what was advised along a link that changes.

import BenchMeasure

/// A table of shares as coloured fields, one panel beside the other.
public struct HeatMap: Sendable {
    public struct Panel: Sendable {
        public let title: String
        /// Row by row; 0 is as good as the best, 0.1 ten percent worse.
        public let shares: [[Double]]

        public init(title: String, shares: [[Double]]) {
            (self.title, self.shares) = (title, shares)
        }
    }

    private let title: String
    private let subtitle: String
    private let columns: [String]
    private let rows: [String]
    private let panels: [Panel]
    /// A field of this share has its full colour.
    private static let shareMax = 0.1
    private static let (left, cellWidth, cellHeight) = (100.0, 56.0, 26.0)
    private static let panelGap = 58.0

    public init(
        title: String, subtitle: String, columns: [String], rows: [String], panels: [Panel]
    ) {
        (self.title, self.subtitle, self.columns) = (title, subtitle, columns)
        (self.rows, self.panels) = (rows, panels)
    }

    /// Two panels beside each other, then the next two.
    public var svg: String {
        let panelHeight = Double(rows.count) * HeatMap.cellHeight + HeatMap.panelGap
        let lines = Double((panels.count + 1) / 2)
        var frame = Frame(
            title: title, subtitle: subtitle, legend: [], heightBelow: lines * panelHeight + 24)
        for (index, panel) in panels.enumerated() {
            let width = HeatMap.cellWidth * Double(columns.count) + 50
            let corner = Point(
                HeatMap.left + Double(index % 2) * width,
                frame.top + Double(index / 2) * panelHeight + 24)
            draw(panel, at: corner, isFirst: index % 2 == 0, on: &frame.drawing)
        }
        return SVG(frame.drawing).text
    }

    private func draw(
        _ panel: Panel, at corner: Point, isFirst: Bool, on drawing: inout Drawing
    ) {
        drawing.add(.text(panel.title, Point(corner.x, corner.y - 8), .start, .text))
        for (row, shares) in panel.shares.enumerated() {
            let top = corner.y + Double(row) * HeatMap.cellHeight
            if isFirst {
                drawing.add(.text(rows[row], Point(corner.x - 8, top + 18), .end, .faint))
            }
            for (column, share) in shares.enumerated() {
                let from = Point(corner.x + Double(column) * HeatMap.cellWidth, top)
                let to = Point(
                    from.x + HeatMap.cellWidth - 2, from.y + HeatMap.cellHeight - 2)
                let strength = 0.08 + 0.72 * min(max(share / HeatMap.shareMax, 0), 1)
                drawing.add(.patch(from, to, series: 1, strength: strength))
                let text = (share >= 0 ? "+" : "") + Digits.fixed(share * 100, 1)
                drawing.add(
                    .text(text, Point((from.x + to.x) / 2, top + 17), .middle, .text))
            }
        }
        let base = corner.y + Double(panel.shares.count) * HeatMap.cellHeight + 14
        for (column, label) in columns.enumerated() {
            let x = corner.x + (Double(column) + 0.5) * HeatMap.cellWidth - 1
            drawing.add(.text(label, Point(x, base), .middle, .faint))
        }
    }
}

/// What one upload over a changing link met and was told.
public struct LinkTimeline: Sendable {
    public struct Moment: Sendable {
        public let seconds: Double
        public let megabytesPerSecond: Double
        public let estimated: Double?
        public let chunkMegabytes: Double
        public let failed: Bool

        public init(
            seconds: Double, megabytesPerSecond: Double, estimated: Double?,
            chunkMegabytes: Double, failed: Bool
        ) {
            (self.seconds, self.megabytesPerSecond) = (seconds, megabytesPerSecond)
            (self.estimated, self.chunkMegabytes) = (estimated, chunkMegabytes)
            self.failed = failed
        }
    }

    private let title: String
    private let subtitle: String
    private let moments: [Moment]

    public init(title: String, subtitle: String, moments: [Moment]) {
        (self.title, self.subtitle, self.moments) = (title, subtitle, moments)
    }

    /// Nil if there is nothing to draw.
    public var svg: String? {
        let end = max(moments.last?.seconds ?? 0, 1)
        let step = max((end / 8 / 60).rounded(.up) * 60, 60)
        let ticks = stride(from: 0, through: end, by: step).map {
            Tick($0, ["\(Int($0 / 60)) min"])
        }
        let floor =
            moments.flatMap { [$0.megabytesPerSecond, $0.chunkMegabytes] }
            .filter { $0 > 0 }.min() ?? 1
        func line(_ name: String, _ number: Int, _ value: (Moment) -> Double?) -> LineSeries {
            LineSeries(
                name: name, number: number,
                values: moments.compactMap { moment in
                    value(moment).map { LineSeries.Value(x: moment.seconds, y: $0) }
                }, isMarked: false)
        }
        var failures = line("the chunk failed", 3) { $0.failed ? floor * 0.8 : nil }
        (failures.isMarked, failures.isJoined) = (true, false)
        let chart = LineChart(
            title: title, subtitle: subtitle, horizontal: "time",
            vertical: "MB (10⁶ bytes) a second; MB a chunk", ticks: ticks + [Tick(end, [""])],
            horizontalKind: .linear,
            series: [
                line("link, MB/s", 0) { $0.megabytesPerSecond },
                line("estimated, MB/s", 5) { $0.estimated },
                line("advised chunk, MB", 1) { $0.chunkMegabytes }, failures,
            ])
        return chart.drawing.map { SVG($0).text }
    }
}
