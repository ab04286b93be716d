/// What is believed of one connection's link, from what the kernel says of it now and then.

public struct LinkEstimator: Sendable {
    public private(set) var estimate = LinkEstimate()
    private var first: LinkSample?
    private var last: LinkSample?

    public init() {}

    public mutating func observe(_ sample: LinkSample, _ direction: LinkDirection) {
        defer { last = sample }
        let first = first ?? sample
        self.first = first
        let trip = sample.roundTripMicrosecondsMin ?? sample.roundTripMicroseconds
        if let trip { estimate.roundTripNanoseconds = UInt64(trip) * 1000 }
        guard let last, sample.now > last.now else { return }
        let seconds = Double(sample.now - last.now) / 1e9
        if let trip { estimate.roundTrips = Double(sample.now - first.now) / 1e3 / Double(trip) }
        switch direction {
        case .upload:
            guard let now = sample.bytesReceived, let before = last.bytesReceived, now >= before
            else { return }
            estimate.bytesPerSecond = max(
                estimate.bytesPerSecond ?? 0, Double(now - before) / seconds)
        case .download:
            guard let rate = sample.deliveryBytesPerSecond else { return }
            estimate.bytesPerSecond = max(estimate.bytesPerSecond ?? 0, Double(rate))
        }
    }
}
