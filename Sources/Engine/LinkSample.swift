/// What the kernel says of one connection at one moment, as far as this kernel says it.

public struct LinkSample: Equatable, Sendable {
    /// Monotonic, in nanoseconds: `EventLoop.now`.
    public var now: UInt64
    /// In-order bytes that have come since the connection began (`tcpi_bytes_received`, Linux 4.1).
    public var bytesReceived: UInt64?
    /// Bytes that the peer has acknowledged since then (`tcpi_bytes_acked`, Linux 4.1).
    public var bytesAcknowledged: UInt64?
    /// The kernel's estimate of what the peer receives, in bytes a second (`tcpi_delivery_rate`,
    /// Linux 4.9).
    public var deliveryBytesPerSecond: UInt64?
    /// That estimate was bounded by what we had to send, not by the link
    /// (`tcpi_delivery_rate_app_limited`).
    public var isAppLimited: Bool
    /// Smoothed (`tcpi_rtt`); nil before the first measurement.
    public var roundTripMicroseconds: UInt32?
    /// The least in the kernel's own window of minutes (`tcpi_min_rtt`, Linux 4.6).
    public var roundTripMicrosecondsMin: UInt32?
    /// As the receiving side sees it (`tcpi_rcv_rtt`); nil before the first measurement.
    public var receiverRoundTripMicroseconds: UInt32?
    /// Segments sent, and of them sent again (`tcpi_segs_out`, Linux 4.2; `tcpi_total_retrans`).
    public var segmentsSent: UInt32?
    public var segmentsResent: UInt32?
    /// Segments received, and of them out of order (`tcpi_segs_in`; `tcpi_rcv_ooopack`, Linux 5.4).
    public var segmentsReceived: UInt32?
    public var segmentsOutOfOrder: UInt32?
    /// Bytes in the longest segment that came in order (`tcpi_rcv_mss`); 536 or less before there
    /// was a long one.
    public var receivedSegmentBytes: UInt32?
    /// What the peer may still send before we read (`tcpi_rcv_wnd`, Linux 6.2).
    public var receiveWindowBytes: UInt32?

    public init(now: UInt64) {
        self.now = now
        isAppLimited = false
    }
}

/// Which way most bytes of a transfer go, as seen from the server.
public enum LinkDirection: CaseIterable, Sendable { case upload, download }
