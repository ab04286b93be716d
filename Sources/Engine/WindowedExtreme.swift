/// The greatest or the least of what was seen within a sliding window, in constant memory: the best
/// sample, the best of those behind it, and the best of those behind that.
///
/// Kathleen Nichols' filter, as Linux has it (lib/win_minmax.c): when the best grows too old the
/// second takes its place, so the answer is never older than the window. What is lost is exactness:
/// a middling sample between two kept ones is forgotten, and the answer may then be a little too
/// far from the extreme, never beyond it.

struct WindowedExtreme: Equatable, Sendable {
    enum Kind: Sendable { case greatest, least }

    private struct Seen: Equatable {
        var value: Double
        var time: Double
    }

    private let kind: Kind
    private var first: Seen?
    private var second = Seen(value: 0, time: 0)
    private var third = Seen(value: 0, time: 0)

    init(_ kind: Kind) { self.kind = kind }

    /// Nil before the first sample. What has grown too old since is not forgotten by time alone.
    var value: Double? { first?.value }

    /// - Parameters:
    ///   - time: not less than the one before; in the unit of `window`.
    ///   - window: how long a sample counts; it may differ from one sample to the next.
    mutating func observe(_ value: Double, at time: Double, window: Double) {
        let seen = Seen(value: value, time: time)
        guard let first, !isAsGood(value, first.value), time - third.time <= window else {
            (self.first, second, third) = (seen, seen, seen)
            return
        }
        if isAsGood(value, second.value) {
            (second, third) = (seen, seen)
        } else if isAsGood(value, third.value) {
            third = seen
        }
        age(first, seen, window: window)
    }

    /// Moves up what stands behind a best that left the window; else keeps the three apart, so that
    /// there is something to move up.
    private mutating func age(_ best: Seen, _ seen: Seen, window: Double) {
        let age = seen.time - best.time
        if age > window {
            (first, second, third) = (second, third, seen)
            if let moved = first, seen.time - moved.time > window {
                (first, second) = (second, third)
            }
        } else if second.time == best.time, age > window / 4 {
            (second, third) = (seen, seen)
        } else if third.time == second.time, age > window / 2 {
            third = seen
        }
    }

    private func isAsGood(_ value: Double, _ other: Double) -> Bool {
        switch kind {
        case .greatest: value >= other
        case .least: value <= other
        }
    }
}
