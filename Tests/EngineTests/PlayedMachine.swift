// A core without a kernel: requests that come by chance, each of a few steps that wait in one line.

import BenchMeasure

@testable import Engine

struct PlayedMachine {
    private enum Event {
        case arrival
        /// A request that has begun, and so many steps that it still has.
        case step(begun: UInt64, left: Int)
        case probe
    }

    private static let stepCount = 4
    private static let stepTime: UInt64 = 50_000
    /// So many events are worked off before the clock is looked at, as Linux 6.18 hands them out.
    private static let turnMax = 20

    var load: Double
    /// Nanoseconds.
    var refusalTime: UInt64 = 10_000
    /// With so many in line nobody else comes: each client has one connection.
    var lineMax = Int.max
    private var admission: Admission
    private var random: SplitMix64
    private var now: UInt64 = 1_000_000_000
    private var nextArrival: UInt64 = 1_000_000_000
    private var probeAt: UInt64 = .max
    private var line: [Event] = []
    private var underWay = 0
    private var answers: UInt64 = 0
    private(set) var finished = 0
    private(set) var refused = 0
    /// The longest that one which was taken has been under way.
    private(set) var longest: UInt64 = 0

    init(_ limits: AdmissionLimits, load: Double, seed: UInt64) {
        admission = Admission(limits)
        self.load = load
        random = SplitMix64(seed: seed)
    }

    /// Requests a second.
    var capacity: Double {
        1e9 / Double(PlayedMachine.stepTime * UInt64(PlayedMachine.stepCount))
    }

    /// What a refusal costs, in requests.
    var refusalShare: Double { Double(refusalTime) / 1e9 * capacity }

    mutating func forget() { (finished, refused, longest) = (0, 0, 0) }

    mutating func run(seconds: UInt64) {
        let end = now + seconds * 1_000_000_000
        while now < end {
            collect()
            if line.isEmpty {
                now = min(nextArrival, probeAt)
                continue
            }
            turn()
        }
    }

    /// What has come by now, in the order in which it came.
    private mutating func collect() {
        while min(nextArrival, probeAt) <= now {
            if probeAt < nextArrival {
                line.append(.probe)
                probeAt = .max
            } else {
                if line.count < lineMax { line.append(.arrival) }
                nextArrival += pause()
            }
        }
    }

    /// Between 0 and twice the mean: bursts as they come, the same for every run.
    private mutating func pause() -> UInt64 {
        let share = Double(random.next() >> 11) / Double(1 << 53)
        return UInt64(2 * share * 1e9 / (capacity * load))
    }

    private mutating func turn() {
        let started = now
        let events = line.prefix(PlayedMachine.turnMax)
        line.removeFirst(events.count)
        for event in events {
            switch event {
            case .arrival: arrive(started)
            case .step(let begun, let left): work(begun, left, started)
            case .probe:
                admission.probed(facts, at: started)
                probe(started)
            }
        }
    }

    private var facts: AdmissionLoad {
        AdmissionLoad(requests: underWay, pressing: underWay, answers: answers)
    }

    private mutating func probe(_ started: UInt64) {
        if let wait = admission.probe(facts, at: started) { probeAt = started + wait }
    }

    private mutating func arrive(_ started: UInt64) {
        guard admission.refusal(of: 0, facts, at: started) == nil else {
            refused += 1
            now += refusalTime
            return
        }
        underWay += 1
        admission.changed(facts, at: started)
        probe(started)
        work(started, PlayedMachine.stepCount, started)
    }

    private mutating func work(_ begun: UInt64, _ left: Int, _ started: UInt64) {
        now += PlayedMachine.stepTime
        guard left > 1 else {
            underWay -= 1
            answers += 1
            admission.answered(facts, at: started)
            finished += 1
            longest = max(longest, now - begun)
            return
        }
        line.append(.step(begun: begun, left: left - 1))
    }
}
