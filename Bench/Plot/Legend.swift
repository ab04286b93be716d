// Which form and colour is whose.

/// A line of names with their marks, under a chart's title; as many lines as it takes.
struct Legend: Equatable {
    struct Entry: Equatable {
        let name: String
        /// The number of its colour and form.
        let series: Int
    }

    struct Placed: Equatable {
        let entry: Entry
        let point: Point
    }

    let placed: [Placed]
    /// How high all lines are together.
    let height: Double

    private static let lineHeight = 20.0
    private static let markWidth = 14.0
    private static let gap = 18.0

    init(_ entries: [Entry], at corner: Point, width: Double) {
        var placed: [Placed] = []
        var point = corner
        for entry in entries {
            let needed = Legend.markWidth + Drawing.width(of: entry.name)
            if point.x > corner.x, point.x + needed > corner.x + width {
                point = Point(corner.x, point.y + Legend.lineHeight)
            }
            placed.append(Placed(entry: entry, point: point))
            point.x += needed + Legend.gap
        }
        self.placed = placed
        height = entries.isEmpty ? 0 : point.y - corner.y + Legend.lineHeight
    }

    func draw(on drawing: inout Drawing) {
        for item in placed {
            let mark = Point(item.point.x + 5, item.point.y - 4.5)
            drawing.add(.marker(mark, series: item.entry.series))
            drawing.add(
                .text(
                    item.entry.name, Point(item.point.x + Legend.markWidth, item.point.y), .start,
                    .text))
        }
    }
}
