/// The chunk length at which what failures cost and what chunks cost are least together.

internal import Glibc

/// One link as the balance sees it.
struct ChunkBalance: Equatable, Sendable {
    let bytesPerSecond: Double
    /// What a chunk costs beside its bytes.
    let overheadSeconds: Double
    let failuresPerSecond: Double
    /// TCP is still opening its window, doubling what it sends each round trip.
    var isOpening = false

    /// The length without bounds, as it is for a file without an end.
    ///
    /// A chunk of `c` bytes needs t = c/r + o seconds without a failure. Where failures come as a
    /// Poisson process of rate λ, a chunk that one hits is sent again from its start, and another
    /// attempt costs R, it takes (e^(λt) − 1)·(1/λ + R) on the average. So what is to be least is
    /// (e^(λt) − 1)/c, whatever R. With x = λc/r that is where (1 − x)·e^x = e^(−λo), or
    ///
    ///     x = 1 + W₀(−e^(−1 − λo))        (W₀: Lambert's function)
    ///
    /// Its series begins with x = √(2λo), so c = r·√(2o/λ): Young's interval (J. W. Young, A first
    /// order approximation to the optimum checkpoint interval, CACM 17(9), 1974). Without the terms
    /// behind it that is 1 % too long at λo = 0.0005, 10 % at 0.04, and 49 % at 0.6. (J. T. Daly,
    /// A higher order estimate of the optimum checkpoint interval, FGCS 22(3), 2006, has this
    /// function's next terms.) Newton's method has all of them.
    ///
    ///     | bytes/s    | overhead | failures/s | Young      | exact     |
    ///     |------------|----------|------------|------------|-----------|
    ///     |    125,000 | 1 ms     | 1/600      |    136,931 |   136,847 |
    ///     |    125,000 | 600 ms   | 1/600      |  3,354,102 | 3,304,289 |
    ///     |    125,000 | 600 ms   | 1/10       |    433,013 |   384,524 |
    ///     |  1,250,000 | 20 ms    | 1/60       |  1,936,492 | 1,919,861 |
    ///     |  1,250,000 | 80 ms    | 1/10       |  1,581,139 | 1,515,187 |
    ///     | 12,500,000 | 600 ms   | 1          | 13,693,064 | 9,218,731 |
    var bytes: Double {
        let x = ChunkBalance.optimum(failuresPerSecond * overheadSeconds)
        let seconds = x / failuresPerSecond
        return bytesPerSecond * (isOpening ? opening(seconds) : seconds)
    }

    /// More would be taken from a rate that only seems to grow. (2 to 4 are alike on the training
    /// seeds; 1 and 8 miss the goal in cells of 600 ms.)
    static let openingMax = 3.0

    /// Seconds at the rate of now in which as much is sent as in those while it doubles each round
    /// trip.
    private func opening(_ seconds: Double) -> Double {
        let grown = overheadSeconds * (exp2(seconds / overheadSeconds) - 1)
        return min(max(grown, seconds), seconds * ChunkBalance.openingMax)
    }

    /// The x above of y = λo. 0…1, greater for greater y.
    static func optimum(_ y: Double) -> Double {
        guard y > 0 else { return 0 }
        // The branch point's series in p (Corless et al., On the Lambert W function, 1996).
        let p = (-2 * expm1(-y)).squareRoot()
        // From (1 − x) = e^(−y − x) no x is beyond 1 − e^(−y − 1), which is where it ends for great
        // y.
        let most = -expm1(-y - 1)
        var x = min(p * (1 - p / 3 + 11 * p * p / 72), most)
        // f(x) = ln(1 − x) + x + y, whose root it is.
        for _ in 0..<4 {
            guard x < 1 else { break }
            let step = (log1p(-x) + x + y) * (1 - x) / x
            x = min(max(x + step, x / 2), most)
        }
        return x
    }

    /// The file's rest in chunks that are all alike, as near to `wanted` as whole numbers of them
    /// allow: of the two numbers beside it the one that costs less, if both keep to the limits.
    func evenly(_ bytesLeft: UInt64, about wanted: UInt64, _ limits: ChunkLimits) -> UInt64 {
        let fewer = bytesLeft / wanted
        let blocks = { (count: UInt64) -> UInt64 in
            let blockBytes = ChunkLimits.blockBytes
            return ((bytesLeft - 1) / count / blockBytes + 1) * blockBytes
        }
        let (long, short) = (blocks(fewer), blocks(fewer + 1))
        if short < limits.smallest { return min(long, limits.largest) }
        if long > limits.largest { return short }
        return cost(of: bytesLeft, in: fewer) < cost(of: bytesLeft, in: fewer + 1) ? long : short
    }

    /// Grows with the time that a file takes in so many chunks, if all are alike.
    private func cost(of bytes: UInt64, in count: UInt64) -> Double {
        let seconds = Double(bytes) / Double(count) / bytesPerSecond + overheadSeconds
        return Double(count) * expm1(failuresPerSecond * seconds)
    }
}
