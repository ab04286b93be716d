// A figure of many rows and servers: a mark with its span each.

/// What one server reached in one row.
struct IntervalValue: Equatable {
    let name: String
    /// The number of its colour and form.
    let number: Int
    let middle: Double
    let span: ClosedRange<Double>
}

/// Rows one below the other, in each a line of its own for each server.
struct IntervalChart {
    struct Row: Equatable {
        let name: String
        let values: [IntervalValue]
    }

    let title: String
    let subtitle: String
    /// What the axis shows, with its unit.
    let axis: String
    let rows: [Row]

    private static let lineHeight = 15.0
    private static let rowGap = 12.0
    private static let axisHeight = 52.0

    /// Nil if there is nothing that has a place on it.
    var drawing: Drawing? {
        let values = rows.flatMap(\.values)
        let heights = rows.map { IntervalChart.height(of: $0) }
        var frame = Frame(
            title: title, subtitle: subtitle, legend: IntervalChart.legend(of: values),
            heightBelow: heights.reduce(0, +) + IntervalChart.axisHeight)
        let bottom = frame.top + heights.reduce(0, +)
        let left = 28 + (rows.map { Drawing.width(of: $0.name) }.max() ?? 0)
        let spans = values.flatMap { [$0.span.lowerBound, $0.middle, $0.span.upperBound] }
        guard let scale = Scale(covering: spans, at: left + 10, Frame.right - 10) else {
            return nil
        }
        for tick in Tick.of(scale) {
            let place = scale.place(tick.value)
            frame.drawing.add(.line(Point(place, frame.top), Point(place, bottom), .grid))
            frame.drawing.add(.text(tick.lines[0], Point(place, bottom + 18), .middle, .faint))
        }
        var top = frame.top
        for (row, height) in zip(rows, heights) {
            frame.drawing.add(.line(Point(16, top), Point(Frame.right, top), .grid))
            let base = top + height / 2 + 4
            frame.drawing.add(.text(row.name, Point(left - 8, base), .end, .text))
            draw(row.values, scale, from: top, on: &frame.drawing)
            top += height
        }
        frame.drawing.add(.line(Point(16, bottom), Point(Frame.right, bottom), .grid))
        frame.drawing.add(
            .text(axis, Point((left + Frame.right) / 2, bottom + 40), .middle, .text))
        return frame.drawing
    }

    private func draw(
        _ values: [IntervalValue], _ scale: Scale, from top: Double, on drawing: inout Drawing
    ) {
        var y = top + (IntervalChart.rowGap + IntervalChart.lineHeight) / 2
        for value in values {
            if scale.holds(value.middle) {
                let low = max(value.span.lowerBound, scale.low)
                drawing.add(
                    .line(
                        Point(scale.place(low), y),
                        Point(scale.place(value.span.upperBound), y), .series(value.number)))
                drawing.add(.marker(Point(scale.place(value.middle), y), series: value.number))
            }
            y += IntervalChart.lineHeight
        }
    }

    private static func height(of row: Row) -> Double {
        Double(max(1, row.values.count)) * lineHeight + rowGap
    }

    /// Each server once, in the order of their numbers.
    private static func legend(of values: [IntervalValue]) -> [Legend.Entry] {
        var entries: [Legend.Entry] = []
        for value in values where !entries.contains(where: { $0.series == value.number }) {
            entries.append(Legend.Entry(name: value.name, series: value.number))
        }
        return entries.sorted { $0.series < $1.series }
    }
}
