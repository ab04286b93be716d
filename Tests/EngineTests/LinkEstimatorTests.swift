// Goal:   the estimator believes what a kernel can have measured, and nothing else breaks it.
// Method: samples written out by hand, each with what is missing, wrong or absurd in it.

import Testing

@testable import Engine

private let millisecond: UInt64 = 1_000_000

/// An upload at a megabyte a second, 20 ms away.
private func upload(_ milliseconds: UInt64, _ bytes: UInt64) -> LinkSample {
    var sample = LinkSample(now: (1000 + milliseconds) * millisecond)
    sample.bytesReceived = bytes
    sample.receiverRoundTripMicroseconds = 20_000
    return sample
}

private func download(_ milliseconds: UInt64, _ rate: UInt64?, acknowledged: UInt64?) -> LinkSample
{
    var sample = LinkSample(now: (1000 + milliseconds) * millisecond)
    sample.deliveryBytesPerSecond = rate
    sample.bytesAcknowledged = acknowledged
    sample.roundTripMicroseconds = 20_000
    return sample
}

/// Uploads at 1,000,000 bytes a second in steps of 20 ms, from 0 on.
private func steady(_ steps: UInt64) -> LinkEstimator {
    var estimator = LinkEstimator()
    for step in 0...steps { estimator.observe(upload(step * 20, step * 20_000), .upload) }
    return estimator
}

@Suite struct `The estimate of a link` {
    @Test func `is nothing before there is evidence`() {
        var estimator = LinkEstimator()
        #expect(estimator.estimate == LinkEstimate())
        estimator.observe(LinkSample(now: 5), .upload)
        estimator.observe(LinkSample(now: 6), .download)
        #expect(estimator.estimate == LinkEstimate())
        estimator.observe(upload(0, 0), .upload)
        #expect(estimator.estimate.bytesPerSecond == nil)
        #expect(estimator.estimate.roundTripNanoseconds == 20 * millisecond)
    }

    @Test func `of an upload is what came by the time that passed`() {
        let estimate = steady(12).estimate
        #expect(estimate.bytesPerSecond == 1_000_000)
        #expect(estimate.roundTrips == 11, "the first of twelve was growth")
    }

    @Test func `takes no interval shorter than a round trip`() {
        var estimator = LinkEstimator()
        for (time, bytes) in [(0, 0), (5, 64_000), (10, 64_000), (15, 64_000)] {
            estimator.observe(upload(UInt64(time), UInt64(bytes)), .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == nil)
        estimator.observe(upload(20, 64_000), .upload)
        #expect(estimator.estimate.bytesPerSecond == 3_200_000)
    }

    @Test func `says on how little it rests while the rate grows`() {
        var estimator = LinkEstimator()
        var bytes: UInt64 = 0
        for round in 0..<8 as Range<UInt64> {
            estimator.observe(upload(round * 20, bytes), .upload)
            #expect(estimator.estimate.roundTrips < LinkEstimate.roundTripsEnough)
            bytes += 14_480 << round
        }
    }

    @Test func `forgets a rate ten round trips after it was last seen`() {
        var estimator = steady(12)
        for step in 1...8 as ClosedRange<UInt64> {
            estimator.observe(upload(240 + step * 20, 240_000 + step * 10_000), .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
        for step in 9...30 as ClosedRange<UInt64> {
            estimator.observe(upload(240 + step * 20, 240_000 + step * 10_000), .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == 500_000)
    }

    @Test func `is not lowered by a pause, but by a link that has become slow`() {
        var estimator = steady(12)
        estimator.observe(upload(5240, 240_300), .upload)
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
        for step in 1...40 as ClosedRange<UInt64> {
            estimator.observe(upload(5240 + step * 20, 240_300 + step * 200), .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == 10_000)
    }

    @Test func `has no rest between transfers in it, however short they are`() {
        var estimator = LinkEstimator()
        // 256 KiB in two milliseconds, over a link of a gigabit a second, ten times a second.
        for start in stride(from: 0, to: 4000, by: 100) as StrideTo<UInt64> {
            var sample = upload(start, start / 100 * 262_144)
            sample.receiverRoundTripMicroseconds = 300
            estimator.observe(sample, .upload, isBeginning: true)
            sample = upload(start + 2, (start / 100 + 1) * 262_144)
            sample.receiverRoundTripMicroseconds = 300
            estimator.observe(sample, .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == nil && estimator.estimate.roundTrips == 0)
        #expect(LinkClass.classify(estimator.estimate) == .lan)
        // Nor is a rate that is known forgotten by them.
        estimator = steady(12)
        let known = estimator.estimate
        for start in stride(from: 240, to: 40_240, by: 1000) as StrideTo<UInt64> {
            let bytes = (start - 240) / 1000 * 200_000 + 240_000
            estimator.observe(upload(start, bytes), .upload, isBeginning: true)
            estimator.observe(upload(start + 10, bytes + 200_000), .upload)
        }
        #expect(estimator.estimate == known)
    }

    @Test func `of short downloads is what the kernel measured, and on an older one none`() {
        var (told, untold) = (LinkEstimator(), LinkEstimator())
        for start in stride(from: 0, to: 4000, by: 100) as StrideTo<UInt64> {
            for (time, bytes) in [(start, start * 1000), (start + 2, start * 1000 + 100_000)] {
                let isBeginning = time == start
                told.observe(
                    download(time, 90_000_000, acknowledged: bytes), .download,
                    isBeginning: isBeginning)
                untold.observe(
                    download(time, nil, acknowledged: bytes), .download, isBeginning: isBeginning)
            }
        }
        #expect(told.estimate.bytesPerSecond == 90_000_000)
        #expect(told.estimate.roundTrips >= LinkEstimate.roundTripsEnough)
        #expect(untold.estimate.bytesPerSecond == nil)
    }

    @Test func `is not lowered by what our own window holds back`() {
        var estimator = steady(12)
        for step in 1...40 as ClosedRange<UInt64> {
            var sample = upload(240 + step * 20, 240_000 + step * 4000)
            sample.receiveWindowBytes = 3000
            estimator.observe(sample, .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
    }

    @Test func `counts segments where bytes wait behind a gap and then leap`() {
        var estimator = LinkEstimator()
        for step in 0..<80 as Range<UInt64> {
            // Ten segments each time; from the 10th on one is missing, until the 13th brings it.
            let isGap = (10..<13).contains(step)
            var sample = upload(step * 20, (isGap ? 10 : step) * 20_000)
            sample.segmentsReceived = UInt32(step * 10)
            sample.segmentsOutOfOrder = UInt32(isGap ? (step - 9) * 9 : step < 10 ? 0 : 27)
            estimator.observe(sample, .upload)
        }
        let rate = estimator.estimate.bytesPerSecond ?? 0
        #expect(rate > 950_000 && rate < 1_050_000, "\(rate)")
        // A gap of three round trips among eighty, of ten segments each.
        let share = estimator.estimate.lossShare ?? 0
        #expect(share > 2 / 800.0 && share < 4 / 800.0, "\(share)")
    }

    @Test func `of a download is what the kernel measured`() {
        var estimator = LinkEstimator()
        for step in 0...12 as ClosedRange<UInt64> {
            estimator.observe(
                download(step * 20, 1_000_000, acknowledged: step * 20_000), .download)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
        #expect(estimator.estimate.roundTrips == 11)
        var bounded = download(300, 400_000, acknowledged: 300_000)
        bounded.isAppLimited = true
        for step in 0...30 as ClosedRange<UInt64> {
            bounded.now += 20 * millisecond
            bounded.bytesAcknowledged = 300_000 + step * 8000
            estimator.observe(bounded, .download)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000, "we had no more to send")
        bounded.now += 20 * millisecond
        bounded.deliveryBytesPerSecond = 2_000_000
        bounded.bytesAcknowledged = 900_000
        estimator.observe(bounded, .download)
        #expect(estimator.estimate.bytesPerSecond == 2_000_000, "even so it was faster")
    }

    @Test func `of a download on an older kernel is what was acknowledged`() {
        var estimator = LinkEstimator()
        for step in 0...12 as ClosedRange<UInt64> {
            estimator.observe(download(step * 20, nil, acknowledged: step * 20_000), .download)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
    }

    @Test func `does not take what the kernel repeats for evidence`() {
        var estimator = LinkEstimator()
        for step in 0...40 as ClosedRange<UInt64> {
            estimator.observe(download(step * 20, 1_000_000, acknowledged: 20_000), .download)
        }
        #expect(estimator.estimate.bytesPerSecond == nil)
    }

    @Test func `keeps the two directions apart`() {
        var estimator = steady(12)
        for step in 0...5 as ClosedRange<UInt64> {
            estimator.observe(
                download(240 + step * 20, 5_000_000, acknowledged: 1 + step), .download)
        }
        #expect(estimator.estimate.bytesPerSecond == 5_000_000)
        estimator.observe(upload(360, 360_000), .upload)
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
    }
}

@Suite struct `The round trip of a link` {
    @Test func `is the least of ten seconds`() {
        var estimator = LinkEstimator()
        for (second, microseconds) in [(0, 50_000), (1, 20_000), (5, 40_000)] {
            var sample = LinkSample(now: UInt64(1 + second) * 1000 * millisecond)
            sample.roundTripMicroseconds = UInt32(microseconds)
            estimator.observe(sample, .download)
        }
        #expect(estimator.estimate.roundTripNanoseconds == 20 * millisecond)
        for second in 6...14 {
            var sample = LinkSample(now: UInt64(1 + second) * 1000 * millisecond)
            sample.roundTripMicroseconds = 45_000
            // Minutes old, and the same each time.
            sample.roundTripMicrosecondsMin = 20_000
            estimator.observe(sample, .download)
        }
        #expect(estimator.estimate.roundTripNanoseconds == 20 * millisecond)
        for second in 15...30 {
            var sample = LinkSample(now: UInt64(1 + second) * 1000 * millisecond)
            sample.roundTripMicroseconds = 45_000
            sample.roundTripMicrosecondsMin = 20_000
            estimator.observe(sample, .download)
        }
        #expect(estimator.estimate.roundTripNanoseconds == 45 * millisecond)
    }

    @Test(arguments: [UInt32(0), .max, 60_000_001])
    func `is not what cannot be one`(microseconds: UInt32) {
        var estimator = LinkEstimator()
        var sample = LinkSample(now: 1)
        sample.roundTripMicroseconds = microseconds
        sample.receiverRoundTripMicroseconds = microseconds
        sample.roundTripMicrosecondsMin = microseconds
        estimator.observe(sample, .upload)
        #expect(estimator.estimate.roundTripNanoseconds == nil)
    }
}

@Suite struct `A sample that cannot be` {
    @Test func `neither moves the estimate nor breaks it: clocks`() {
        var estimator = steady(12)
        let before = estimator.estimate
        // Back, standing still, and years ahead.
        for now in [0, 1, 1, UInt64.max / 2, .max, 0] as [UInt64] {
            var sample = upload(0, 240_000)
            sample.now = now
            estimator.observe(sample, .upload)
            #expect(estimator.estimate.bytesPerSecond == before.bytesPerSecond)
        }
        for step in 0...12 as ClosedRange<UInt64> {
            estimator.observe(upload(9000 + step * 20, 240_000 + step * 20_000), .upload)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
    }

    @Test func `neither moves the estimate nor breaks it: counters`() {
        var estimator = steady(12)
        for (index, bytes) in [0, .max, 1, .max - 5, 240_000].enumerated() as EnumeratedCounts {
            var sample = upload(260 + UInt64(index) * 20, bytes)
            sample.segmentsReceived = index % 2 == 0 ? .max : 3
            sample.segmentsOutOfOrder = index % 2 == 0 ? 7 : .max
            estimator.observe(sample, .upload)
            let rate = estimator.estimate.bytesPerSecond ?? 0
            #expect(rate <= LinkEstimator.bytesPerSecondMax && rate >= 1_000_000 * 0.99)
        }
    }

    @Test func `is bounded in what a download's kernel may say`() {
        var estimator = LinkEstimator()
        for step in 0...12 as ClosedRange<UInt64> {
            let rate: UInt64 = step % 2 == 0 ? .max : 1_000_000
            estimator.observe(
                download(step * 20, rate, acknowledged: step * 20_000), .download)
        }
        #expect(estimator.estimate.bytesPerSecond == 1_000_000)
    }

    @Test func `counts across a wrap of 32 bits`() {
        var estimator = LinkEstimator()
        for step in 0...30 as ClosedRange<UInt64> {
            var sample = download(step * 20, 1_000_000, acknowledged: step * 20_000)
            sample.segmentsSent = UInt32.max - 50 &+ UInt32(step * 20)
            sample.segmentsResent = UInt32.max - 3 &+ UInt32(step * 2)
            estimator.observe(sample, .download)
        }
        #expect(estimator.estimate.lossShare == 0.1)
    }

    @Test func `of any kind leaves every figure within bounds`() {
        var random = Numbers(state: 7)
        var estimator = LinkEstimator()
        func any32() -> UInt32? { Bool.random(using: &random) ? nil : extreme32(&random) }
        for _ in 0..<5000 {
            var sample = LinkSample(now: extreme64(&random))
            sample.bytesReceived = Bool.random(using: &random) ? nil : extreme64(&random)
            sample.bytesAcknowledged = Bool.random(using: &random) ? nil : extreme64(&random)
            sample.deliveryBytesPerSecond = Bool.random(using: &random) ? nil : extreme64(&random)
            sample.isAppLimited = Bool.random(using: &random)
            sample.roundTripMicroseconds = any32()
            sample.roundTripMicrosecondsMin = any32()
            sample.receiverRoundTripMicroseconds = any32()
            sample.receivedSegmentBytes = any32()
            sample.segmentsSent = any32()
            sample.segmentsResent = any32()
            sample.segmentsReceived = any32()
            sample.segmentsOutOfOrder = any32()
            sample.receiveWindowBytes = any32()
            estimator.observe(
                sample, Bool.random(using: &random) ? .upload : .download,
                isBeginning: Bool.random(using: &random))
            let estimate = estimator.estimate
            let rate = estimate.bytesPerSecond ?? 1
            let isBounded =
                rate > 0 && rate <= LinkEstimator.bytesPerSecondMax
                && estimate.roundTripNanoseconds ?? 1 <= 60_000_000_000
                && (0...1).contains(estimate.lossShare ?? 0)
                && (0...1e6).contains(estimate.roundTrips)
            #expect(isBounded, "\(sample): \(estimate)")
        }
    }
}

private typealias EnumeratedCounts = EnumeratedSequence<[UInt64]>

private func extreme64(_ random: inout Numbers) -> UInt64 {
    UInt64.random(in: 0...UInt64.max >> UInt64.random(in: 0...60, using: &random), using: &random)
}

private func extreme32(_ random: inout Numbers) -> UInt32 {
    UInt32.random(in: 0...UInt32.max >> UInt32.random(in: 0...28, using: &random), using: &random)
}
