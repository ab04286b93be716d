// Goal:   what a link's class says of sockets and buffers is decided as documented, and nothing is
//         that an operator has not let, or that nobody knows.
// Method: every class, with rates from none to absurd ones.

import IO
import Testing

@testable import Engine

@Suite struct `The tuning of a link` {
    private func estimate(_ bytesPerSecond: Double?, roundTrips: Double = 3) -> LinkEstimate {
        var estimate = LinkEstimate()
        estimate.bytesPerSecond = bytesPerSecond
        estimate.roundTrips = roundTrips
        return estimate
    }

    private var all: LinkTuning.Choices {
        var choices = LinkTuning.Choices()
        choices.paces = true
        choices.congestionControls = [.reno, .bbr, .cubic]
        choices.systemControl = .cubic
        return choices
    }

    @Test func `leaves fast links and unknown ones alone`() {
        for linkClass in [LinkClass.unknown, .lan, .fibre] {
            for rate in [nil, 1e3, 1e6, 1e9] as [Double?] {
                var tuning = LinkTuning.decide(linkClass, estimate(rate), all)
                tuning.startBytes = 0
                #expect(tuning == LinkTuning())
            }
        }
        // Of a class whose rate is not known, or is that of a fast link, only what it loses counts.
        for rate in [nil, 12_500_000, 1e9] as [Double?] {
            let tuning = LinkTuning.decide(.broadband, estimate(rate), all)
            #expect(tuning.unsentBytesMax == 0 && tuning.bufferBytesMax == .max)
            #expect(tuning.pacingBytesPerSecond == nil && tuning.congestionControl == nil)
        }
        #expect(LinkTuning.decide(.satellite, estimate(1e9), all).congestionControl == .bbr)
    }

    @Test func `bounds what waits for slow links`() {
        for linkClass in [LinkClass.broadband, .mobile, .satellite] {
            let slow = LinkTuning.decide(linkClass, estimate(100_000), LinkTuning.Choices())
            #expect(slow.unsentBytesMax == 128 << 10)
            #expect(slow.bufferBytesMax == 256 << 10)
            #expect(slow.startBytes == 10_000)
            #expect(slow.pacingBytesPerSecond == nil && slow.congestionControl == nil)
            let faster = LinkTuning.decide(linkClass, estimate(5e6), LinkTuning.Choices())
            #expect(faster.unsentBytesMax == 1_000_000)
            #expect(faster.startBytes == 500_000)
        }
    }

    @Test func `begins fast ones with large buffers`() {
        #expect(LinkTuning.decide(.lan, estimate(1e9), all).startBytes == 1 << 20)
        #expect(LinkTuning.decide(.fibre, estimate(5e6), all).startBytes == 500_000)
        #expect(LinkTuning.decide(.unknown, estimate(5e6), all).startBytes == 0)
    }

    @Test func `paces and controls only where it may`() {
        #expect(
            LinkTuning.decide(.broadband, estimate(1e6), all).pacingBytesPerSecond == 2_000_000)
        #expect(LinkTuning.decide(.broadband, estimate(1e6), all).congestionControl == nil)
        let young = estimate(1e6, roundTrips: 2.9)
        #expect(LinkTuning.decide(.broadband, young, all).pacingBytesPerSecond == nil)
        #expect(LinkTuning.decide(.broadband, young, all).unsentBytesMax == 200_000)
        #expect(LinkTuning.decide(.mobile, estimate(1e6), all).congestionControl == .bbr)
        #expect(LinkTuning.decide(.mobile, estimate(1e6), all).pacingBytesPerSecond == nil)
        var none = all
        none.congestionControls = [.reno, .cubic]
        #expect(LinkTuning.decide(.mobile, estimate(1e6), none).congestionControl == nil)
        #expect(LinkTuning.decide(.mobile, estimate(1e6), none).pacingBytesPerSecond == 2_000_000)
        // What everybody has need not be chosen; and what cannot be taken back is not.
        for system in [CongestionControl.bbr, nil] {
            var choices = all
            choices.systemControl = system
            #expect(LinkTuning.decide(.mobile, estimate(1e6), choices).congestionControl == nil)
        }
    }

    @Test func `is decided anew when the rate has changed, or is known at last`() {
        for (old, new, isOutdated) in [
            (nil, nil, false), (nil, 1, true), (1e6, 1.25e6, false), (1e6, 1.26e6, true),
            (1e6, 0.81e6, false), (1e6, 0.79e6, true), (1e6, nil, true), (1e6, .nan, false),
        ] as [(Double?, Double?, Bool)] {
            #expect(LinkTuning.isOutdated(estimate(old), by: estimate(new)) == isOutdated)
        }
        let young = estimate(1e6, roundTrips: 2)
        #expect(LinkTuning.isOutdated(young, by: estimate(1e6)))
        #expect(!LinkTuning.isOutdated(young, by: estimate(1e6, roundTrips: 2.5)))
        #expect(!LinkTuning.isOutdated(estimate(1e6), by: young))
    }

    @Test func `stays within bounds for every rate`() {
        for rate in [0, -1, .nan, .infinity, 1e300, 1e-300, 12_499_999] as [Double] {
            for linkClass in LinkClass.allCases {
                let tuning = LinkTuning.decide(linkClass, estimate(rate), all)
                #expect((0...1 << 20).contains(tuning.startBytes))
                #expect(tuning.unsentBytesMax <= 4 << 20)
                #expect(tuning.pacingBytesPerSecond ?? 1 > 0)
            }
        }
    }
}

@Suite struct `A watched transfer` {
    private let millisecond: UInt64 = 1_000_000

    @Test func `is one of 256 KiB at least, or of unknown length`() {
        #expect(TransferWatch(.upload, bytes: (256 << 10) - 1, now: 0) == nil)
        #expect(TransferWatch(.upload, bytes: 0, now: 0) == nil)
        #expect(TransferWatch(.upload, bytes: 256 << 10, now: 0) != nil)
        #expect(TransferWatch(.download, bytes: nil, now: 0) != nil)
    }

    /// When, in milliseconds, it is sampled of which something passes every `step`.
    private func samples(every step: UInt64, until end: UInt64) throws -> [UInt64] {
        var watch = try #require(TransferWatch(.download, bytes: nil, now: 7))
        var moments: [UInt64] = []
        for now in stride(from: 0, through: end, by: UInt64.Stride(step)) {
            if watch.moved(1, now: 7 + now * millisecond) { moments.append(now) }
        }
        #expect(watch.bytes == end / step + 1)
        return moments
    }

    @Test func `is sampled the oftener the younger it is`() throws {
        #expect(
            try samples(every: 1, until: 666) == [
                10, 20, 30, 40, 50, 63, 79, 99, 124, 155, 194, 243, 304, 380, 475, 575,
            ])
        #expect(try samples(every: 30, until: 210) == [30, 60, 90, 120, 150, 210])
        // Of a slow one with each buffer.
        #expect(try samples(every: 130, until: 520) == [130, 260, 390, 520])
        // However much passes, no oftener than ten times a second for long.
        #expect(try samples(every: 1, until: 10_000).count < 112)
    }

    @Test func `knows how much has passed, and how long that took`() throws {
        var watch = try #require(TransferWatch(.download, bytes: nil, now: 0))
        for now in 0..<8 { _ = watch.moved(1 << 30, now: UInt64(now)) }
        #expect(watch.bytes == 8 << 30)
        #expect(watch.seconds(now: 500 * millisecond) == 0.5)
    }

    @Test func `takes no time by a clock that steps back`() throws {
        var watch = try #require(TransferWatch(.upload, bytes: nil, now: 1000 * millisecond))
        var isDue = watch.moved(1, now: 1)
        #expect(!isDue)
        #expect(watch.seconds(now: 1) == 0)
        // It is asked for again a step after that.
        isDue = watch.moved(1, now: 10 * millisecond)
        #expect(!isDue)
        isDue = watch.moved(1, now: 10 * millisecond + 1)
        #expect(isDue)
    }
}

@Suite struct `The means of links` {
    private let minute: UInt64 = 60_000_000_000

    private func record(
        _ rate: Double?, _ milliseconds: UInt64?, failed: Bool = false,
        _ linkClass: LinkClass = .lan
    ) -> TransferRecord {
        var estimate = LinkEstimate()
        estimate.bytesPerSecond = rate
        estimate.roundTripNanoseconds = milliseconds.map { $0 * 1_000_000 }
        return TransferRecord(
            .download, linkClass: linkClass, estimate: estimate, bytes: 1, seconds: 1,
            hasFailed: failed)
    }

    @Test func `are of one class and direction`() {
        var means = LinkMeans()
        means.add(record(100, 10), now: 0)
        means.add(record(300, nil, failed: true), now: 0)
        means.add(record(nil, 30), now: 0)
        let row = means.row(.lan, .download, now: 0)
        #expect(row.bytesPerSecond == 200 && row.latencySeconds == 0.02)
        #expect(row.reliability == 2.0 / 3)
        let nothing = LinkMeans.Row(bytesPerSecond: nil, latencySeconds: nil, reliability: nil)
        #expect(means.row(.lan, .upload, now: 0) == nothing)
        #expect(means.row(.mobile, .download, now: 0) == nothing)
    }

    @Test func `forget half in five minutes, and all at last`() {
        var means = LinkMeans()
        means.add(record(100, 10), now: 0)
        means.add(record(400, 10), now: 5 * minute)
        #expect(means.row(.lan, .download, now: 5 * minute).bytesPerSecond == 300)
        // As long as nothing new comes, it is what it was.
        #expect(means.row(.lan, .download, now: 30 * minute).bytesPerSecond == 300)
        #expect(means.row(.lan, .download, now: 60 * minute).bytesPerSecond == nil)
        #expect(means.row(.lan, .download, now: .max).bytesPerSecond == nil)
    }

    @Test func `of several cores are as if they were of one`() {
        var (one, other) = (LinkMeans(), LinkMeans())
        one.add(record(100, 10), now: 0)
        other.add(record(400, 10, failed: true), now: 5 * minute)
        one.merge(other)
        let row = one.row(.lan, .download, now: 5 * minute)
        #expect(row.bytesPerSecond == 300)
        #expect(row.reliability == 1.0 / 3)
    }

    @Test func `take no absurd rates, nor steps of the clock`() {
        var means = LinkMeans()
        for rate in [Double.nan, .infinity, -1] { means.add(record(rate, 1), now: minute) }
        #expect(means.row(.lan, .download, now: minute).bytesPerSecond == nil)
        means.add(record(5, 1), now: 0)
        #expect(means.row(.lan, .download, now: 0).bytesPerSecond == 5)
    }
}
