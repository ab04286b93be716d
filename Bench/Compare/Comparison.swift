// A whole run, from the machine as it was found to the result.

import BenchLoad
import BenchMachine
import BenchMeasure
import Foundation
import IO

/// A whole run: place, servers, rows in interleaved rounds, result.
struct Comparison {
    private let options: Options
    private let subjects: [Subject]
    private let starting: Starting
    private let undo: Undo
    /// Who does without a part, and which.
    private var reduced: (ablation: Ablation, subject: Subject)?
    private let rig: Rig
    private let files: ResultFiles
    private var result: RunResult

    static func run(_ options: Options, undo: Undo) throws -> (RunResult, fileName: String?) {
        let repository = try repository()
        let peers = try PeerPrograms.find(options)
        for line in peers.skipped { say(line) }
        do { try Limits.bind(toCPU: options.clientCPU) } catch {
            throw BenchError("cannot run on CPU \(options.clientCPU): errno \(error.code)")
        }
        let descriptors = Limits.raiseOpenFiles(to: options.idleCount + 1_000)
        if options.rows.contains(.idle), descriptors < options.idleCount + 1_000 {
            throw BenchError("\(descriptors) descriptors are too few for the idle row: ulimit -n")
        }
        let congestion = CongestionControl.set(undo: undo)
        let place = try Place.make(options, repository: repository, undo: undo)
        let environment = EnvironmentFacts.gather(
            options, repository: repository, place: place, congestion: congestion,
            peers: peers.versions)
        let starting = Starting(
            options: options, repository: repository, directory: place.directory,
            congestionControl: CongestionControl.wanted, programs: peers.programs)
        let needed = options.sides.filter { side in
            side != .reduced && peers.isThere(side) && options.rows.contains { $0.takes(side) }
        }
        let subjects = try needed.map { side in
            say("starting \(side.rawValue)")
            let subject = try starting.start(side)
            let process = subject.process
            undo.add { process.stop() }
            return subject
        }
        var comparison = Comparison(
            options: options, subjects: subjects, starting: starting, undo: undo,
            rig: try Rig(options, place), files: try ResultFiles(for: options, environment),
            result: RunResult(environment: environment, skipped: peers.skipped))
        for row in options.rows { try comparison.run(row) }
        return (comparison.result, comparison.files.name)
    }

    private init(
        options: Options, subjects: [Subject], starting: Starting, undo: Undo, rig: Rig,
        files: ResultFiles, result: RunResult
    ) {
        (self.options, self.subjects, self.rig) = (options, subjects, rig)
        (self.starting, self.undo, self.files, self.result) = (starting, undo, files, result)
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
        var subjects = subjects.filter { row.takes($0.side) }
        if row.takes(.plain), let own = subjects.firstIndex(where: { $0.side == .millrace }) {
            subjects.insert(subjects[own].plain, at: own + 1)
        }
        if let ablation = row.ablation { subjects.append(try reduce(by: ablation)) }
        guard !subjects.isEmpty else {
            say("\(row.name): left out, nobody who runs takes part in it")
            return
        }
        say("\(row.name): \(row.title)")
        switch row.work {
        case .idle: try runIdle(subjects)
        case .sessions: add(try Sessions(starting, rig, undo: undo).measure())
        case .get, .getCold, .range, .put, .putChunks, .mixed, .getBesideCold:
            let (measured, readings) = try RowRun.measure(row, subjects, on: rig)
            for table in RunText.tables(of: [measured]) { say(table) }
            result.rows.append(measured)
            result.warnings = Warnings.of(result.rows)
            add(readings)
        }
        try files.write(result)
    }

    private mutating func add(_ readings: [Reading]) {
        for table in RunText.tables(of: readings) { say(table) }
        result.readings += readings
    }

    /// Millrace without a part, started for its first row and stopped when another's turn comes.
    private mutating func reduce(by ablation: Ablation) throws -> Subject {
        if let reduced, reduced.ablation == ablation { return reduced.subject }
        if let reduced {
            reduced.subject.process.stop()
            let home = starting.home(of: .reduced, without: reduced.ablation)
            if !options.keepsData { try FileManager.default.removeItem(atPath: home) }
        }
        say("starting \(Side.reduced.rawValue), without \(ablation.name)")
        let subject = try starting.start(.reduced, without: ablation)
        let process = subject.process
        undo.add { process.stop() }
        reduced = (ablation, subject)
        return subject
    }

    private mutating func runIdle(_ subjects: [Subject]) throws {
        guard case .bytes(let byteCount) = Row.idle.size else {
            preconditionFailure("connections that are idle ask for something small once")
        }
        for subject in subjects {
            _ = try rig.fillSmall(subject, byteCount)
            let before = ServerAccount.memory(of: subject.process.pid)
            let path = Objects.getNames(Row.idle.size).path(0)
            let connections = try IdleConnections(
                options.idleCount, to: subject.server, path: path)
            Clocks.sleep(milliseconds: 1_000)
            let with = ServerAccount.memory(of: subject.process.pid)
            result.idle.append(
                IdleResult(
                    side: subject.side, connectionCount: options.idleCount,
                    bytesBefore: before.anonymous, bytesWith: with.anonymous,
                    residentBefore: before.resident))
            _ = consume connections
        }
    }
}
