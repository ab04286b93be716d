/// How often transfers break over links of a class before one has been seen to, and how that belief
/// gives way to what is seen.

/// A Gamma distribution over failures by the second: `failures` of them in `seconds`, as if they
/// had been seen already.
public struct LinkHazardPrior: Equatable, Sendable {
    public let failures: Double
    public let seconds: Double

    /// One failure in five minutes is the mean for a link that nothing is known of; a minute of
    /// transfer weighs as much as that belief. (Found on the training seeds of `millrace-bench
    /// adaptation`.) The other classes differ in the mean.
    public static func of(_ linkClass: LinkClass) -> LinkHazardPrior {
        let secondsBetweenFailures =
            switch linkClass {
            case .lan: 3600.0
            case .fibre: 1800.0
            case .broadband: 900.0
            case .unknown, .mobile, .satellite: 300.0
            }
        return LinkHazardPrior(
            failures: weightSeconds / secondsBetweenFailures, seconds: weightSeconds)
    }

    static let weightSeconds = 60.0
}

extension LinkHazard {
    /// The mean of what is believed after these failures: (failures + a) / (seconds + b), where the
    /// prior is Gamma(a, b). Figures that cannot be count as none.
    public func failuresPerSecond(_ linkClass: LinkClass) -> Double {
        let prior = LinkHazardPrior.of(linkClass)
        return (LinkHazard.bounded(failures) + prior.failures)
            / (LinkHazard.bounded(seconds) + prior.seconds)
    }

    /// NaN and what is below 0 are 0; the most is 1e12.
    static func bounded(_ value: Double) -> Double { value > 0 ? min(value, 1e12) : 0 }
}
