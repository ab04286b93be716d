internal import BenchMeasure

/// Numbers that look random and are the same for the same seed.
public struct SeededRandom: RandomNumberGenerator {
    private var numbers: SplitMix64

    public init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    public mutating func next() -> UInt64 { numbers.next() }
}
