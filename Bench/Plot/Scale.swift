// From values to places on an axis.

import Foundation

/// Maps a range of values to a stretch of a drawing.
public struct Scale: Equatable, Sendable {
    public enum Kind: Sendable { case linear, logarithmic }

    public let kind: Kind
    public let low: Double
    public let high: Double
    /// Where `low` and `high` come to lie; the end may be before the start, as upwards is.
    public let start: Double
    public let end: Double

    /// - Parameters:
    ///   - low: less than `high`, and above 0 on a logarithmic scale.
    public init(_ kind: Kind, from low: Double, to high: Double, at start: Double, _ end: Double) {
        precondition(low < high && (kind == .linear || low > 0), "a scale without extent")
        (self.kind, self.low, self.high, self.start, self.end) = (kind, low, high, start, end)
    }

    /// A logarithmic scale that has `values` on it and ends at round numbers. Values that have no
    /// place there, such as 0, do not count; without any others there is no scale.
    public init?(covering values: [Double], at start: Double, _ end: Double) {
        let shown = values.filter { $0.isFinite && $0 > 0 }
        guard let least = shown.min(), let greatest = shown.max() else { return nil }
        let (low, high) = (Scale.roundDown(least), Scale.roundUp(greatest))
        self.init(.logarithmic, from: low, to: high > low ? high : low * 10, at: start, end)
    }

    /// Beyond the ends too.
    public func place(_ value: Double) -> Double {
        let share =
            switch kind {
            case .linear: (value - low) / (high - low)
            case .logarithmic: log10(value / low) / log10(high / low)
            }
        return start + share * (end - start)
    }

    /// Whether `value` has a place between the ends.
    public func holds(_ value: Double) -> Bool { value >= low && value <= high }

    /// Round values, few enough to be labelled; of a linear scale its ends.
    public var ticks: [Double] {
        guard kind == .logarithmic else { return [low, high] }
        let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
        let factors = decades.count > 5 ? [1.0] : decades.count > 3 ? [1, 3] : [1, 2, 5]
        return decades.flatMap { decade in
            factors.map { $0 * pow(10, Double(decade)) }
        }.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    }

    private static func roundDown(_ value: Double) -> Double {
        let power = pow(10, log10(value).rounded(.down))
        return ([5.0, 2].first { $0 * power <= value } ?? 1) * power
    }

    private static func roundUp(_ value: Double) -> Double {
        let power = pow(10, log10(value).rounded(.down))
        return ([1.0, 2, 5].first { $0 * power >= value } ?? 10) * power
    }
}
