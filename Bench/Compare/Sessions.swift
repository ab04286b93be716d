// What unfinished uploads cost while nobody goes on with them.

import BenchLoad
import BenchMachine
import BenchMeasure

/// Memory of uploads that lie idle, and how long a server takes to be ready again with them: on a
/// server of its own, which is stopped and killed for it.
struct Sessions {
    private let starting: Starting
    private let rig: Rig
    private let undo: Undo
    private static let seed: UInt64 = 7
    private static let home = "sessions"
    /// Restarts of each kind at most: they are much alike.
    private static let restartsMax = 5
    /// Until the catalog has heard of everything, and what was only under way is gone.
    private static let settleMilliseconds: UInt32 = 2_000

    init(_ starting: Starting, _ rig: Rig, undo: Undo) {
        (self.starting, self.rig, self.undo) = (starting, rig, undo)
    }

    /// A server that is killed must not outlive the bench all the same.
    private func start() throws -> Subject {
        let home = starting.directory + "/" + Sessions.home
        let subject = try starting.startMillrace(.millrace, at: home)
        let process = subject.process
        undo.add { process.stop() }
        return subject
    }

    func measure() throws -> [Reading] {
        let count = rig.options.idleCount
        var subject = try start()
        try fill(subject, objects: count * Row.objectsPerSession)
        // What the objects needed for a while would otherwise be there for the uploads.
        subject.process.stop()
        subject = try start()
        Clocks.sleep(milliseconds: Sessions.settleMilliseconds)
        let before = ServerAccount.memory(of: subject.process.pid).anonymous
        let uploads = try rig.client.beginUploads(
            count, token: token(of: subject), seed: Sessions.seed, plan(subject))
        Clocks.sleep(milliseconds: Sessions.settleMilliseconds)
        let bytes = ServerAccount.memory(of: subject.process.pid).anonymous - before
        let each = Double(bytes) / Double(count)
        var times: [Reading.Figure: [Double]] = [:]
        for _ in 0..<min(rig.options.pairs, Sessions.restartsMax) {
            for figure in [Reading.Figure.restart, .restartAfterKill] {
                if figure == .restart { subject.process.stop() } else { subject.process.kill() }
                let start = Clocks.now()
                subject = try self.start()
                times[figure, default: []].append(Double(Clocks.now() - start) / 1e9)
                try rig.client.queryUploads(uploads, token: token(of: subject), plan(subject))
            }
        }
        subject.process.stop()
        return [
            Reading(.sessions, .millrace, .sessionMemory, [each]),
            Reading(.sessions, .millrace, .restart, times[.restart] ?? []),
            Reading(.sessions, .millrace, .restartAfterKill, times[.restartAfterKill] ?? []),
        ].compactMap(\.self)
    }

    private func plan(_ subject: Subject) -> LoadPlan {
        LoadPlan(subject.server, connections: Row.sessions.connectionCount)
    }

    private func token(of subject: Subject) -> String {
        guard let token = subject.adminToken else {
            preconditionFailure("Millrace was started without a token")
        }
        return token
    }

    private func fill(_ subject: Subject, objects count: Int) throws {
        let byteCount = Row.sessions.size.byteCount(large: rig.options.largeCount)
        _ = try rig.client.put(
            Objects.smallPuts(.sessions, byteCount), 0..<UInt64(count), plan(subject))
    }
}
