/// What one connection's link can carry, and how far it is, out of what the kernel says now and
/// then.
///
/// Rates come over intervals of a round trip at least: shorter ones measure how packets bunch, not
/// how fast the link is. The greatest of the last ten round trips counts (a client may send less
/// than the link carries, hardly more), of round trips the least of ten seconds. While TCP is still
/// opening its window the rate is a lower bound; `LinkEstimate.roundTrips` says so: it counts those
/// since the rate last grew by a quarter (as BBR tells that a pipe is full), so that it stays near
/// 0 as long as each round trip brings twice what the one before did.
///
/// From three such round trips on the estimate is within 25 % of what the link carries, from ten on
/// within 10 % (EngineTests hold it against simulated links of 1 Mbit/s to 10 Gbit/s and 1 to 600
/// ms, with losses up to 2 %, looked at every second round trip or more often). What waits behind
/// gaps is missing in none by more than 8 %, with losses up to 5 %, from 10 Mbit/s on. What limits
/// it below is that an interval holds a handful of segments: where one of them was lost a fifth is
/// missing.
public struct LinkEstimator: Equatable, Sendable {
    static let rateWindowRoundTrips = 10.0
    static let roundTripWindowNanoseconds = 10e9
    /// Growth by more than this means that the window was still opening.
    static let growth = 1.25
    /// For lack of a measured one: what an interval spans at least. A terrestrial link's.
    static let roundTripAssumed = 0.1e9
    /// What is further away than a minute is no link: nonsense.
    static let roundTripMax = 60e9
    /// A terabit a second.
    static let bytesPerSecondMax = 125e9
    /// On links nearer than this a round trip is a handful of packets, which come in bunches.
    static let intervalMin = 4e6
    /// After an hour without a sample nothing is known of what happened meanwhile.
    static let intervalMax: UInt64 = 3_600_000_000_000

    private var uploads = RateTrack()
    private var downloads = RateTrack()
    private var roundTrip = WindowedExtreme(.least)
    /// The kernel's least as it was last seen: it counts when it changes, for it may be minutes
    /// old.
    private var kernelMin: UInt32 = 0
    private var lastNow: UInt64 = 0
    /// Time that has passed; the clock's steps are not in it.
    private var elapsed = 0.0
    private var direction = LinkDirection.upload

    public init() {}

    /// Counts what is known now. Anything may be missing, go back, wrap or be absurd.
    ///
    /// - Parameter isBeginning: a transfer begins now. Since the sample before its client may have
    ///   rested, which says nothing of the link.
    public mutating func observe(
        _ sample: LinkSample, _ direction: LinkDirection, isBeginning: Bool = false
    ) {
        self.direction = direction
        if lastNow != 0, sample.now > lastNow, sample.now - lastNow <= LinkEstimator.intervalMax {
            elapsed += Double(sample.now - lastNow)
        }
        lastNow = sample.now
        observeRoundTrip(sample, direction)
        let shortest = roundTrip.value ?? LinkEstimator.roundTripAssumed
        switch direction {
        case .upload:
            uploads.received(sample, roundTrip: shortest, isBeginning: isBeginning)
        case .download:
            downloads.delivered(sample, roundTrip: shortest, isBeginning: isBeginning)
        }
    }

    private mutating func observeRoundTrip(_ sample: LinkSample, _ direction: LinkDirection) {
        var shortest = UInt32.max
        if let seen = sample.roundTripMicroseconds, seen > 0 { shortest = min(shortest, seen) }
        if direction == .upload, let seen = sample.receiverRoundTripMicroseconds, seen > 0 {
            shortest = min(shortest, seen)
        }
        if let least = sample.roundTripMicrosecondsMin, least > 0, least != kernelMin {
            kernelMin = least
            shortest = min(shortest, least)
        }
        let nanoseconds = Double(shortest) * 1000
        guard nanoseconds <= LinkEstimator.roundTripMax else { return }
        roundTrip.observe(
            nanoseconds, at: elapsed, window: LinkEstimator.roundTripWindowNanoseconds)
    }

    /// Of the direction that was sampled last.
    public var estimate: LinkEstimate {
        let (track, lossShare) =
            switch direction {
            case .upload: (uploads, uploads.losses.shareByReceiver)
            case .download: (downloads, downloads.losses.shareBySender)
            }
        var estimate = LinkEstimate()
        estimate.bytesPerSecond = track.bytesPerSecond
        estimate.roundTripNanoseconds = roundTrip.value.map { UInt64($0) }
        estimate.lossShare = lossShare
        estimate.roundTrips = track.roundTrips
        return estimate
    }
}
