/// Whether what fails is so much, and so spread out, that it is the whole that fails and not one
/// bad place: that many different places within a while, and half of all that was asked.
public struct FailureRate: Equatable, Sendable {
    public struct Limits: Equatable, Sendable {
        public var places: Int
        public var nanoseconds: UInt64

        public init(places: Int, nanoseconds: UInt64) {
            precondition(places > 0, "nothing would be too much")
            (self.places, self.nanoseconds) = (places, nanoseconds)
        }
    }

    public let limits: Limits
    private var places: Set<UInt64> = []
    private var failures: UInt64 = 0
    private var startedAt: UInt64 = 0
    private var askedAtStart: UInt64 = 0

    public init(_ limits: Limits) { self.limits = limits }

    /// Asking at `place` failed; `asked` counts all that was asked so far. Answers whether that is
    /// too much, and begins anew then.
    public mutating func failed(at place: UInt64, asked: UInt64, now: UInt64) -> Bool {
        let isOver = now < startedAt || now - startedAt > limits.nanoseconds
        if failures == 0 || isOver || asked < askedAtStart {
            places = []
            failures = 0
            startedAt = now
            askedAtStart = asked - min(asked, 1)
        }
        failures += 1
        if places.count < limits.places { places.insert(place) }
        guard places.count == limits.places, failures >= (asked - askedAtStart) / 2
        else { return false }
        failures = 0
        return true
    }
}
