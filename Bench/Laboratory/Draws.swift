// Chance out of a seed.

import BenchMeasure
internal import Glibc

/// The same draws for the same seed and purpose, whatever else is drawn elsewhere.
struct Draws: Sendable {
    private var generator: SplitMix64

    /// `purpose` keeps apart what is drawn for different things under one seed.
    init(seed: UInt64, purpose: UInt64) {
        generator = SplitMix64(seed: SplitMix64.mix(seed) ^ SplitMix64.mix(purpose &* 0x9e37))
    }

    /// In [0, 1).
    mutating func share() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * share() }

    /// Exponential with mean 1.
    mutating func exponential() -> Double { -log1p(-share()) }

    mutating func happens(_ probability: Double) -> Bool { share() < probability }

    /// The probability that a Poisson process with that many expected events has none.
    static func survival(_ expected: Double) -> Double { exp(-expected) }

    static func root(_ value: Double, _ degree: Double) -> Double { pow(value, 1 / degree) }
}
