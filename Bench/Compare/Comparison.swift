// A whole run, from the machine as it was found to the result.

import BenchLoad
import BenchMachine
import BenchMeasure
import Foundation
import IO

/// A whole run: place, servers, rows in interleaved pairs, result.
struct Comparison: ~Copyable {
    private let options: Options
    private let subjects: [Subject]
    private let measuring: Measuring
    private var small: SmallRows
    private let large: LargeRows?
    /// Nil in a quick run.
    private let pageCache: PageCache?
    private var samples: [Sample] = []
    private var idle: [IdleResult] = []

    /// Makes the intervals of the same samples the same.
    private static let bootstrapSeed: UInt64 = 1

    static func run(_ options: Options, undo: Undo) throws -> RunResult {
        let repository = try repository()
        if options.only != .millrace { try EnvironmentFacts.checkNginx(options.nginx) }
        do { try Limits.bind(toCPU: options.clientCPU) } catch {
            throw BenchError("cannot run on CPU \(options.clientCPU): errno \(error.code)")
        }
        let descriptors = Limits.raiseOpenFiles(to: options.idleCount + 1_000)
        if options.rows.contains(.idle), descriptors < options.idleCount + 1_000 {
            throw BenchError("\(descriptors) descriptors are too few for the idle row: ulimit -n")
        }
        let congestion = CongestionControl.set(undo: undo)
        let place = try Place.make(options, repository: repository, undo: undo)
        let starting = Starting(
            options: options, repository: repository, directory: place.directory,
            congestionControl: CongestionControl.wanted)
        let sides = options.only.map { [$0] } ?? Side.allCases
        let subjects = try sides.map { side in
            say("starting \(side.rawValue)")
            let subject = try starting.start(side)
            let process = subject.process
            undo.add { process.stop() }
            return subject
        }
        var comparison = try Comparison(options, subjects, place)
        for row in options.rows { try comparison.run(row) }
        comparison.measuring.close()
        let environment = EnvironmentFacts.gather(
            options, repository: repository, place: place, congestion: congestion)
        return comparison.result(in: environment)
    }

    private init(_ options: Options, _ subjects: [Subject], _ place: Place) throws {
        let needsLarge = options.rows.contains { $0.unit == .gigabyte }
        let large =
            try needsLarge
            ? LargeRows(path: place.outside + "/source", count: options.largeCount) : nil
        let disk = try OpenFile.open(place.directory, directory: true)
        let small = try SmallRows(seconds: options.seconds)
        let hasUploads = options.rows.contains(.putLarge) || options.rows.contains(.putSmall)
        let pageCache =
            try hasUploads && !options.isQuick ? PageCache(path: place.outside + "/hole") : nil
        self.small = small
        self.pageCache = pageCache
        self.large = large
        self.options = options
        self.subjects = subjects
        measuring = Measuring(serverCPU: options.serverCPU, disk: disk)
    }

    /// The checkout that this program belongs to: above the working directory or the program.
    private static func repository() throws -> String {
        let starts = [
            FileManager.default.currentDirectoryPath,
            (try Place.resolved("/proc/self/exe") as NSString).deletingLastPathComponent,
        ]
        for start in starts {
            var path = start
            while path != "/", !path.isEmpty {
                if FileManager.default.fileExists(atPath: path + "/Bench/nginx.conf.template") {
                    return path
                }
                path = (path as NSString).deletingLastPathComponent
            }
        }
        throw BenchError("run it inside the checkout: Bench/nginx.conf.template is not there")
    }

    private mutating func run(_ row: Row) throws {
        say("\(row.rawValue): \(row.title)")
        switch row {
        case .putLarge: try runPutLarge()
        case .getLarge: try runGetLarge()
        case .getSmall: try runGetSmall()
        case .putSmall: try runPutSmall()
        case .idle: try runIdle()
        }
    }

    /// A/B, B/A, A/B …: whatever drifts hits both alike.
    private func order(ofPair pair: Int) -> [Subject] {
        pair.isMultiple(of: 2) ? subjects : subjects.reversed()
    }

    private mutating func keep(_ sample: Sample) {
        samples.append(sample)
        let isLarge = sample.row.unit == .gigabyte
        let cpu = Digits.fixed(sample.serverCPUPerUnit * (isLarge ? 1 : 1e6), 3)
        let rate = Digits.fixed(sample.throughput * (isLarge ? 1 : 1e-3), 3)
        let units = isLarge ? ("s/GB", "GB/s") : ("µs/request", "k/s")
        let use = Digits.fixed(sample.serverUse * 100, 0)
        say(
            "  pair \(sample.pair + 1) \(sample.side.rawValue): \(cpu) \(units.0), \(rate)"
                + " \(units.1), its CPU in use \(use) %")
    }

    private mutating func runGetSmall() throws {
        for subject in subjects {
            try small.fill(subject)
            _ = try small.get(subject, pair: -1 & 0xff)
        }
        for pair in 0..<options.pairs {
            for subject in order(ofPair: pair) {
                keep(
                    try measuring.sample(
                        .getSmall, subject, pair: pair, bytesPerObject: Objects.getSmall.bodyCount
                    ) { try small.get(subject, pair: pair) })
            }
        }
    }

    private mutating func runPutSmall() throws {
        var pools: [Side: SyncPool] = [:]
        defer { for pool in pools.values { pool.close() } }
        for subject in subjects {
            pools[subject.side] = try SmallRows.pool(for: subject)
            let (_, used) = try small.put(subject, pool: pools[subject.side])
            try small.readBack(subject, used)
        }
        for pair in 0..<options.pairs {
            for subject in order(ofPair: pair) {
                try pageCache?.fill()
                var stored: Range<UInt64> = 0..<0
                let sample = try measuring.sample(
                    .putSmall, subject, pair: pair, bytesPerObject: Objects.putSmall.bodyCount
                ) {
                    let (tally, used) = try small.put(subject, pool: pools[subject.side])
                    stored = used
                    return tally
                }
                keep(sample)
                try small.readBack(subject, stored)
            }
        }
    }

    private mutating func runGetLarge() throws {
        guard let large else { preconditionFailure("a large row without its source") }
        for subject in subjects { try large.fill(subject) }
        for pair in 0..<options.pairs {
            for subject in order(ofPair: pair) {
                keep(
                    try measuring.sample(
                        .getLarge, subject, pair: pair, bytesPerObject: options.largeCount
                    ) { try large.get(subject) })
            }
        }
    }

    private mutating func runPutLarge() throws {
        guard let large else { preconditionFailure("a large row without its source") }
        var pools: [Side: SyncPool] = [:]
        defer { for pool in pools.values { pool.close() } }
        for subject in subjects {
            pools[subject.side] = try LargeRows.pool(for: subject)
            try large.prepare(subject)
            try pageCache?.fill()
            _ = try large.put(subject, pool: pools[subject.side])
            try large.readBack(subject)
        }
        for pair in 0..<options.pairs {
            for subject in order(ofPair: pair) {
                try large.prepare(subject)
                try pageCache?.fill()
                keep(
                    try measuring.sample(
                        .putLarge, subject, pair: pair, bytesPerObject: options.largeCount
                    ) { try large.put(subject, pool: pools[subject.side]) })
                try large.readBack(subject)
            }
        }
    }

    private mutating func runIdle() throws {
        for subject in subjects {
            try small.fill(subject)
            let before = ServerAccount.memory(of: subject.process.pid)
            let path = Objects.getSmall.names.path(0)
            let connections = try IdleConnections(
                options.idleCount, to: subject.server, path: path)
            Clocks.sleep(milliseconds: 1_000)
            let with = ServerAccount.memory(of: subject.process.pid)
            idle.append(
                IdleResult(
                    side: subject.side, connectionCount: options.idleCount,
                    bytesBefore: before.anonymous, bytesWith: with.anonymous,
                    residentBefore: before.resident))
            _ = consume connections
        }
    }

    private func result(in environment: BenchMeasure.Environment) -> RunResult {
        let rows = options.rows.filter { $0 != .idle }.map {
            RowResult(row: $0, samples: samples, seed: Comparison.bootstrapSeed)
        }
        return RunResult(
            environment: environment, rows: rows, idle: idle,
            warnings: Warnings.of(rows, samples: samples), samples: samples)
    }
}
