// What could be gained by whoever knew how a link is going to be: a bound for forecasts.

internal import Engine
internal import Glibc

/// The best chunk length at each moment of a link, for somebody who knows all its stretches, those
/// to come as well, and of failures only how often they are.
///
/// V(t), the bytes that still come through until some far end by the best chunks from t on, is
/// worked out backwards in time:
///
///     V(t) = max over c of   P(no failure in c's time) · (c + V(end of c))
///                          + ∫ P(the first failure is at s) · V(s + what reconnecting takes) ds
///
/// It knows nothing of windows that open, nor of jitter within a step, nor of the file's end: so it
/// is a little short of the very best.
struct Foresight: Sendable {
    private static let stepSeconds = 0.1

    /// What happens in one step.
    private struct Moment {
        var bytes: Double
        var failures: Double
        var roundTripSteps: Double
        /// Whoever is under way loses the connection as it begins.
        var breaks: Bool

        var reconnectSteps: Double { UploadRun.reconnectSeconds / stepSeconds + roundTripSteps }
    }

    private let best: [UInt64]
    private let period: Double

    init(_ link: SimulatedLink, lengths: [UInt64]) {
        let moments = Foresight.moments(link)
        let count = moments.count
        period = Double(count) * Foresight.stepSeconds
        // Twice round: what is read is far from the end.
        var values = [Double](repeating: 0, count: 2 * count + 1)
        var best = [UInt64](repeating: lengths[0], count: count)
        for start in (0..<2 * count).reversed() {
            let (length, value) = Foresight.choose(start, moments, values, lengths.sorted())
            values[start] = value
            if start < count { best[start] = length }
        }
        self.best = best
    }

    func bytes(at seconds: Double) -> UInt64 {
        let step = seconds.truncatingRemainder(dividingBy: period) / Foresight.stepSeconds
        return best[min(Int(step), best.count - 1)]
    }

    private static func moments(_ link: SimulatedLink) -> [Moment] {
        var moments: [Moment] = []
        for stretch in link.stretches {
            let count = max(Int((stretch.seconds / stepSeconds).rounded()), 1)
            let isOut = stretch.bytesPerSecond == 0
            // So long do clients wait for a link to come back.
            let patience = Int(UploadRun.patienceSeconds / stepSeconds)
            for step in 0..<count {
                moments.append(
                    Moment(
                        bytes: stretch.bytesPerSecond * (1 - stretch.lossShare) * stepSeconds,
                        failures: stretch.failuresPerSecond * stepSeconds,
                        roundTripSteps: stretch.roundTripSeconds * (1 + stretch.jitterShare / 2)
                            / stepSeconds,
                        breaks: step == 0 && stretch.breaksConnections
                            || isOut && step == patience))
            }
        }
        return moments
    }

    /// The length that is best to begin with at that step, and what doing so is worth.
    private static func choose(
        _ start: Int, _ moments: [Moment], _ values: [Double], _ lengths: [UInt64]
    ) -> (UInt64, Double) {
        var (best, most) = (lengths[0], -1.0)
        // Of a chunk that goes on: that it does, what it is worth if it broke before, its bytes.
        var (survival, lost, sent) = (1.0, 0.0, 0.0)
        var (next, time) = (0, start)
        while next < lengths.count, time < values.count - 1, survival > 1e-6 {
            let moment = moments[time % moments.count]
            let again = value(values, at: Double(time) + 0.5 + moment.reconnectSteps)
            if moment.breaks, time > start {
                (lost, survival) = (lost + survival * again, 0)
                break
            }
            while next < lengths.count, sent + moment.bytes >= Double(lengths[next]) {
                let passed =
                    (Double(lengths[next]) - sent) / moment.bytes + moment.roundTripSteps
                let through = survival * exp(-moment.failures * passed)
                let end = value(values, at: Double(time) + passed)
                let worth =
                    lost + through * (Double(lengths[next]) + end) + (survival - through) * again
                if worth > most { (best, most) = (lengths[next], worth) }
                next += 1
            }
            sent += moment.bytes
            let failed = survival * -expm1(-moment.failures)
            (lost, survival) = (lost + failed * again, survival - failed)
            time += 1
        }
        if most < 0 { most = lost + survival * value(values, at: Double(time)) }
        // Waiting for a step is never better than that.
        return (best, max(most, values[start + 1]))
    }

    /// Between two steps.
    private static func value(_ values: [Double], at time: Double) -> Double {
        let low = min(Int(time), values.count - 1)
        let high = min(low + 1, values.count - 1)
        return values[low] + (time - Double(low)) * (values[high] - values[low])
    }
}
