// Values that depend on others: a line a server.

/// One server's points, from left to right.
struct LineSeries: Equatable {
    struct Value: Equatable {
        let x: Double
        let y: Double
        /// How far it went down and up; nil if that is not known or too much to draw.
        var span: ClosedRange<Double>?
    }

    let name: String
    /// The number of its colour and form.
    let number: Int
    let values: [Value]
    /// Whether each value is marked: no if they are many.
    var isMarked = true
    /// Whether a line leads from one value to the next.
    var isJoined = true
}

/// Lines over an axis to the right and an axis upwards.
struct LineChart {
    let title: String
    let subtitle: String
    /// What an axis shows, with its unit.
    let horizontal: String
    let vertical: String
    /// The values of the horizontal axis that are named; at least two.
    let ticks: [Tick]
    let horizontalKind: Scale.Kind
    let series: [LineSeries]

    private static let left = 76.0
    private static let plotHeight = 320.0
    private static let lineHeight = 16.0
    /// Points nearer than this are one.
    private static let thinnest = 1.5

    /// Nil if there is nothing that has a place on it.
    var drawing: Drawing? {
        // The value too: of a span that reaches 0 only its upper end has a place.
        let spans = series.flatMap(\.values).flatMap { value in
            [value.y] + (value.span.map { [$0.lowerBound, $0.upperBound] } ?? [])
        }
        guard let first = ticks.first, let last = ticks.last, first.value < last.value else {
            return nil
        }
        let tickLines = ticks.map(\.lines.count).max() ?? 1
        let below = LineChart.plotHeight + Double(tickLines) * LineChart.lineHeight + 40
        var frame = Frame(
            title: title, subtitle: subtitle,
            legend: series.map { Legend.Entry(name: $0.name, series: $0.number) },
            heightBelow: below)
        let bottom = frame.top + LineChart.plotHeight
        guard let y = Scale(covering: spans, at: bottom, frame.top) else {
            return nil
        }
        let inset = 16.0
        let x = Scale(
            horizontalKind, from: first.value, to: last.value, at: LineChart.left + inset,
            Frame.right - inset)
        drawAxes(x, y, bottom: bottom, tickLines: tickLines, on: &frame.drawing)
        for line in series { draw(line, x, y, on: &frame.drawing) }
        return frame.drawing
    }

    private func drawAxes(
        _ x: Scale, _ y: Scale, bottom: Double, tickLines: Int, on drawing: inout Drawing
    ) {
        for tick in Tick.of(y) {
            let place = y.place(tick.value)
            drawing.add(.line(Point(LineChart.left, place), Point(Frame.right, place), .grid))
            drawing.add(
                .text(tick.lines[0], Point(LineChart.left - 6, place + 4), .end, .faint))
        }
        for tick in ticks {
            let place = x.place(tick.value)
            drawing.add(.line(Point(place, y.end), Point(place, bottom), .grid))
            for (number, line) in tick.lines.enumerated() {
                let base = bottom + Double(number + 1) * LineChart.lineHeight + 2
                drawing.add(.text(line, Point(place, base), .middle, .faint))
            }
        }
        let middle = (LineChart.left + Frame.right) / 2
        let base = bottom + Double(tickLines) * LineChart.lineHeight + 24
        drawing.add(.text(horizontal, Point(middle, base), .middle, .text))
        drawing.add(
            .text(
                vertical, Point(20, (y.start + y.end) / 2), .middle, .text, isTurned: true))
    }

    private func draw(_ line: LineSeries, _ x: Scale, _ y: Scale, on drawing: inout Drawing) {
        let shown = line.values.filter { x.holds($0.x) && y.holds($0.y) }
        let points = shown.map { Point(x.place($0.x), y.place($0.y)) }
        let path = LineChart.thinned(points)
        if line.isJoined, path.count > 1 { drawing.add(.path(path, .series(line.number))) }
        for (value, point) in zip(shown, points) {
            guard let span = value.span else { continue }
            drawing.add(
                .line(
                    Point(point.x, y.place(max(span.lowerBound, y.low))),
                    Point(point.x, y.place(span.upperBound)), .series(line.number)))
        }
        let marked = line.isMarked ? points : points.suffix(1)
        for point in marked { drawing.add(.marker(point, series: line.number)) }
    }

    /// Without points that nobody could tell from the one before; the last one stays.
    static func thinned(_ points: [Point]) -> [Point] {
        guard var kept = points.first else { return [] }
        var thinned = [kept]
        for (index, point) in points.enumerated().dropFirst() {
            let isFar =
                (point.x - kept.x).magnitude >= thinnest
                || (point.y - kept.y).magnitude >= thinnest
            guard isFar || index == points.count - 1 else { continue }
            thinned.append(point)
            kept = point
        }
        return thinned
    }
}
