/// How many retries there may be: a bucket of tokens, one a retry, that fills as operations are
/// done and, slowly, as time passes. A disk that fails everything is not asked everything again.
public struct RetryBudget: Equatable, Sendable {
    public struct Limits: Equatable, Sendable {
        /// Retries that may come at once.
        public var burst: UInt64
        /// For so many operations there may be one retry.
        public var operationsPerRetry: UInt64
        /// After so many nanoseconds there may be one, however little is done.
        public var nanosecondsPerRetry: UInt64

        public init(burst: UInt64, operationsPerRetry: UInt64, nanosecondsPerRetry: UInt64) {
            precondition(
                burst > 0 && operationsPerRetry > 0 && nanosecondsPerRetry > 0,
                "a budget is a number of retries")
            self.burst = burst
            self.operationsPerRetry = operationsPerRetry
            self.nanosecondsPerRetry = nanosecondsPerRetry
        }
    }

    public let limits: Limits
    private var tokens: UInt64
    /// Up to where operations and time have been turned into tokens.
    private var countedOperations: UInt64
    private var countedTime: UInt64

    /// A full bucket.
    public init(_ limits: Limits, operations: UInt64 = 0, at now: UInt64 = 0) {
        self.limits = limits
        tokens = limits.burst
        (countedOperations, countedTime) = (operations, now)
    }

    /// Whether one more may be. `operations` counts all that were done so far, `now` is monotonic
    /// nanoseconds; where either has gone back, it counts from there.
    public mutating func take(operations: UInt64, at now: UInt64) -> Bool {
        countedOperations = fill(since: countedOperations, operations, limits.operationsPerRetry)
        countedTime = fill(since: countedTime, now, limits.nanosecondsPerRetry)
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    /// Answers up to where that is turned into tokens.
    private mutating func fill(since counted: UInt64, _ value: UInt64, _ price: UInt64) -> UInt64 {
        guard value >= counted else { return value }
        let earned = (value - counted) / price
        guard earned < limits.burst - tokens else {
            // Full: what is over is not kept for later.
            tokens = limits.burst
            return value
        }
        tokens += earned
        return counted + earned * price
    }
}
