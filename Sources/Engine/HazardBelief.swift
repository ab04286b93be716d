/// What is believed of how often a link breaks just now: how probable each of a few hazards is, and
/// each of a few ways in which weakness matters.

internal import Glibc

/// A link's hazard leaps now and then (another cell, a tunnel, rain); in between it stays, but is
/// the greater the weaker the link is:
///
///     λ = h · e^(−b·q)      h: one of 8, from one failure in 4096 s to one in 4 s
///                           b: 0, 1, 2 or 3
///                           q: how much better than usual the link is (`LinkHistory.quality`)
///
/// `weights` has the probability of each pair (h, b). Time takes h back to what the link is like in
/// the long run; a transfer's failures, or their absence, are weighed by Bayes' rule. This is the
/// forward algorithm of a hidden Markov model (L. R. Rabiner, A tutorial on hidden Markov models,
/// Proc. IEEE 77(2), 1989) whose observations are a Poisson process's: a Markov-modulated one (W.
/// Fischer, K. Meier-Hellstern, The Markov-modulated Poisson process cookbook, Performance
/// Evaluation 18(2), 1993), with λ log-linear in a covariate.
///
/// That costs 32 exponentials when a transfer ends, and when a chunk is planned.
struct HazardBelief: Equatable, Sendable {
    static let hazardCount = 8
    static let slopeCount = 4
    /// Mean seconds until a link's hazard leaps. (30 to 250 are alike on the training traces.)
    static let leapSeconds = 100.0
    /// How far hazards are spread in the long run: the shape of a Gamma distribution. (0.15 to 0.8
    /// are alike.)
    static let spread = 0.5
    /// A link is hardly ever better or worse than usual by more than a factor of e to this.
    static let qualityMost = 2.0
    /// No more than once a second: what is worse is no link.
    static let hazardMost = 1.0
    /// What is less probable than this is as probable as this: so no belief is for ever.
    private static let weightMin: Float = 1e-6

    /// By slope, and of each by hazard. All 0: nothing was seen.
    var weights = SIMD32<Float>(repeating: 0)

    /// 2^−12 to 2^−2, each 2.7 times the one before.
    static let hazards: SIMD8<Double> = {
        var hazards = SIMD8<Double>()
        for index in 0..<hazardCount { hazards[index] = exp2(Double(index) * 10 / 7 - 12) }
        return hazards
    }()

    private static func hazard(_ index: Int, _ quality: Double) -> Double {
        let slope = Double(index / hazardCount)
        return min(hazards[index % hazardCount] * exp(-slope * quality), hazardMost)
    }

    /// How hazards are spread over the times of a link that breaks `mean` times a second.
    private static func longRun(_ mean: Double) -> SIMD8<Double> {
        var shares = SIMD8<Double>()
        for index in 0..<hazardCount {
            // Relative to the least, lest all be 0.
            let above = (hazards[index] - hazards[0]) / mean
            shares[index] = pow(hazards[index], spread) * exp(-spread * above)
        }
        return shares / shares.sum()
    }

    /// What is believed of it after some time of which nothing is known.
    ///
    /// - Parameter mean: failures by the second in the long run; above 0.
    func after(_ seconds: Double, mean: Double) -> HazardBelief {
        let longRun = HazardBelief.longRun(mean)
        let isNew = weights.sum() == 0
        let stays = isNew ? 0 : exp(-seconds / HazardBelief.leapSeconds)
        var next = self
        for slope in 0..<HazardBelief.slopeCount {
            let first = slope * HazardBelief.hazardCount
            var share = 0.0
            for index in first..<first + HazardBelief.hazardCount {
                share += Double(weights[index])
            }
            if isNew { share = 1 / Double(HazardBelief.slopeCount) }
            for index in first..<first + HazardBelief.hazardCount {
                let leapt = share * longRun[index - first]
                next.weights[index] = Float(stays * Double(weights[index]) + (1 - stays) * leapt)
            }
        }
        return next
    }

    /// Enters a transfer over a link of that quality. Before it `after` was called.
    mutating func observe(_ hazard: LinkHazard, quality: Double) {
        let (failures, seconds) =
            (LinkHazard.bounded(hazard.failures), LinkHazard.bounded(hazard.seconds))
        var evidence = SIMD32<Double>()
        for index in 0..<weights.scalarCount {
            let rate = HazardBelief.hazard(index, quality)
            evidence[index] = failures * log(rate) - rate * seconds
        }
        let most = evidence.max()
        var sum: Float = 0
        for index in 0..<weights.scalarCount {
            weights[index] *= Float(exp(evidence[index] - most))
            sum += weights[index]
        }
        // Nothing that was believed fits.
        guard sum > 0 else { return weights = SIMD32(repeating: 1 / 32) }
        for index in 0..<weights.scalarCount {
            weights[index] = max(weights[index] / sum, HazardBelief.weightMin)
        }
    }

    /// Failures to expect by the second over a link of that quality.
    func failuresPerSecond(quality: Double) -> Double {
        var (sum, all) = (0.0, 0.0)
        for index in 0..<weights.scalarCount {
            let weight = Double(weights[index])
            sum += weight * HazardBelief.hazard(index, quality)
            all += weight
        }
        return all > 0 ? sum / all : HazardBelief.hazards[0]
    }

    /// Whether these are such as `observe` makes: for what was read from somewhere.
    var isSound: Bool {
        let sum = weights.sum()
        return (0..<weights.scalarCount).allSatisfy { weights[$0] >= 0 && weights[$0] <= 1 }
            && (sum == 0 || (sum - 1).magnitude < 1e-3)
    }
}
