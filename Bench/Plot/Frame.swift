// What charts have in common: title, legend, a place for the data.

import BenchMeasure

/// The parts of a chart around its data.
struct Frame {
    static let width = 720.0
    static let right = Frame.width - 24
    private static let margin = 16.0
    private static let titleBase = 28.0
    private static let subtitleBase = 48.0
    private static let legendBase = 72.0

    var drawing: Drawing
    /// Where the data may begin: below title and legend.
    let top: Double

    /// - Parameters:
    ///   - heightBelow: what is needed under `top`.
    init(title: String, subtitle: String, legend: [Legend.Entry], heightBelow: Double) {
        let legend = Legend(
            legend, at: Point(Frame.margin, Frame.legendBase), width: Frame.right - Frame.margin)
        top = Frame.legendBase + legend.height
        drawing = Drawing(width: Frame.width, height: top + heightBelow, title: title)
        drawing.add(
            .text(title, Point(Frame.margin, Frame.titleBase), .start, .text, isLarge: true))
        drawing.add(.text(subtitle, Point(Frame.margin, Frame.subtitleBase), .start, .faint))
        legend.draw(on: &drawing)
    }
}

/// A place on an axis with what it is called, in lines one below the other.
struct Tick: Equatable {
    let value: Double
    let lines: [String]

    init(_ value: Double, _ lines: [String]) { (self.value, self.lines) = (value, lines) }

    /// The scale's own round values.
    static func of(_ scale: Scale) -> [Tick] { scale.ticks.map { Tick($0, [label($0)]) } }

    /// Without trailing zeros; thousands are written as such.
    static func label(_ value: Double) -> String {
        let suffixes = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
        let (scale, suffix) = suffixes.first { value >= $0.0 * 0.9999 } ?? (1, "")
        var text = Digits.fixed(value / scale, value < 0.01 ? 9 : 4)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text + suffix
    }
}
