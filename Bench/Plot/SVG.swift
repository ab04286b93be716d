// Writes a drawing as SVG 1.1.

import BenchMeasure

/// The text of a drawing: one file without fonts, scripts or anything from elsewhere.
public struct SVG {
    private let drawing: Drawing

    /// Colours for as many series as there are; Okabe and Ito's, which the colour-blind tell
    /// apart, darkened for light ground.
    private static let light = [
        "#0060a8", "#c04a00", "#00805a", "#a0408a", "#8a6d00", "#3a8fc8", "#606060", "#b02020",
    ]
    private static let dark = [
        "#56b4e9", "#e69f00", "#2fc99a", "#e58fc4", "#f0e442", "#8cb8ff", "#b0b0b0", "#ff8a80",
    ]
    public static let seriesCount = light.count

    public init(_ drawing: Drawing) { self.drawing = drawing }

    public var text: String {
        let (width, height) = (SVG.number(drawing.width), SVG.number(drawing.height))
        let opening = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" role="img" font-family="system-ui, sans-serif" \
            font-size="\(SVG.number(Drawing.fontSize))">
            <title>\(SVG.escaped(drawing.title))</title>
            <style>
            \(SVG.style)</style>
            <rect class="paper" width="\(width)" height="\(height)"/>

            """
        return opening + drawing.shapes.map(SVG.element).joined(separator: "\n") + "\n</svg>\n"
    }

    /// As character data or in quotes; what XML has no place for is left out.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n", "\r": escaped += " "
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": continue
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// One digit behind the point: a tenth of a pixel.
    static func number(_ value: Double) -> String {
        precondition(value.isFinite, "a place that is nowhere")
        let text = Digits.fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static var style: String {
        let rules = """
            .paper{fill:#ffffff} .text{fill:#1f2328} .faint{fill:#59636e} .grid{stroke:#d8dde3}
            .mark{stroke:#ffffff;stroke-width:1} line.grid{stroke-width:1}
            path,line{fill:none;stroke-width:2;stroke-linejoin:round}

            """
        let darkRules = """
            .paper{fill:#0d1117} .text{fill:#e6edf3} .faint{fill:#9198a1} .grid{stroke:#30363d}
            .mark{stroke:#0d1117}

            """
        return rules + series(light) + "@media (prefers-color-scheme: dark){\n" + darkRules
            + series(dark) + "}\n"
    }

    private static func series(_ colours: [String]) -> String {
        colours.enumerated().map { index, colour in
            ".s\(index){stroke:\(colour)} .f\(index){fill:\(colour)}\n"
        }.joined()
    }

    private static func element(_ shape: Drawing.Shape) -> String {
        switch shape {
        case .line(let from, let to, let ink):
            return "<line \(stroke(ink)) x1=\"\(number(from.x))\" y1=\"\(number(from.y))\""
                + " x2=\"\(number(to.x))\" y2=\"\(number(to.y))\"/>"
        case .path(let points, let ink):
            let steps = points.map { "\(number($0.x)) \(number($0.y))" }
            return "<path \(stroke(ink)) d=\"M\(steps.joined(separator: "L"))\"/>"
        case .marker(let point, let series):
            return "<path class=\"mark f\(index(series))\" d=\"\(form(series, at: point))\"/>"
        case .patch(let from, let to, let series, let strength):
            return "<rect class=\"f\(index(series))\" fill-opacity=\"\(Digits.fixed(strength, 2))\""
                + " x=\"\(number(from.x))\" y=\"\(number(from.y))\""
                + " width=\"\(number(to.x - from.x))\" height=\"\(number(to.y - from.y))\"/>"
        case .text(let text, let point, let anchor, let ink, let isTurned, let isLarge):
            let (x, y) = (number(point.x), number(point.y))
            let turn = isTurned ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
            let size = isLarge ? " font-size=\"\(number(Drawing.largeFontSize))\"" : ""
            return "<text class=\"\(fill(ink))\" x=\"\(x)\" y=\"\(y)\""
                + " text-anchor=\"\(anchor.rawValue)\"\(size)\(turn)>\(escaped(text))</text>"
        }
    }

    private static func stroke(_ ink: Drawing.Ink) -> String {
        switch ink {
        case .text, .faint, .grid: "class=\"grid\""
        case .series(let number): "class=\"s\(index(number))\""
        }
    }

    private static func fill(_ ink: Drawing.Ink) -> String {
        switch ink {
        case .text: "text"
        case .faint, .grid: "faint"
        case .series(let number): "f\(index(number))"
        }
    }

    /// More series than colours share them; their forms differ further on.
    private static func index(_ series: Int) -> Int { series % seriesCount }

    /// Closed outlines about 9 wide: circle, square, diamond, two triangles, cross.
    private static func form(_ series: Int, at point: Point) -> String {
        func outline(_ offsets: [(Double, Double)]) -> String {
            let steps = offsets.map { "\(number(point.x + $0.0)) \(number(point.y + $0.1))" }
            return "M\(steps.joined(separator: "L"))Z"
        }
        switch series % 6 {
        case 0:
            let (left, y) = (number(point.x - 4.5), number(point.y))
            return "M\(left) \(y)a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z"
        case 1: return outline([(-4, -4), (4, -4), (4, 4), (-4, 4)])
        case 2: return outline([(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)])
        case 3: return outline([(0, -5), (5, 4), (-5, 4)])
        case 4: return outline([(-5, -4), (5, -4), (0, 5)])
        default:
            return outline([
                (-5, -1.7), (-1.7, -1.7), (-1.7, -5), (1.7, -5), (1.7, -1.7), (5, -1.7), (5, 1.7),
                (1.7, 1.7), (1.7, 5), (-1.7, 5), (-1.7, 1.7), (-5, 1.7),
            ])
        }
    }
}
