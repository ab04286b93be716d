// Goal:   links are told apart as the published table says, and none changes its class all the
//         time.
// Method: the table's rows; estimates and hints that flap for an hour; clocks that step.

import Testing

@testable import Engine

@Suite struct `The class of a link` {
    private static func estimate(
        _ milliseconds: Double?, _ megabits: Double?, loss: Double = 0, roundTrips: Double = 10
    ) -> LinkEstimate {
        var estimate = LinkEstimate()
        estimate.roundTripNanoseconds = milliseconds.map { UInt64($0 * 1e6) }
        estimate.bytesPerSecond = megabits.map { $0 * 1e6 / 8 }
        estimate.lossShare = loss
        estimate.roundTrips = roundTrips
        return estimate
    }

    private static func hints(
        mobile: Bool = false, _ milliseconds: Double? = nil, _ megabits: Double? = nil
    ) -> LinkHints {
        var hints = LinkHints()
        hints.suggestsMobile = mobile
        hints.roundTripNanoseconds = milliseconds.map { UInt64($0 * 1e6) }
        hints.bytesPerSecond = megabits.map { $0 * 1e6 / 8 }
        return hints
    }

    private struct Row {
        var milliseconds, megabits: Double?
        var loss = 0.0
        var hints = LinkHints()
        var current = LinkClass.unknown
        let linkClass: LinkClass
    }

    private static let mobile = hints(mobile: true)
    private static let rows = [
        Row(milliseconds: 0.05, megabits: 8000, linkClass: .lan),
        Row(milliseconds: 1, linkClass: .lan),
        Row(milliseconds: 1, megabits: 4, linkClass: .broadband),
        Row(milliseconds: 8, megabits: 400, linkClass: .fibre),
        Row(milliseconds: 20, megabits: 30, linkClass: .broadband),
        Row(milliseconds: 20, megabits: 30, hints: mobile, linkClass: .mobile),
        Row(milliseconds: 20, megabits: 30, loss: 0.03, linkClass: .mobile),
        Row(milliseconds: 60, megabits: 80, loss: 0.001, hints: mobile, linkClass: .broadband),
        Row(milliseconds: 150, megabits: 10, linkClass: .mobile),
        Row(milliseconds: 180, megabits: 300, linkClass: .broadband),
        Row(milliseconds: 600, megabits: 20, loss: 0.001, linkClass: .satellite),
        Row(milliseconds: 600, linkClass: .satellite),
        Row(milliseconds: 700, megabits: 0.3, linkClass: .mobile),
        Row(current: .lan, linkClass: .unknown),
        Row(hints: hints(300, 1), linkClass: .mobile),
        Row(hints: hints(50, 10), linkClass: .broadband),
        Row(milliseconds: 50, linkClass: .unknown),
        Row(milliseconds: 2.2, megabits: 900, linkClass: .fibre),
        Row(milliseconds: 2.2, megabits: 900, current: .lan, linkClass: .lan),
        Row(milliseconds: 3, megabits: 900, current: .lan, linkClass: .fibre),
        Row(milliseconds: 20, megabits: 85, current: .fibre, linkClass: .fibre),
        Row(milliseconds: 20, megabits: 70, current: .fibre, linkClass: .broadband),
        Row(milliseconds: 20, megabits: 30, loss: 0.018, current: .mobile, linkClass: .mobile),
    ]

    @Test(arguments: rows.indices) func `is that of the table`(index: Int) {
        let row = Self.rows[index]
        let estimate = Self.estimate(row.milliseconds, row.megabits, loss: row.loss)
        let decided = LinkClass.classify(estimate, row.hints, current: row.current)
        #expect(decided == row.linkClass, "row \(index)")
    }

    @Test func `counts a rate after three round trips only`() {
        let early = Self.estimate(20, 400, roundTrips: 2.9)
        #expect(LinkClass.classify(early) == .unknown)
        #expect(LinkClass.classify(early, Self.hints(nil, 10)) == .broadband)
        #expect(LinkClass.classify(Self.estimate(20, 400, roundTrips: 3)) == .fibre)
    }

    @Test func `is decided of every estimate, however absurd`() {
        for value in [0, -1, .nan, .infinity, -.infinity, 1e300, 1e-300] as [Double] {
            var estimate = LinkEstimate()
            estimate.roundTripNanoseconds = 1_000_000
            estimate.bytesPerSecond = value
            estimate.lossShare = value
            estimate.roundTrips = value
            for current in LinkClass.allCases {
                _ = LinkClass.classify(estimate, current: current)
            }
        }
        var long = LinkEstimate()
        long.roundTripNanoseconds = .max
        #expect(LinkClass.classify(long) == .satellite)
    }

    @Test func `is that of both ways together`() {
        let down = Self.estimate(20, 400, loss: 0.001)
        let up = Self.estimate(18, 20, loss: 0.002)
        let both = down.combined(with: up)
        #expect(both == up.combined(with: down))
        #expect(both == Self.estimate(18, 400, loss: 0.002))
        #expect(LinkClass.classify(both) == .fibre && LinkClass.classify(up) == .broadband)
        // One that has just begun takes nothing away, and adds no rate that nobody knows yet.
        #expect(down.combined(with: LinkEstimate()) == down)
        let early = Self.estimate(20, 10_000, roundTrips: 1)
        #expect(down.combined(with: early).bytesPerSecond == down.bytesPerSecond)
        #expect(early.combined(with: LinkEstimate()).bytesPerSecond == nil)
    }

    @Test func `changes once in ten seconds, however estimates and hints flap`() {
        var classifier = LinkClassifier()
        let second: UInt64 = 1_000_000_000
        var changes: [UInt64] = []
        for step in 0..<36_000 as Range<UInt64> {
            let now = step * second / 10
            let isOdd = step % 2 == 1
            let estimate = Self.estimate(isOdd ? 150 : 20, isOdd ? 3 : 400)
            if classifier.observe(estimate, isOdd ? Self.mobile : LinkHints(), now: now) {
                changes.append(now)
            }
        }
        #expect(changes.count > 100 && changes.count <= 361)
        for (before, after) in zip(changes, changes.dropFirst()) {
            #expect(after - before >= 10 * second)
        }
    }

    @Test func `flaps not at all between neighbours`() {
        var classifier = LinkClassifier()
        let isFirst = classifier.observe(Self.estimate(20, 101), LinkHints(), now: 0)
        #expect(isFirst)
        for step in 1..<10_000 as Range<UInt64> {
            let megabits = step % 2 == 0 ? 99.0 : 101
            let hasChanged = classifier.observe(
                Self.estimate(20, megabits), LinkHints(), now: step * 20_000_000_000)
            #expect(!hasChanged)
        }
        #expect(classifier.current == .fibre)
    }

    @Test func `stays when nothing is known any more, and when the clock steps back`() {
        var classifier = LinkClassifier()
        let lan = Self.estimate(0.1, 1000)
        // What is seen when, whether that changes the class, and to which.
        let steps: [(LinkEstimate, UInt64, Bool, LinkClass)] = [
            (lan, 100_000_000_000, true, .lan),
            (LinkEstimate(), 200_000_000_000, false, .lan),
            (Self.estimate(600, 5), 5, true, .satellite),
            (lan, 6, false, .satellite),
            (lan, 10_000_000_005, true, .lan),
        ]
        for (estimate, now, changes, linkClass) in steps {
            let hasChanged = classifier.observe(estimate, LinkHints(), now: now)
            #expect(hasChanged == changes && classifier.current == linkClass, "at \(now)")
        }
    }
}
