// An upload in chunks, one after the other, over a simulated link.

public import Engine

/// How the chunks of an upload are chosen.
public enum ChunkPolicy: Equatable, Sendable {
    /// All alike.
    case length(UInt64)
    /// As the product plans them, by what it can know.
    case planned(ChunkAlgorithm)
    /// The same balance by whoever knows how the link is at the moment: what estimates can gain.
    case informed
    /// By whoever knows as well how it is going to be, and plans ahead: what forecasts can gain.
    case foreseen
}

/// What became of an upload.
public struct UploadOutcome: Equatable, Sendable {
    public var seconds = 0.0
    public var chunks = 0
    public var failures = 0
    /// Sent, and sent again.
    public var bytesLost = 0.0
}

/// What was advised at one moment of an upload.
public struct UploadStep: Equatable, Sendable {
    public var seconds: Double
    public var plan: ChunkPlan
    public var estimate: LinkEstimate
    /// What the link really carried, in bytes a second.
    public var truth: Double
    public var failed: Bool
}

/// One upload from its first byte to its last answer.
///
/// A chunk of c bytes takes as long as its bytes take, and a round trip for its answer. TCP opens
/// its window from ten segments, doubling it each round trip as far as what is sent fills it, until
/// the link is full; then bytes come as fast as the link is. An idle round trip between two chunks
/// does not close it. A queue as long as the link itself stands in front of the narrowest place, so
/// round trips measured under load are up to twice as long. A lost segment at the end of a chunk
/// costs a round trip more; elsewhere loss takes its share of the rate only, as with BBR (what
/// Cubic makes of random loss is not modelled, nor are HyStart and the time that a window needs to
/// grow when a link becomes faster).
///
/// A failure loses the chunk that is under way, whole, and costs a second and a round trip to
/// connect again, with a window of ten segments. So does an outage of more than ten seconds, for
/// which clients do not wait; shorter ones only take their time.
struct UploadRun {
    static let reconnectSeconds = 1.0
    static let patienceSeconds = 10.0
    /// Whoever is not through by then gives up: of chunks that are too long none may ever be.
    static let secondsMost = 86_400.0
    static let segmentBytes = 1448.0
    static let firstWindowBytes = 10 * segmentBytes
    /// The server looks at the connection about this often.
    static let stepBytes = 262_144.0

    private var place: LinkPlace
    private var failures: LinkFailures
    private var draws: Draws
    private var now = 0.0
    private var window = UploadRun.firstWindowBytes
    var server: ServerView
    /// Whoever has it may be asked for chunks that are `foreseen`.
    var foresight: Foresight?
    private(set) var outcome = UploadOutcome()
    /// Only if they were asked for.
    private(set) var steps: [UploadStep] = []

    init(_ link: SimulatedLink, seed: UInt64) {
        place = LinkPlace(link)
        failures = LinkFailures(link, seed: seed)
        draws = Draws(seed: seed, purpose: 2)
        server = ServerView()
    }

    /// Sends `size` bytes; what was advised is kept if `isRecorded`.
    mutating func send(_ size: UInt64, _ policy: ChunkPolicy, isRecorded: Bool = false) {
        var left = size
        connect()
        while left > 0, now < UploadRun.secondsMost {
            place.advance(to: now)
            let plan = plan(policy, size: size, bytesLeft: left)
            let bytes = min(plan.chunkBytes, left)
            let truth = place.stretch.bytesPerSecond
            let (beganAt, believed) = (now, server.believed)
            let isThrough = sendChunk(Double(bytes))
            outcome.chunks += 1
            server.ended(after: now - beganAt, failed: !isThrough, now: now)
            if isRecorded {
                steps.append(
                    UploadStep(
                        seconds: beganAt, plan: plan, estimate: believed, truth: truth,
                        failed: !isThrough))
            }
            if isThrough { left -= bytes } else { reconnect() }
        }
        outcome.seconds = now
    }

    private func plan(_ policy: ChunkPolicy, size: UInt64, bytesLeft: UInt64) -> ChunkPlan {
        switch policy {
        case .length(let bytes):
            return ChunkPlan(chunkBytes: bytes, parallelism: 1, reason: .balance)
        case .planned(let algorithm):
            return server.plan(algorithm, size: size, bytesLeft: bytesLeft, now: now)
        case .informed:
            let stretch = place.stretch
            var facts = TransferFacts(
                size: size, bytesPerSecond: UInt64(stretch.bytesPerSecond),
                roundTripNanoseconds: UInt64(stretch.roundTripSeconds * 1e9),
                failuresPerSecond: stretch.failuresPerSecond)
            facts.bytesLeft = bytesLeft
            return ChunkPlanner.plan(.adaptive, facts)
        case .foreseen:
            let bytes = foresight?.bytes(at: now) ?? bytesLeft
            return ChunkPlan(chunkBytes: bytes, parallelism: 1, reason: .forecast)
        }
    }

    private mutating func reconnect() {
        outcome.failures += 1
        now += UploadRun.reconnectSeconds
        place.advance(to: now)
        now += roundTrip()
        connect()
    }

    private mutating func connect() {
        window = UploadRun.firstWindowBytes
        server.connected(now: now, roundTrip: roundTrip())
    }

    private mutating func roundTrip() -> Double {
        let stretch = place.stretch
        return stretch.roundTripSeconds * (1 + stretch.jitterShare * draws.share())
    }

    /// False: the connection broke, at `now`.
    private mutating func sendChunk(_ bytes: Double) -> Bool {
        let failure = failures.first(after: now)
        server.began(now: now)
        var left = bytes
        while left > 0 {
            place.advance(to: now)
            guard place.stretch.bytesPerSecond > 0 else {
                guard waitOut(failure) else { return lose(bytes - left) }
                continue
            }
            let (count, seconds, roundTrip) = step(left)
            guard now + seconds < failure else {
                now = failure
                return lose(bytes - left)
            }
            now += seconds
            left -= count
            server.came(count, now: now, roundTrip: roundTrip, loss: place.stretch.lossShare)
        }
        return awaitAnswer(failure, lastBytes: min(bytes, window)) || lose(bytes)
    }

    private mutating func lose(_ bytes: Double) -> Bool {
        outcome.bytesLost += bytes
        return false
    }

    /// How much comes next, how long that takes, and what round trip is measured meanwhile.
    private mutating func step(_ left: Double) -> (Double, Double, Double) {
        let stretch = place.stretch
        let rate = stretch.bytesPerSecond * (1 - stretch.lossShare)
        let roundTrip = roundTrip()
        let inFlight = rate * stretch.roundTripSeconds
        if window < inFlight {
            let count = min(window, left)
            window = min(max(window, 2 * count), 2 * inFlight)
            return (count, count == left ? count / rate : roundTrip, roundTrip)
        }
        window = min(max(window, 2 * inFlight), max(2 * inFlight, UploadRun.firstWindowBytes))
        // No further than the stretch goes, lest a new rate be missed; but a little at least.
        let most = max((place.end - now) * rate, UploadRun.segmentBytes)
        let count = min(left, max(UploadRun.stepBytes, inFlight), most)
        let queue = min(window - inFlight, inFlight) / rate
        return (count, count / rate, roundTrip + queue)
    }

    /// Waits for the link to come back, as long as clients do. False: it broke.
    private mutating func waitOut(_ failure: Double) -> Bool {
        let limit = min(now + UploadRun.patienceSeconds, failure)
        while place.stretch.bytesPerSecond == 0, place.end < limit { place.advance() }
        guard place.stretch.bytesPerSecond > 0 else {
            now = limit
            return false
        }
        now = place.end - place.stretch.seconds
        return true
    }

    private mutating func awaitAnswer(_ failure: Double, lastBytes: Double) -> Bool {
        var seconds = roundTrip()
        let loss = place.stretch.lossShare
        if loss > 0, draws.happens(min(loss * lastBytes / UploadRun.segmentBytes, 1)) {
            seconds += roundTrip()
        }
        guard now + seconds < failure else {
            now = failure
            return false
        }
        now += seconds
        return true
    }
}
