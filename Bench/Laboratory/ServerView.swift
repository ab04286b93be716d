// What the server can know of a simulated upload: samples, failures, and nothing else.

import Engine

/// The state that the product has of one client's upload.
struct ServerView {
    private var estimator = LinkEstimator()
    /// What is believed across connections.
    private(set) var believed = LinkEstimate()
    private var history = LinkHistory()
    private var sample = LinkSample(now: 0)
    private var bytesReceived = 0.0
    private var segments = 0.0
    private var outOfOrder = 0.0

    /// Not 0, as no clock that has begun; and the time of day is far from the clock's.
    private static let clockStart = 1e9
    private static let dayStart: UInt64 = 1_700_000_000_000

    mutating func connected(now: Double, roundTrip: Double) {
        estimator = LinkEstimator()
        (bytesReceived, segments, outOfOrder) = (0, 0, 0)
        sample = LinkSample(now: 0)
        // From the handshake.
        sample.roundTripMicroseconds = ServerView.microseconds(roundTrip)
        sample.roundTripMicrosecondsMin = sample.roundTripMicroseconds
        observe(now)
        believed = estimator.estimate.completed(by: believed)
    }

    mutating func began(now: Double) { observe(now, isBeginning: true) }

    mutating func came(_ bytes: Double, now: Double, roundTrip: Double, loss: Double) {
        bytesReceived += bytes
        segments += bytes / UploadRun.segmentBytes
        outOfOrder += loss * bytes / UploadRun.segmentBytes
        sample.receiverRoundTripMicroseconds = ServerView.microseconds(roundTrip)
        observe(now)
    }

    mutating func ended(after seconds: Double, failed: Bool, now: Double) {
        believed = estimator.estimate.completed(by: believed)
        let told = LinkHazard(failures: failed ? 1 : 0, seconds: seconds)
        history.observe(estimator.estimate, told, now: ServerView.day(now))
    }

    private mutating func observe(_ now: Double, isBeginning: Bool = false) {
        sample.now = UInt64(ServerView.clockStart + now * 1e9)
        sample.bytesReceived = UInt64(bytesReceived)
        sample.segmentsReceived = UInt32(truncatingIfNeeded: UInt64(segments))
        sample.segmentsOutOfOrder = UInt32(truncatingIfNeeded: UInt64(outOfOrder))
        estimator.observe(sample, .upload, isBeginning: isBeginning)
    }

    func plan(
        _ algorithm: ChunkAlgorithm, size: UInt64, bytesLeft: UInt64, now: Double
    ) -> ChunkPlan {
        var facts = TransferFacts(
            size: size, bytesPerSecond: believed.bytesPerSecond.map { UInt64($0) },
            roundTripNanoseconds: believed.roundTripNanoseconds,
            failuresPerSecond: history.hazard(at: ServerView.day(now))
                .failuresPerSecond(.unknown))
        facts.bytesLeft = bytesLeft
        facts.roundTrips = believed.roundTrips
        (facts.history, facts.now) = (history, ServerView.day(now))
        return ChunkPlanner.plan(algorithm, facts)
    }

    private static func microseconds(_ seconds: Double) -> UInt32 { UInt32(seconds * 1e6) }
    private static func day(_ now: Double) -> UInt64 { dayStart + UInt64(now * 1000) }
}
