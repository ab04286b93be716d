/// One comparison of two buffer sizes on live transfers: both are used in turn, and what a byte
/// costs the core is held against each other pair by pair, so that what else the core does
/// meanwhile falls on both.
///
///     settling ─(what was leased before is gone)▶ measuring ─(an epoch's bytes)▶ settling …
///
/// Turns go A B, B A, A B …: a load that rises or falls steadily favours neither.

struct BufferTrial: Sendable {
    static let epochBytes = 32 << 20
    static let pairCount = 8
    /// A candidate that is dearer, or just as dear, in more pairs than this is dropped at once. By
    /// chance alone one in 28 would pass (a sign test: 9 of 256).
    static let lossesMax = 1
    /// What the candidate may cost of what is used now, in the middle pair, to replace it.
    static let worthwhile = 0.98

    enum Verdict { case undecided, keep, change }

    let current: Int
    let candidate: Int
    let startedAt: UInt64
    private var turn = 0
    private var isMeasuring = false
    private var bytesLeft = 0
    private var bytesMoved = 0
    /// The processor time is being read.
    private var isAsking = false
    private var microseconds: UInt32 = 0
    private var firstCost = 0.0
    private var ratios: [Double] = []
    private var losses = 0

    init(current: Int, candidate: Int, startedAt: UInt64) {
        (self.current, self.candidate, self.startedAt) = (current, candidate, startedAt)
    }

    private var isCandidatesTurn: Bool { turn % 4 == 1 || turn % 4 == 2 }
    /// The size to use now.
    var bufferBytes: Int { isCandidatesTurn ? candidate : current }

    /// Counts what has passed. True: `measured` wants to be told the time.
    mutating func moved(_ count: Int) -> Bool {
        guard !isAsking else {
            bytesMoved += count
            return false
        }
        bytesMoved += count
        bytesLeft -= count
        isAsking = bytesLeft <= 0
        return isAsking
    }

    /// - Parameters:
    ///   - microseconds: processor time of the core's thread, modulo 2³⁰.
    ///   - leasedBytes: what is leased now, by whomever, and may be of the size before.
    mutating func measured(microseconds: UInt32, leasedBytes: Int) -> Verdict {
        isAsking = false
        guard isMeasuring else {
            isMeasuring = true
            self.microseconds = microseconds
            (bytesMoved, bytesLeft) = (0, BufferTrial.epochBytes)
            return .undecided
        }
        let spent = (microseconds &- self.microseconds) & 0x3fff_ffff
        isMeasuring = false
        bytesLeft = leasedBytes
        let verdict = count(cost: Double(spent) / Double(bytesMoved))
        turn += 1
        return verdict
    }

    private mutating func count(cost: Double) -> Verdict {
        guard turn % 2 == 1 else {
            firstCost = cost
            return .undecided
        }
        let (mine, other) = isCandidatesTurn ? (cost, firstCost) : (firstCost, cost)
        if mine >= other { losses += 1 }
        guard losses <= BufferTrial.lossesMax else { return .keep }
        ratios.append(other > 0 ? mine / other : 1)
        guard ratios.count == BufferTrial.pairCount else { return .undecided }
        let middle = ratios.sorted()[BufferTrial.pairCount / 2]
        return middle <= BufferTrial.worthwhile ? .change : .keep
    }
}
