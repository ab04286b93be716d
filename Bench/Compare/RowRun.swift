// The rounds of one row.

import BenchLoad
import BenchMachine
import BenchMeasure
import IO

/// The rounds of one row: one that does not count, interleaved ones as fast as servers can, and for
/// small objects some at half of what the slower of Millrace and nginx reached.
struct RowRun {
    private let row: Row
    private let subjects: [Subject]
    private let rig: Rig
    private let load: any RowLoad
    private let measuring: Measuring
    private var samples: [Sample] = []
    private var latencies: [LatencySample] = []
    private var uploads = UploadRounds()

    /// Makes the intervals of the same samples the same.
    private static let bootstrapSeed: UInt64 = 1
    /// Of what the slower one can do: enough to be work, not enough for queues to grow.
    private static let scheduledShare = 0.5
    /// A peer for which the schedule would be more than this is left out: it would measure a queue.
    private static let scheduledShareMax = 0.8
    /// No round that counts asks in this order.
    private static let warmUpSeed: UInt64 = 255

    static func measure(
        _ row: Row, _ subjects: [Subject], on rig: Rig
    ) throws -> (RowResult, [Reading]) {
        var run = RowRun(row, subjects, rig)
        defer { run.load.close() }
        try run.warmUp()
        try run.saturate()
        try run.schedule()
        let result = RowResult(
            row: row, bytesPerObject: row.size.byteCount(large: rig.options.largeCount),
            samples: run.samples, latencies: run.latencies, seed: bootstrapSeed)
        return (result, run.uploads.readings(of: row))
    }

    private init(_ row: Row, _ subjects: [Subject], _ rig: Rig) {
        (self.row, self.subjects, self.rig) = (row, subjects, rig)
        load = row.load(on: rig)
        measuring = Measuring(serverCPU: rig.options.serverCPU, disk: rig.disk)
    }

    /// A/B, B/A, A/B …: whatever drifts hits all alike.
    private func order(ofPair pair: Int) -> [Subject] {
        pair.isMultiple(of: 2) ? subjects : subjects.reversed()
    }

    private func warmUp() throws {
        for subject in subjects {
            try load.fill(subject)
            try load.prepare(subject)
            _ = try load.run(subject, seed: RowRun.warmUpSeed, pace: nil)
            try load.check(subject)
        }
    }

    private mutating func saturate() throws {
        for pair in 0..<rig.options.pairs {
            for subject in order(ofPair: pair) {
                try load.prepare(subject)
                let (sample, tally) = try measuring.sample(
                    row.unit, subject, pair: pair, bytesPerObject: bytesCounted
                ) { try load.run(subject, seed: UInt64(pair), pace: nil) }
                samples.append(sample)
                uploads.add(subject.side, tally.spread, completions: tally.completions)
                if row.work == .getBesideCold {
                    keep(tally, of: subject, pair, perSecond: BesideLoad.perSecond, cpu: nil)
                }
                tell(sample)
                try load.check(subject)
            }
        }
    }

    private mutating func schedule() throws {
        let rounds = row.scheduledRounds(pairs: rig.options.pairs)
        let rates = subjects.compactMap { subject in
            Summary(samples.filter { $0.side == subject.side }.map(\.throughput))
                .map { (side: subject.side, perSecond: $0.median) }
        }
        let both = rates.filter { $0.side.isMillrace || $0.side == .nginx }
        let slower = (both.isEmpty ? rates : both).map(\.perSecond).min()
        guard rounds > 0, let slower else { return }
        let perSecond = slower * RowRun.scheduledShare
        let able = rates.filter { $0.perSecond * RowRun.scheduledShareMax >= perSecond }
            .map(\.side)
        for pair in 0..<rounds {
            for subject in order(ofPair: pair) where able.contains(subject.side) {
                try load.prepare(subject)
                let pace = Pace(perSecond: perSecond)
                let (sample, tally) = try measuring.sample(
                    row.unit, subject, pair: pair, bytesPerObject: bytesCounted
                ) { try load.run(subject, seed: UInt64(pair), pace: pace) }
                keep(
                    tally, of: subject, pair, perSecond: perSecond,
                    cpu: sample.serverCPU / Double(max(tally.latencies.count, 1)))
                try load.check(subject)
            }
        }
    }

    /// Beside cold downloads it is these that are counted.
    private var bytesCounted: Int {
        let large = rig.options.largeCount
        return row.work == .getBesideCold ? large : row.size.byteCount(large: large)
    }

    private mutating func keep(
        _ tally: LoadTally, of subject: Subject, _ pair: Int, perSecond: Double, cpu: Double?
    ) {
        latencies.append(
            LatencySample(
                side: subject.side, pair: pair, perSecond: perSecond, histogram: tally.latencies,
                serverCPUPerRequest: cpu))
    }

    private func tell(_ sample: Sample) {
        let isLarge = row.unit == .gigabyte
        let cpu = Digits.fixed(sample.serverCPUPerUnit * (isLarge ? 1 : 1e6), 3)
        let rate = Digits.fixed(sample.throughput * (isLarge ? 1 : 1e-3), 3)
        let units = isLarge ? ("s/GB", "GB/s") : ("µs/request", "k/s")
        let use = Digits.fixed(sample.serverUse * 100, 0)
        say(
            "  pair \(sample.pair + 1) \(sample.side.rawValue): \(cpu) \(units.0), \(rate)"
                + " \(units.1), its CPU in use \(use) %, client's"
                + " \(Digits.fixed(sample.clientUse * 100, 0)) %")
    }
}
