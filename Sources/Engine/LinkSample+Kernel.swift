// What `struct tcp_info` says, of whichever length the kernel's is.
//
// Fields are found by their offset in <linux/tcp.h>; none has ever moved, new ones stand at the
// end. Offsets in bytes, all little-endian:
//
//     |   7 | tcpi_delivery_rate_app_limited, bit 0 of the byte | Linux 4.9  |
//     |  20 | tcpi_rcv_mss                                      | 2.6        |
//     |  68 | tcpi_rtt, microseconds; 0 before the first        | 2.6        |
//     |  92 | tcpi_rcv_rtt, microseconds; 0 before the first    | 2.6        |
//     | 100 | tcpi_total_retrans                                | 2.6        |
//     | 120 | tcpi_bytes_acked, 64 bits                         | 4.1        |
//     | 128 | tcpi_bytes_received, 64 bits                      | 4.1        |
//     | 136 | tcpi_segs_out                                     | 4.2        |
//     | 140 | tcpi_segs_in                                      | 4.2        |
//     | 148 | tcpi_min_rtt, microseconds; 2³² - 1 or 0: none    | 4.6        |
//     | 160 | tcpi_delivery_rate, 64 bits; 0: none              | 4.9        |
//     | 224 | tcpi_rcv_ooopack                                  | 5.4        |
//     | 232 | tcpi_rcv_wnd                                      | 6.2        |

extension LinkSample {
    /// More than any kernel's structure has (6.18: 280).
    public static let kernelBytesMax = 512

    /// - Parameters:
    ///   - kernel: any prefix of the structure; a field that is not whole is none.
    ///   - now: monotonic nanoseconds.
    public init(kernel bytes: Span<UInt8>, now: UInt64) {
        self.init(now: now)
        isAppLimited = bytes.count > 7 && bytes[7] & 1 != 0
        roundTripMicroseconds = LinkSample.word(bytes, at: 68).flatMap { $0 == 0 ? nil : $0 }
        receiverRoundTripMicroseconds = LinkSample.word(bytes, at: 92)
            .flatMap { $0 == 0 ? nil : $0 }
        segmentsResent = LinkSample.word(bytes, at: 100)
        bytesAcknowledged = LinkSample.longWord(bytes, at: 120)
        bytesReceived = LinkSample.longWord(bytes, at: 128)
        segmentsSent = LinkSample.word(bytes, at: 136)
        segmentsReceived = LinkSample.word(bytes, at: 140)
        roundTripMicrosecondsMin = LinkSample.word(bytes, at: 148)
            .flatMap { $0 == 0 || $0 == .max ? nil : $0 }
        deliveryBytesPerSecond = LinkSample.longWord(bytes, at: 160)
            .flatMap { $0 == 0 ? nil : $0 }
        receivedSegmentBytes = LinkSample.word(bytes, at: 20)
        segmentsOutOfOrder = LinkSample.word(bytes, at: 224)
        receiveWindowBytes = LinkSample.word(bytes, at: 232)
    }

    /// Whether the kernel said all that an estimate can make use of in that direction.
    public func isWhole(_ direction: LinkDirection) -> Bool {
        switch direction {
        case .upload: bytesReceived != nil && segmentsOutOfOrder != nil
        case .download: bytesAcknowledged != nil && roundTripMicrosecondsMin != nil
        }
    }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt32? {
        guard offset + 4 <= bytes.count else { return nil }
        return UInt32(truncatingIfNeeded: littleEndian(bytes.extracting(offset..<offset + 4)))
    }

    private static func longWord(_ bytes: Span<UInt8>, at offset: Int) -> UInt64? {
        guard offset + 8 <= bytes.count else { return nil }
        return littleEndian(bytes.extracting(offset..<offset + 8))
    }

    /// As x86-64 and arm64 have it.
    private static func littleEndian(_ bytes: Span<UInt8>) -> UInt64 {
        bytes.indices.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
}
