/// How long to wait before something is asked again: exponentially longer each time, and anything
/// up to that, so that those who failed together do not come back together ("full jitter", as in
/// AWS Architecture Blog, "Exponential Backoff And Jitter", 2015); or always the same.
public struct Backoff: Equatable, Sendable {
    /// The first delay, or the most of it with jitter.
    public let base: UInt64
    /// No delay is longer.
    public let longest: UInt64
    /// Off: each delay is `base`.
    public let isExponential: Bool

    public init(base: UInt64, longest: UInt64, isExponential: Bool = true) {
        precondition(base > 0 && base <= longest && longest < .max, "a delay is a time")
        (self.base, self.longest, self.isExponential) = (base, longest, isExponential)
    }

    /// Before the `attempt`th retry, from 0. `random` is any number: equal ones give equal delays.
    public func delay(before attempt: Int, random: UInt64) -> UInt64 {
        precondition(attempt >= 0, "retries are counted from 0")
        guard isExponential else { return base }
        // From 0 to the bound, both included; the bias of the product is below one in 2⁶⁴/bound.
        return random.multipliedFullWidth(by: bound(before: attempt) + 1).high
    }

    private func bound(before attempt: Int) -> UInt64 {
        guard attempt < base.leadingZeroBitCount else { return longest }
        return min(longest, base << UInt64(attempt))
    }
}

/// Numbers for jitter: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). The same seed, the same.
public struct Jitter: RandomNumberGenerator, Equatable, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
