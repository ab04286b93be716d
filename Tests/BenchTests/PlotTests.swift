// Goal:   a run is drawn where its figures say, in files that any browser reads, and what is not
//         there is left out and said.

import Foundation
import Testing

@testable import BenchPlot

@Suite struct `A scale` {
    @Test func `puts its ends at the ends`() {
        let up = Scale(.linear, from: 0, to: 10, at: 300, 100)
        #expect(up.place(0) == 300 && up.place(10) == 100 && up.place(5) == 200)
        let right = Scale(.logarithmic, from: 1, to: 1_000, at: 0, 300)
        #expect(right.place(1) == 0 && abs(right.place(10) - 100) < 1e-9)
        #expect(abs(right.place(1_000) - 300) < 1e-9)
    }

    @Test(arguments: [
        ([3.0, 17], 2, 20), ([1], 1, 10), ([12, 99_000], 10, 100_000), ([0, -1, 40], 20, 50),
    ])
    func `holds what is above 0, between round numbers`(
        values: [Double], low: Double, high: Double
    ) throws {
        let scale = try #require(Scale(covering: values, at: 0, 1))
        #expect(abs(scale.low - low) < 1e-9 && abs(scale.high - high) < 1e-6)
        #expect((2...12).contains(scale.ticks.count))
    }

    @Test func `of nothing is none`() {
        #expect(Scale(covering: [], at: 0, 1) == nil)
        #expect(Scale(covering: [0, -.infinity, .nan], at: 0, 1) == nil)
    }
}

@Suite struct `A drawing's text` {
    private func text(_ shapes: [Drawing.Shape], title: String = "t") -> String {
        var drawing = Drawing(width: 100, height: 50.25, title: title)
        for shape in shapes { drawing.add(shape) }
        return SVG(drawing).text
    }

    /// As XML readers see it; they refuse what is not well-formed.
    private func isWellFormed(_ text: String) -> Bool {
        var (open, rest): ([Substring], Substring) = ([], text[...])
        while let start = rest.firstIndex(of: "<") {
            guard !rest[..<start].contains(">"),
                let end = rest[start...].firstIndex(of: ">")
            else { return false }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return false }
            } else if !tag.hasSuffix("/") {
                open.append(tag.prefix { $0 != " " })
            }
        }
        return open.isEmpty && !rest.contains(">")
    }

    @Test func `escapes what a name may hold`() {
        let name = "a<b>&\"c\"'d'\u{1}\n\u{FFFE}]]>"
        #expect(SVG.escaped(name) == "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39; ]]&gt;")
        let drawn = text([.text(name, Point(1, 2), .start, .text)], title: name)
        #expect(isWellFormed(drawn))
        #expect(drawn.components(separatedBy: "a&lt;b&gt;&amp;").count == 3)
        #expect(!isWellFormed("<a><b></a>"))
    }

    @Test func `keeps what is not ASCII`() {
        #expect(SVG.escaped("µs, 10⁶ – Ü") == "µs, 10⁶ – Ü")
    }

    @Test func `writes places with a tenth of a pixel`() {
        #expect(SVG.number(12) == "12" && SVG.number(0.25) == "0.3" && SVG.number(-1.04) == "-1")
        let drawn = text([
            .line(Point(1, 2), Point(3.14, 4), .grid),
            .path([Point(0, 0), Point(5, 6)], .series(1)),
            .marker(Point(7, 8), series: 9),
            .text("x", Point(9, 10), .middle, .faint, isTurned: true),
        ])
        #expect(drawn.contains("<line class=\"grid\" x1=\"1\" y1=\"2\" x2=\"3.1\" y2=\"4\"/>"))
        #expect(drawn.contains("<path class=\"s1\" d=\"M0 0L5 6\"/>"))
        #expect(drawn.contains("class=\"mark f1\""), "more series than colours share them")
        #expect(drawn.contains("text-anchor=\"middle\" transform=\"rotate(-90 9 10)\">x</text>"))
        #expect(drawn.contains("viewBox=\"0 0 100 50.3\""))
    }

    @Test func `gives every series a colour on light ground and on dark, and needs no one else`() {
        let drawn = text([])
        let parts = drawn.components(separatedBy: "prefers-color-scheme: dark")
        #expect(parts.count == 2)
        for index in 0..<SVG.seriesCount {
            #expect(parts.allSatisfy { $0.contains(".s\(index){stroke:#") })
            #expect(parts.allSatisfy { $0.contains(".f\(index){fill:#") })
        }
        let addresses = drawn.components(separatedBy: "http").dropFirst()
        #expect(addresses.allSatisfy { $0.hasPrefix("://www.w3.org/2000/svg\"") })
        #expect(isWellFormed(drawn))
    }
}

@Suite struct `A legend` {
    private func entries(_ count: Int) -> [Legend.Entry] {
        (0..<count).map { Legend.Entry(name: "server \($0)", series: $0) }
    }

    @Test func `breaks where the sheet ends, and nothing overlaps`() {
        let legend = Legend(entries(9), at: Point(10, 70), width: 300)
        #expect(legend.placed.count == 9)
        #expect(Set(legend.placed.map(\.point.y)).count > 1)
        for (one, next) in zip(legend.placed, legend.placed.dropFirst())
        where one.point.y == next.point.y {
            #expect(next.point.x > one.point.x + Drawing.width(of: one.entry.name))
        }
        for item in legend.placed {
            #expect(item.point.x + Drawing.width(of: item.entry.name) <= 310)
            #expect(item.point.y < 70 + legend.height)
        }
    }

    @Test func `of nobody takes no room`() {
        #expect(Legend([], at: Point(0, 0), width: 10).height == 0)
    }
}

@Suite struct `A chart of lines` {
    private func chart(_ values: [LineSeries.Value], ticks: [Double] = [1, 100]) -> LineChart {
        LineChart(
            title: "T", subtitle: "S", horizontal: "H (u)", vertical: "V (v)",
            ticks: ticks.map { Tick($0, ["\($0)"]) }, horizontalKind: .logarithmic,
            series: [LineSeries(name: "one", number: 0, values: values)])
    }

    private func markers(_ drawing: Drawing) -> [Point] {
        drawing.shapes.compactMap { if case .marker(let point, _) = $0 { point } else { nil } }
    }

    private func texts(_ drawing: Drawing) -> [String] {
        drawing.shapes.compactMap {
            if case .text(let text, _, _, _, _, _) = $0 { text } else { nil }
        }
    }

    @Test func `puts values where its axes say, spans through them, all on the sheet`() throws {
        let drawing = try #require(
            chart([
                .init(x: 1, y: 10, span: 9...12), .init(x: 10, y: 100), .init(x: 100, y: 1_000),
            ]).drawing)
        // The first is the legend's.
        let points = Array(markers(drawing).dropFirst())
        #expect(points.count == 3)
        #expect(abs(points[1].x - (points[0].x + points[2].x) / 2) < 1e-9)
        #expect(points[0].y > points[1].y && points[1].y > points[2].y)
        let spans = drawing.shapes.compactMap { shape -> (Point, Point)? in
            if case .line(let from, let to, .series(0)) = shape { (from, to) } else { nil }
        }
        #expect(spans.count == 1 && spans[0].0.x == points[0].x)
        #expect(spans[0].0.y > points[0].y && spans[0].1.y < points[0].y)
        for point in points {
            #expect((0...drawing.width).contains(point.x))
            #expect((0...drawing.height).contains(point.y))
        }
        #expect(Set(texts(drawing)).isSuperset(of: ["T", "S", "H (u)", "V (v)", "one"]))
    }

    @Test func `leaves out what has no place, and is none without any`() throws {
        let some = try #require(
            chart([.init(x: 1, y: 0), .init(x: 1_000, y: 5), .init(x: 10, y: 5)]).drawing)
        #expect(markers(some).count == 2)
        #expect(chart([.init(x: 1, y: 0)]).drawing == nil)
        #expect(chart([]).drawing == nil)
        #expect(chart([.init(x: 1, y: 1)], ticks: [1]).drawing == nil)
    }

    @Test func `begins a span that reaches 0 at its lower edge`() throws {
        let drawing = try #require(chart([.init(x: 1, y: 10, span: 0...20)]).drawing)
        #expect(SVG(drawing).text.contains("<line class=\"s0\""))
    }

    @Test func `keeps of many points those that can be told apart, and the last`() {
        let points = (0...10_000).map { Point(Double($0) / 100, 5) }
        let thinned = LineChart.thinned(points)
        #expect((40...101).contains(thinned.count))
        #expect(thinned.first == points.first && thinned.last == points.last)
        #expect(LineChart.thinned([]) == [])
    }
}

@Suite struct `A chart of intervals` {
    private func value(_ number: Int, _ middle: Double) -> IntervalValue {
        IntervalValue(
            name: "server \(number)", number: number, middle: middle,
            span: middle * 0.5...middle * 2)
    }

    @Test func `has a line for each server of each row, and each server once in its legend`() throws
    {
        let rows = [
            IntervalChart.Row(name: "get-1k", values: [value(0, 5), value(1, 9)]),
            IntervalChart.Row(name: "put-4k", values: [value(0, 50)]),
        ]
        let chart = IntervalChart(title: "T", subtitle: "S", axis: "µs", rows: rows)
        let drawing = try #require(chart.drawing)
        let marks = drawing.shapes.compactMap { shape -> (Point, Int)? in
            if case .marker(let point, let series) = shape { (point, series) } else { nil }
        }
        #expect(marks.map(\.1) == [0, 1, 0, 1, 0])
        let places = marks.dropFirst(2).map(\.0)
        #expect(places[0].x < places[1].x && places[1].x < places[2].x)
        #expect(places[0].y < places[1].y && places[1].y < places[2].y)
        #expect(places.allSatisfy { (0...drawing.width).contains($0.x) && $0.y < drawing.height })
    }

    @Test func `of nothing is none`() {
        #expect(IntervalChart(title: "T", subtitle: "S", axis: "a", rows: []).drawing == nil)
    }
}
