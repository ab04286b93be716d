// A drawing as data: shapes in the order in which they cover each other.

public struct Point: Equatable, Sendable {
    public var x: Double
    public var y: Double

    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

/// Shapes on a sheet; y grows downwards.
public struct Drawing: Equatable, Sendable {
    /// What something is, from which its colour follows, on a light or a dark ground.
    public enum Ink: Equatable, Sendable {
        case text, faint, grid
        case series(Int)
    }

    public enum Anchor: String, Sendable { case start, middle, end }

    public enum Shape: Equatable, Sendable {
        case line(Point, Point, Ink)
        /// An open line through all points.
        case path([Point], Ink)
        /// A series has a form of its own as well as a colour.
        case marker(Point, series: Int)
        /// A field from one corner to the other, in so much of a series' colour.
        case patch(Point, Point, series: Int, strength: Double)
        /// Stands on its point; read upwards if it is turned.
        case text(String, Point, Anchor, Ink, isTurned: Bool = false, isLarge: Bool = false)
    }

    public let width: Double
    public let height: Double
    public let title: String
    public var shapes: [Shape] = []

    /// Of text, and its usual width: no font is known here.
    public static let fontSize = 13.0
    public static let largeFontSize = 17.0

    public init(width: Double, height: Double, title: String) {
        (self.width, self.height, self.title) = (width, height, title)
    }

    /// How wide `text` will be, about; rather too much than too little.
    public static func width(of text: String) -> Double { Double(text.count) * fontSize * 0.58 }

    mutating func add(_ shape: Shape) { shapes.append(shape) }
}
