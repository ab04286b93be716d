// Goal:   whatever length the kernel's structure has, each field is read where it stands, and only
//         if it is there.
// Method: a structure in which every byte is different, cut at every length.

import Testing

@testable import Engine

@Suite struct `What the kernel says of a link` {
    /// No two fields of it are the same.
    private let whole = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }

    private func value(_ offset: Int, _ byteCount: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { $0 | UInt64(whole[offset + $1]) << UInt64(8 * $1) }
    }

    private func expect(
        _ field: UInt64?, _ offset: Int, _ byteCount: Int, ofBytes count: Int,
        _ place: SourceLocation = #_sourceLocation
    ) {
        let isThere = count >= offset + byteCount
        #expect(
            field == (isThere ? value(offset, byteCount) : nil), "\(count) bytes",
            sourceLocation: place)
    }

    @Test func `is read field by field, of every length`() {
        for count in 0...300 {
            let sample = LinkSample(kernel: Array(whole.prefix(count)).span, now: 5)
            #expect(sample.now == 5)
            #expect(sample.isAppLimited == (count > 7 && whole[7] & 1 == 1))
            expect(sample.receivedSegmentBytes.map { UInt64($0) }, 20, 4, ofBytes: count)
            expect(sample.roundTripMicroseconds.map { UInt64($0) }, 68, 4, ofBytes: count)
            expect(sample.receiverRoundTripMicroseconds.map { UInt64($0) }, 92, 4, ofBytes: count)
            expect(sample.segmentsResent.map { UInt64($0) }, 100, 4, ofBytes: count)
            expect(sample.bytesAcknowledged, 120, 8, ofBytes: count)
            expect(sample.bytesReceived, 128, 8, ofBytes: count)
            expect(sample.segmentsSent.map { UInt64($0) }, 136, 4, ofBytes: count)
            expect(sample.segmentsReceived.map { UInt64($0) }, 140, 4, ofBytes: count)
            expect(sample.roundTripMicrosecondsMin.map { UInt64($0) }, 148, 4, ofBytes: count)
            expect(sample.deliveryBytesPerSecond, 160, 8, ofBytes: count)
            expect(sample.segmentsOutOfOrder.map { UInt64($0) }, 224, 4, ofBytes: count)
            expect(sample.receiveWindowBytes.map { UInt64($0) }, 232, 4, ofBytes: count)
            #expect(sample.isWhole(.upload) == (count >= 228))
            #expect(sample.isWhole(.download) == (count >= 152))
        }
    }

    @Test func `has no round trip and no rate before the first`() {
        let none = LinkSample(kernel: [UInt8](repeating: 0, count: 280).span, now: 0)
        #expect(none.roundTripMicroseconds == nil && none.roundTripMicrosecondsMin == nil)
        #expect(none.receiverRoundTripMicroseconds == nil)
        #expect(none.deliveryBytesPerSecond == nil)
        // Counts of nothing are counts.
        #expect(none.bytesReceived == 0 && none.segmentsSent == 0 && none.segmentsResent == 0)
        #expect(!none.isAppLimited)
        let unset = LinkSample(kernel: [UInt8](repeating: 0xff, count: 280).span, now: 0)
        #expect(unset.roundTripMicrosecondsMin == nil)
        #expect(unset.roundTripMicroseconds == .max)
        #expect(unset.isAppLimited)
    }
}
