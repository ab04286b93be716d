// One bulk transfer, segment by segment, with the figures that Linux keeps of it at both ends.

public import Engine

/// A sender that always has something to send, a bottleneck with a queue, and a receiver that
/// acknowledges each segment.
///
///     sender ──▶ queue ▶ bottleneck ──▶ (half a round trip, jitter) ──▶ receiver
///        ▲                                                                 │
///        └──────────────── (half a round trip, jitter) ◀────── acknowledged ┘
///
/// The window doubles each round trip until it is twice what the link holds, and stays: the queue
/// is then as long as the link. Lost segments are sent again when the third one behind them is
/// acknowledged; they do not shrink the window (as with BBR). Links that hold much are played with
/// segments as large as a two hundredth of that, like those that leave a real machine.
public struct PacketFlow: Sendable {
    /// What happens next, in order of time.
    public enum Event: Sendable { case arrived, acknowledged }

    private struct Segment {
        var number: Int
        var isAgain: Bool
        var isLost: Bool
        var sentAt: Double
        var time: Double
        // As in the kernel's `tcp_rate_skb_sent`.
        var firstSentAt: Double
        var deliveredBefore: Int
        var deliveredBeforeAt: Double
    }

    private let stretch: LinkStretch
    public let segmentBytes: Double
    private let windowMax: Double
    private var draws: Draws
    private var window = 10.0
    public private(set) var now = 0.0
    /// Since when the bottleneck has always had something to do.
    public private(set) var fullSince: Double?

    // On the way.
    private var bottleneckFreeAt = 0.0
    private var arrivals = Line()
    private var acknowledgements = Line()
    private var arrivalLast = 0.0
    private var acknowledgementLast = 0.0

    // The sender's end.
    private var nextNumber = 0
    private var inFlight = 0
    private var missing: [(number: Int, sentAt: Double, seenBehind: Int)] = []
    private var delivered = 0
    private var deliveredAt = 0.0
    private var firstSentAt = 0.0
    private var rateDelivered = 0.0
    private var rateSeconds = 0.0
    private var roundTripSmoothed = 0.0
    private var roundTripMin = Double.infinity
    private var sent = 0
    private var resent = 0

    // The receiver's end.
    private var inOrder = 0
    private var behindGap: Set<Int> = []
    private var received = 0
    private var outOfOrder = 0
    private var receiverRoundTrip = 0.0

    public init(_ stretch: LinkStretch, seed: UInt64) {
        self.stretch = stretch
        let held = stretch.bytesPerSecond * stretch.roundTripSeconds
        segmentBytes = max(UploadRun.segmentBytes, held / 200)
        windowMax = max(2 * held / segmentBytes, 10)
        draws = Draws(seed: seed, purpose: 4)
        sendAll()
    }

    // MARK: Time

    public mutating func advance() -> Event {
        let arrival = arrivals.first?.time ?? .infinity
        if arrival <= acknowledgements.first?.time ?? .infinity {
            now = arrival
            arrive(arrivals.removeFirst())
            return .arrived
        }
        let segment = acknowledgements.removeFirst()
        now = segment.time
        acknowledge(segment)
        return .acknowledged
    }

    private mutating func sendAll() {
        while Double(inFlight) < window {
            send(nextNumber, isAgain: false)
            nextNumber += 1
        }
    }

    private mutating func send(_ number: Int, isAgain: Bool) {
        if inFlight == 0 { (firstSentAt, deliveredAt) = (now, now) }
        if bottleneckFreeAt <= now { fullSince = nil }
        let leaves = max(bottleneckFreeAt, now) + segmentBytes / stretch.bytesPerSecond
        if fullSince == nil, leaves - now > stretch.roundTripSeconds / 2 { fullSince = now }
        bottleneckFreeAt = leaves
        let isLost = stretch.lossShare > 0 && draws.happens(stretch.lossShare)
        let arrival = max(leaves + halfRoundTrip(), arrivalLast)
        arrivalLast = arrival
        arrivals.add(
            Segment(
                number: number, isAgain: isAgain, isLost: isLost, sentAt: now, time: arrival,
                firstSentAt: firstSentAt, deliveredBefore: delivered,
                deliveredBeforeAt: deliveredAt))
        inFlight += 1
        sent += 1
        if isAgain { resent += 1 }
    }

    private mutating func halfRoundTrip() -> Double {
        stretch.roundTripSeconds / 2 * (1 + stretch.jitterShare * draws.share())
    }

    // MARK: The receiver

    private mutating func arrive(_ segment: Segment) {
        var segment = segment
        acknowledgementLast = max(now + halfRoundTrip(), acknowledgementLast)
        segment.time = acknowledgementLast
        acknowledgements.add(segment)
        guard !segment.isLost else { return }
        received += 1
        receiverRoundTrip = now - segment.sentAt + stretch.roundTripSeconds / 2
        if segment.number == inOrder {
            inOrder += 1
            while behindGap.remove(inOrder) != nil { inOrder += 1 }
        } else {
            behindGap.insert(segment.number)
            outOfOrder += 1
        }
    }

    /// What the kernel at the receiver's end says: the server's, of an upload.
    public var receiverSample: LinkSample {
        var sample = LinkSample(now: nanoseconds)
        sample.bytesReceived = UInt64(Double(inOrder) * segmentBytes)
        sample.segmentsReceived = UInt32(received)
        sample.segmentsOutOfOrder = UInt32(outOfOrder)
        // Only what comes in order is measured.
        sample.receivedSegmentBytes = inOrder > 0 ? UInt32(segmentBytes) : 536
        if receiverRoundTrip > 0 {
            sample.receiverRoundTripMicroseconds = UInt32(receiverRoundTrip * 1e6)
        }
        sample.roundTripMicroseconds = UInt32(stretch.roundTripSeconds * 1e6)
        sample.roundTripMicrosecondsMin = sample.roundTripMicroseconds
        return sample
    }

    // MARK: The sender

    /// `tcp_rate_skb_delivered` and `tcp_rate_gen`: what was delivered between the moment when this
    /// segment left and now, by the longer of the times that sending it and acknowledging it took.
    private mutating func acknowledge(_ segment: Segment) {
        inFlight -= 1
        if segment.isLost {
            missing.append((segment.number, segment.sentAt, 0))
            return
        }
        delivered += 1
        deliveredAt = now
        firstSentAt = segment.sentAt
        let roundTrip = now - segment.sentAt
        roundTripMin = min(roundTripMin, roundTrip)
        roundTripSmoothed += (roundTrip - roundTripSmoothed) / (roundTripSmoothed == 0 ? 1 : 8)
        let seconds = max(segment.sentAt - segment.firstSentAt, now - segment.deliveredBeforeAt)
        if seconds >= roundTripMin {
            rateDelivered = Double(delivered - segment.deliveredBefore) * segmentBytes
            rateSeconds = seconds
        }
        window = min(window + 1, windowMax)
        resend()
        sendAll()
    }

    /// What three segments behind it have overtaken is lost.
    private mutating func resend() {
        for index in missing.indices { missing[index].seenBehind += 1 }
        while let first = missing.first, first.seenBehind >= 3 {
            missing.removeFirst()
            send(first.number, isAgain: true)
        }
    }

    /// What the kernel at the sender's end says: the server's, of a download.
    public var senderSample: LinkSample {
        var sample = LinkSample(now: nanoseconds)
        sample.bytesAcknowledged = UInt64(Double(delivered) * segmentBytes)
        if rateSeconds > 0 { sample.deliveryBytesPerSecond = UInt64(rateDelivered / rateSeconds) }
        if roundTripSmoothed > 0 {
            sample.roundTripMicroseconds = UInt32(roundTripSmoothed * 1e6)
            sample.roundTripMicrosecondsMin = UInt32(roundTripMin * 1e6)
        }
        sample.segmentsSent = UInt32(sent)
        sample.segmentsResent = UInt32(resent)
        return sample
    }

    private var nanoseconds: UInt64 { 1_000_000_000 + UInt64(now * 1e9) }

    /// First in, first out.
    private struct Line {
        private var segments: [Segment] = []
        private var head = 0

        var first: Segment? { head < segments.count ? segments[head] : nil }

        mutating func add(_ segment: Segment) { segments.append(segment) }

        mutating func removeFirst() -> Segment {
            let segment = segments[head]
            head += 1
            if head > 1024, head * 2 > segments.count {
                segments.removeFirst(head)
                head = 0
            }
            return segment
        }
    }
}
