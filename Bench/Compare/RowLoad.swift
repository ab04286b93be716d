// The loads of the rows: what is done before, in and after a round.

import BenchLoad
import BenchMeasure

/// One row's load on any of the servers.
protocol RowLoad: AnyObject {
    /// Once for each server: objects that rounds need, threads that make uploads durable.
    func fill(_ subject: Subject) throws
    /// Before each round, outside the accounts.
    func prepare(_ subject: Subject) throws
    /// The round. With a pace requests leave on its schedule.
    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally
    /// After each round, outside the accounts: what was uploaded is compared.
    func check(_ subject: Subject) throws
    func close()
}

extension RowLoad {
    func prepare(_ subject: Subject) throws {}
    func check(_ subject: Subject) throws {}
    func close() {}
}

extension Row {
    func load(on rig: Rig) -> any RowLoad {
        let byteCount = size.byteCount(large: rig.options.largeCount)
        switch (work, size) {
        case (.get, .large): return LargeGets(self, rig, isCold: false)
        case (.getCold, _): return LargeGets(self, rig, isCold: true)
        case (.get, _) where Objects.isSmall(byteCount): return CopiedGets(self, rig, byteCount)
        case (.get, _), (.range, _): return DroppedGets(self, rig, byteCount)
        case (.put, _) where Objects.isSmall(byteCount): return CopiedPuts(self, rig, byteCount)
        case (.put, _): return SourcePuts(self, rig, byteCount)
        case (.mixed, _): return CopiedPuts(self, rig, byteCount)
        case (.putChunks, _):
            guard let dialect else { preconditionFailure("chunks without a dialect") }
            return ChunkUploads(self, dialect, rig, byteCount)
        case (.getBesideCold, _): return BesideLoad(self, rig, byteCount)
        case (.idle, _), (.sessions, _): preconditionFailure("what is idle is no load")
        }
    }

    /// The plan of a round that lasts for the time that the options say.
    func plan(_ subject: Subject, _ rig: Rig, seed: UInt64, pace: Pace?) -> LoadPlan {
        var plan = LoadPlan(
            subject.server, connections: connectionCount, seconds: rig.options.seconds)
        (plan.seed, plan.pace) = (seed, pace)
        // Only Millrace knows the field; durable is what it does unasked.
        if durability == .written, subject.root == nil { plan.durability = .written }
        return plan
    }
}

/// GETs of cached objects that fit the client's memory.
final class CopiedGets: RowLoad {
    private let row: Row
    private let rig: Rig
    private let byteCount: Int

    init(_ row: Row, _ rig: Rig, _ byteCount: Int) {
        (self.row, self.rig, self.byteCount) = (row, rig, byteCount)
    }

    func fill(_ subject: Subject) throws { _ = try rig.fillSmall(subject, byteCount) }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        let counts = try rig.fillSmall(subject, byteCount)
        return try rig.client.get(
            Objects.smallGets(byteCount), responseCounts: counts,
            row.plan(subject, rig, seed: seed, pace: pace))
    }
}

/// GETs of cached objects, or ranges of one, whose bodies are dropped unread.
final class DroppedGets: RowLoad {
    private let row: Row
    private let rig: Rig
    private let byteCount: Int

    init(_ row: Row, _ rig: Rig, _ byteCount: Int) {
        (self.row, self.rig, self.byteCount) = (row, rig, byteCount)
    }

    private var objectSize: Row.Size { row.work == .range ? .large : row.size }
    private var objectCount: Int { row.work == .range ? 1 : Objects.count(byteCount) }

    func fill(_ subject: Subject) throws {
        try rig.fill(subject, objectSize, count: objectCount)
        guard row.work == .range else { return }
        // Every page of the object is there and verified, not only where ranges happened to be.
        let plan = LoadPlan(subject.server, connections: 1)
        _ = try rig.client.getFirst(
            Objects.getNames(.large), bodyCount: rig.options.largeCount, times: 2, plan)
    }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        try rig.client.getDropped(
            Objects.getNames(objectSize), objectCount: objectCount, bodyCount: byteCount,
            rangesOf: row.work == .range ? rig.options.largeCount : nil,
            row.plan(subject, rig, seed: seed, pace: pace))
    }
}

/// GETs of one large object, cached or not.
final class LargeGets: RowLoad {
    private let row: Row
    private let rig: Rig
    private let isCold: Bool
    /// One download from memory is over too soon to be measured alone.
    private static let cachedTimes = 4

    init(_ row: Row, _ rig: Rig, isCold: Bool) {
        (self.row, self.rig, self.isCold) = (row, rig, isCold)
    }

    func fill(_ subject: Subject) throws { try rig.fill(subject, .large, count: 1) }

    func prepare(_ subject: Subject) throws {
        if isCold { try rig.dropPages(subject, count: 1) }
    }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        let times = isCold || row.connectionCount > 1 ? 1 : LargeGets.cachedTimes
        let plan = LoadPlan(subject.server, connections: row.connectionCount)
        return try rig.client.getFirst(
            Objects.getNames(.large), bodyCount: rig.options.largeCount, times: times, plan)
    }
}

/// GETs of small objects on a schedule beside cold downloads of large ones.
final class BesideLoad: RowLoad {
    private let row: Row
    private let rig: Rig
    private let byteCount: Int
    static let perSecond = 2_000.0

    init(_ row: Row, _ rig: Rig, _ byteCount: Int) {
        (self.row, self.rig, self.byteCount) = (row, rig, byteCount)
    }

    func fill(_ subject: Subject) throws {
        _ = try rig.fillSmall(subject, byteCount)
        try rig.fill(subject, .large, count: Objects.besideCount)
    }

    func prepare(_ subject: Subject) throws {
        try rig.dropPages(subject, count: Objects.besideCount)
    }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        let counts = try rig.fillSmall(subject, byteCount)
        var plan = LoadPlan(
            subject.server, connections: Objects.besideCount + row.connectionCount)
        plan.seed = seed
        plan.pace = Pace(
            perSecond: BesideLoad.perSecond, firstConnection: Objects.besideCount)
        return try rig.client.getBeside(
            Objects.getNames(.large), bodyCount: rig.options.largeCount,
            downloadCount: Objects.besideCount, gets: Objects.smallGets(byteCount),
            responseCounts: counts, plan)
    }
}
