// A server under a quota, asked for more and more.

import BenchLoad
import BenchMachine
import BenchMeasure
import Foundation
import IO

final class OverloadBench {
    private let options: OverloadOptions
    let limits: ServerLimits
    let fileSystem: String
    private let place: Place
    private let source: SourceFile
    private let undo: Undo
    private let program: String
    private var nextNumber: UInt64 = 0
    private var serverCount = 0

    /// Pages that bodies begin at: as many more than the largest body as bodies are to differ.
    private static let sourceBytes = 4 << 20
    private static let closedConnections = 64
    private static let closedCounts = [1, 2, 4, 8, 16, 32, 64]
    /// Of the time that each load takes.
    private static let closedShare = 0.25
    private static let off = "queue_delay_target = \"0s\""

    init(_ options: OverloadOptions, _ undo: Undo) throws {
        (self.options, self.undo) = (options, undo)
        var compared = Options()
        (compared.data, compared.millrace, compared.serverCPU) = (
            options.data, options.millrace, options.serverCPU
        )
        compared.rows = []
        program = try Starting.millrace(compared)
        place = try Place.make(compared, repository: ".", undo: undo)
        let facts = FileSystemFacts(of: place.directory)
        fileSystem = facts.name
        limits = try ServerLimits(options, disk: facts.disk, undo)
        source = try SourceFile(
            path: place.outside + "/source", count: OverloadBench.sourceBytes,
            seed: Objects.sourceSeed)
        try source.warm()
    }

    /// One row: what the server can do, then every load with admission and, beside it, without.
    func row(_ work: OverloadWork) throws -> OverloadRow {
        let (capacity, capacityCPU) = try capacity(of: work)
        say("\(work.name): \(Digits.fixed(capacity, 0)) requests/s under the limits")
        let closed = options.isAlone ? [] : try closedPoints(of: work)
        var points: [OverloadPoint] = []
        for hasAdmission in options.isAlone ? [true] : [true, false] {
            var server: FilledServer?
            defer { if let server { stop(server) } }
            for load in options.loads {
                let running = try server ?? start(work, hasAdmission: hasAdmission)
                server = work.isUpload ? nil : running
                points.append(try point(work, load, load * capacity, hasAdmission, running))
                if work.isUpload { stop(running) }
                if let point = points.last { say(OverloadBench.line(work, point)) }
            }
        }
        return OverloadRow(
            work: work, capacity: capacity, capacityCPU: capacityCPU, points: points,
            closed: closed)
    }

    private static func line(_ work: OverloadWork, _ point: OverloadPoint) -> String {
        let p99 = point.admitted.map { Digits.fixed(Double($0.p99) / 1e6, 2) } ?? "–"
        let refusal = point.refused.map { Digits.fixed(Double($0.p99) / 1e6, 2) } ?? "–"
        return "\(work.name) \(Digits.fixed(point.load, 2))×"
            + " \(point.hasAdmission ? "with" : "without"):"
            + " \(Digits.fixed(point.goodput, 0))/s good, p99 \(p99) ms;"
            + " \(Digits.fixed(point.refusals, 0))/s refused, p99 \(refusal) ms;"
            + " \(point.unsent) unsent, \(point.broken + point.refusedWithoutTime) broken"
    }

    /// What fewer clients get of a server that refuses nothing, and how late.
    private func closedPoints(of work: OverloadWork) throws -> [ClosedPoint] {
        let server = try start(work, hasAdmission: false)
        defer { stop(server) }
        return try OverloadBench.closedCounts.map { count in
            let (tally, _) = try ask(
                work, server, connections: count, perSecond: nil,
                share: OverloadBench.closedShare)
            return ClosedPoint(
                clients: count, goodput: Double(tally.goodCount) / tally.seconds,
                latency: Latency(tally.admitted))
        }
    }

    private func capacity(
        of work: OverloadWork
    ) throws -> (requestsPerSecond: Double, serverCPU: Double) {
        let server = try start(work, hasAdmission: false)
        defer { stop(server) }
        let (tally, cpu) = try ask(
            work, server, connections: OverloadBench.closedConnections, perSecond: nil)
        guard tally.broken == 0, tally.goodCount > 0 else {
            throw BenchError("\(work.name): \(tally.broken) requests failed without overload")
        }
        return (Double(tally.goodCount) / tally.seconds, cpu)
    }

    private func point(
        _ work: OverloadWork, _ load: Double, _ offered: Double, _ hasAdmission: Bool,
        _ server: FilledServer
    ) throws -> OverloadPoint {
        let (tally, cpu) = try ask(
            work, server, connections: options.connections, perSecond: offered)
        return OverloadPoint(
            load: load, hasAdmission: hasAdmission, offered: offered, tally: tally, serverCPU: cpu)
    }

    private func ask(
        _ work: OverloadWork, _ server: FilledServer, connections: Int, perSecond: Double?,
        share: Double = 1
    ) throws -> (OpenTally, serverCPU: Double) {
        let plan = OpenPlan(
            server.subject.server, connections: connections, perSecond: perSecond,
            warmupSeconds: options.warmupSeconds * share, seconds: options.seconds * share)
        let asked = OpenWork(
            work, server.objects, firstNumber: nextNumber, count: server.objectCount,
            token: server.token)
        var loop = try OpenLoop(plan, asked)
        let pid = server.subject.process.pid
        let before = try ServerAccount(of: pid, cpu: options.serverCPU).processNanoseconds
        let start = Clocks.now()
        let tally = try loop.run()
        let used = try ServerAccount(of: pid, cpu: options.serverCPU).processNanoseconds - before
        nextNumber += tally.sentCount
        return (tally, Double(used) / Double(Clocks.now() - start))
    }

    // MARK: Servers

    private struct FilledServer {
        let subject: Subject
        let home: String
        let objects: FileObjects
        let objectCount: UInt64
        let token: String
    }

    /// Started, filled, and then under the quota.
    private func start(_ work: OverloadWork, hasAdmission: Bool) throws -> FilledServer {
        serverCount += 1
        let home = "\(place.directory)/server-\(serverCount)"
        var compared = Options()
        (compared.serverCPU, compared.rows) = (options.serverCPU, [])
        var starting = Starting(
            options: compared, repository: ".", directory: place.directory,
            congestionControl: CongestionControl.wanted, programs: [.millrace: program])
        starting.limits = hasAdmission ? options.keys : [OverloadBench.off]
        let subject = try starting.startMillrace(.millrace, at: home)
        let process = subject.process
        undo.add { process.stop() }
        let objects = FileObjects(
            names: ObjectNames(folder: "overload"), bodyCount: work.bodyCount, source: source)
        let server = FilledServer(
            subject: subject, home: home, objects: objects,
            objectCount: UInt64(min(512, max(32, (64 << 20) / work.bodyCount))),
            token: subject.adminToken ?? "")
        if !work.isUpload { try fill(work, server) }
        try limits.add(process.pid)
        return server
    }

    /// Puts the objects there and reads them, so that they are verified and cached.
    private func fill(_ work: OverloadWork, _ server: FilledServer) throws {
        var client = try LoadLoop()
        _ = try client.put(
            server.objects, 0..<server.objectCount, expectsContinue: false,
            LoadPlan(server.subject.server, connections: 16))
        let plan = OpenPlan(
            server.subject.server, connections: 16, perSecond: nil, warmupSeconds: 0.5,
            seconds: 1)
        var loop = try OpenLoop(
            plan,
            OpenWork(
                work, server.objects, firstNumber: 0, count: server.objectCount,
                token: server.token))
        let tally = try loop.run()
        guard tally.broken == 0, tally.goodCount > 0 else {
            throw BenchError("\(work.name): the objects cannot be read")
        }
    }

    private func stop(_ server: FilledServer) {
        server.subject.process.kill()
        try? FileManager.default.removeItem(atPath: server.home)
    }
}
