// Goal:   a disk that is slower than the processor is overload, too; one that is only slow is none.
// Method: a core that always has so many requests under way and answers so many, for both; then the
//         times by themselves.

import Testing

@testable import Engine

private let millisecond: UInt64 = 1_000_000
private let limits = AdmissionLimits(
    delayTarget: 5 * millisecond, delayInterval: 100 * millisecond)

@Suite struct `Admission by how long requests take` {
    private var now: UInt64 = 1_000_000_000
    private var answers: UInt64 = 0

    /// So many are always under way, and so many are answered a second; no probe is late.
    private mutating func run(
        _ admission: inout Admission, _ count: Int, perSecond: UInt64, milliseconds: UInt64
    ) throws {
        let end = now + milliseconds * millisecond
        while now < end {
            answers += perSecond * 25 / 10_000
            let load = AdmissionLoad(requests: count, pressing: count, answers: answers)
            try admission.probe(late: 0, load, at: &now)
        }
    }

    @Test mutating func `begins after intervals of twenty times the target, and ends`() throws {
        var admission = Admission(limits)
        // 760 at 8000 a second: 95 ms each.
        try run(&admission, 760, perSecond: 8000, milliseconds: 2000)
        #expect(!admission.isShedding)
        try run(&admission, 840, perSecond: 8000, milliseconds: 500)
        #expect(admission.isShedding)
        let full = AdmissionLoad(requests: 840, pressing: 840, answers: answers)
        let refused = admission.refusal(of: 0, full, at: now)
        #expect(refused == .work)
        let one = AdmissionLoad(requests: 50, pressing: 1, answers: answers)
        let taken = admission.refusal(of: 0, one, at: now)
        #expect(taken == nil)
        try run(&admission, 1, perSecond: 4000, milliseconds: 300)
        #expect(!admission.isShedding)
    }

    @Test mutating func `takes what comes in bursts`() throws {
        var admission = Admission(limits)
        for _ in 0..<50 {
            try run(&admission, 800, perSecond: 4000, milliseconds: 80)
            try run(&admission, 0, perSecond: 0, milliseconds: 15)
        }
        #expect(!admission.isShedding)
    }

    @Test mutating func `takes a disk that stands still for once`() throws {
        var admission = Admission(limits)
        for _ in 0..<10 {
            try run(&admission, 400, perSecond: 8000, milliseconds: 900)
            try run(&admission, 400, perSecond: 0, milliseconds: 400)
        }
        #expect(!admission.isShedding)
        var sheds = false
        for _ in 0..<40 {
            try run(&admission, 400, perSecond: 0, milliseconds: 100)
            sheds = sheds || admission.isShedding
        }
        #expect(sheds, "nothing goes on at all")
    }

    private func load(_ count: Int) -> AdmissionLoad {
        AdmissionLoad(requests: count, pressing: count, answers: answers)
    }

    /// A slow disk, that needs many at once.
    @Test mutating func `refuses none of as many as were found to be needed`() throws {
        var admission = Admission(limits)
        try run(&admission, 200, perSecond: 1000, milliseconds: 500)
        #expect(admission.isShedding)
        // Each takes 100 ms, however many there are, and 128 come at a time.
        for _ in 0..<100 where admission.isShedding {
            var count = 0
            for _ in 0..<128 where admission.refusal(of: 0, load(count), at: now) == nil {
                count += 1
                admission.changed(load(count), at: now)
            }
            try run(&admission, count, perSecond: 0, milliseconds: 100)
            while count > 0 {
                count -= 1
                answers += 1
                admission.answered(load(count), at: now)
            }
        }
        #expect(!admission.isShedding, "nobody was refused")
        try run(&admission, 60, perSecond: 400, milliseconds: 2000)
        #expect(!admission.isShedding, "it begins again and again")
        var sheds = false
        for _ in 0..<10 {
            try run(&admission, 200, perSecond: 1200, milliseconds: 100)
            sheds = sheds || admission.isShedding
        }
        #expect(sheds, "it never begins again")
    }
}

@Suite struct `Times of requests` {
    private let interval = 100 * millisecond

    @Test func `follow from how many there are and how many are answered`() {
        var times = WorkTimes(interval: interval)
        var now: UInt64 = 1_000_000_000
        var answers: UInt64 = 0
        var findings: [WorkTimes.Finding] = []
        for step in 0..<120 {
            let load = AdmissionLoad(
                requests: 50, pressing: step.isMultiple(of: 2) ? 20 : 40, answers: answers)
            if let finding = times.look(load, at: now) { findings.append(finding) }
            now += 2_500_000
            answers += 10
        }
        #expect(findings.count >= 2)
        for finding in findings {
            #expect((29...31).contains(finding.count), "\(finding)")
            // 30 of them, 4000 a second.
            #expect((7_000_000...8_000_000).contains(finding.time), "\(finding)")
        }
    }

    /// The longest interval that can be set, and more connections than there are.
    @Test func `may be as long as they like`() {
        let minute: UInt64 = 60_000 * millisecond
        var times = WorkTimes(interval: minute)
        var findings: [WorkTimes.Finding] = []
        for step in 0...24_001 as ClosedRange<UInt64> {
            let load = AdmissionLoad(requests: 100_000, pressing: 100_000, answers: step / 1000)
            let now = 2 * minute + step * 2_500_000
            if let finding = times.look(load, at: now) { findings.append(finding) }
        }
        #expect(findings.count == 1)
        #expect(findings.first?.count == 100_000)
        // 24 answers in a minute: 100,000 take 250,000 s each.
        let seconds = Double(findings.first?.time ?? 0) / 1e9
        #expect((249_000...261_000).contains(seconds), "\(seconds)")
    }

    @Test func `are no matter with gaps, nor after a pause`() {
        var times = WorkTimes(interval: interval)
        var now: UInt64 = 1_000_000_000
        var findings = 0
        for step in 0..<400 {
            let load = AdmissionLoad(
                requests: 50, pressing: step.isMultiple(of: 6) ? 1 : 200,
                answers: UInt64(step))
            if let finding = times.look(load, at: now) {
                #expect(finding.count == 0)
                findings += 1
            }
            now += 2_500_000
        }
        #expect(findings > 5)
        for _ in 0..<5 {
            now += 250 * millisecond
            let finding = times.look(AdmissionLoad(requests: 50, pressing: 50), at: now)
            #expect(finding == nil)
        }
    }
}
