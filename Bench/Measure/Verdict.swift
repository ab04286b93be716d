/// What a row must reach, and whether it did.

/// A bound on a ratio to the peer.
public enum Goal: Equatable, Sendable {
    case atMost(Double)
    case atLeast(Double)

    public var text: String {
        switch self {
        case .atMost(let bound): "≤ \(bound)"
        case .atLeast(let bound): "≥ \(bound)"
        }
    }

    /// The median decides between met and not met; an interval that holds the bound inside it
    /// leaves either unresolved.
    public func verdict(on ratio: RatioEstimate) -> Verdict {
        let isMet = holds(for: ratio.median)
        let isResolved = holds(for: ratio.low) == isMet && holds(for: ratio.high) == isMet
        switch (isMet, isResolved) {
        case (true, true): return .met
        case (true, false): return .metUnresolved
        case (false, true): return .notMet
        case (false, false): return .notMetUnresolved
        }
    }

    private func holds(for ratio: Double) -> Bool {
        switch self {
        case .atMost(let bound): ratio <= bound
        case .atLeast(let bound): ratio >= bound
        }
    }
}

extension Goal: Encodable {
    private enum Key: String, CodingKey { case atMost, atLeast }

    /// `{"atMost": 0.5}`.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        switch self {
        case .atMost(let bound): try values.encode(bound, forKey: .atMost)
        case .atLeast(let bound): try values.encode(bound, forKey: .atLeast)
        }
    }
}

public enum Verdict: String, Equatable, Sendable, Codable {
    case met = "met"
    case metUnresolved = "met, unresolved"
    case notMet = "not met"
    case notMetUnresolved = "not met, unresolved"
}
