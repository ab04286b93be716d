// The loads of the rows that upload.

import BenchLoad
import BenchMachine
import BenchMeasure

/// The threads that make uploads durable for servers that do not.
struct Pools {
    private var pools: [Side: SyncPool] = [:]

    subscript(side: Side) -> SyncPool? { pools[side] }

    /// As many threads as connections: each waits for its own object only. Millrace needs none,
    /// and nobody does where uploads are only to be written.
    mutating func open(_ row: Row, for subject: Subject) throws {
        guard row.durability == .durable, let root = subject.root else { return }
        // One entry of a directory is nothing beside a large object.
        pools[subject.side] = try SyncPool(
            root: root, names: Objects.putNames(row), threadCount: row.connectionCount,
            syncsFolders: row.size != .large)
    }

    func close() { for pool in pools.values { pool.close() } }
}

/// PUTs of objects that fit the client's memory, for a set time; in a mixed row one to nine GETs.
final class CopiedPuts: RowLoad {
    private let row: Row
    private let rig: Rig
    private let byteCount: Int
    private var pools = Pools()
    private var stored: Range<UInt64> = 0..<0
    /// Names are taken from a range that no run exhausts.
    private static let numberMax: UInt64 = 1 << 40

    init(_ row: Row, _ rig: Rig, _ byteCount: Int) {
        (self.row, self.rig, self.byteCount) = (row, rig, byteCount)
    }

    private var isMixed: Bool { row.work == .mixed }

    func fill(_ subject: Subject) throws {
        if isMixed { _ = try rig.fillSmall(subject, byteCount) }
        try pools.open(row, for: subject)
    }

    func prepare(_ subject: Subject) throws { try rig.pageCache?.fill() }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        var plan = row.plan(subject, rig, seed: seed, pace: pace)
        plan.pool = pools[subject.side]
        let numbers = subject.firstUnusedNumber(of: row)..<CopiedPuts.numberMax
        let (tally, used) = try transfer(numbers, subject, plan)
        stored = used
        subject.use(upTo: used.upperBound, of: row)
        return tally
    }

    private func transfer(
        _ numbers: Range<UInt64>, _ subject: Subject, _ plan: LoadPlan
    ) throws -> (tally: LoadTally, used: Range<UInt64>) {
        let puts = Objects.smallPuts(row, byteCount)
        guard isMixed else { return try rig.client.put(puts, numbers, plan) }
        return try rig.client.mix(
            gets: Objects.smallGets(byteCount),
            responseCounts: try rig.fillSmall(subject, byteCount), puts: puts, numbers, plan)
    }

    func check(_ subject: Subject) throws {
        _ = try rig.client.readBack(
            Objects.smallPuts(row, byteCount), stored, from: subject.server)
    }

    func close() { pools.close() }
}

/// PUTs out of the source file, a set number of them: they take room.
final class SourcePuts: RowLoad {
    private let row: Row
    private let rig: Rig
    private let byteCount: Int
    private var pools = Pools()
    private let deletes: Bool
    private var stored: Range<UInt64> = 0..<0

    /// - Parameters:
    ///   - deletes: whether objects go when they have been compared; large ones do anyway.
    init(_ row: Row, _ rig: Rig, _ byteCount: Int, deletes: Bool = false) {
        (self.row, self.rig, self.byteCount) = (row, rig, byteCount)
        self.deletes = deletes || row.size == .large
    }

    private var isLarge: Bool { row.size == .large }

    func fill(_ subject: Subject) throws { try pools.open(row, for: subject) }

    /// All that will be sent is in memory.
    func prepare(_ subject: Subject) throws {
        try rig.source?.warm()
        try rig.pageCache?.fill()
    }

    func run(_ subject: Subject, seed: UInt64, pace: Pace?) throws -> LoadTally {
        var plan = row.plan(subject, rig, seed: seed, pace: pace)
        plan.pool = pools[subject.side]
        if pace == nil { plan.seconds = nil }
        let first = subject.firstUnusedNumber(of: row)
        let count = row.uploadsPerRound(isQuick: rig.options.isQuick)
        let (tally, used) = try rig.client.put(
            rig.fileObjects(Objects.putNames(row), byteCount), first..<first + UInt64(count),
            expectsContinue: isLarge, plan)
        stored = used
        subject.use(upTo: used.upperBound, of: row)
        return tally
    }

    /// Compares every byte; large objects are then deleted, or no disk would hold them all.
    func check(_ subject: Subject) throws {
        let objects = rig.fileObjects(Objects.putNames(row), byteCount)
        var transfer = try LargeTransfer(to: subject.server, names: objects.names)
        for number in stored {
            try transfer.compare(number, bodyCount: byteCount, with: objects.source)
            if deletes { try transfer.delete(number, token: subject.adminToken) }
        }
    }

    func close() { pools.close() }
}
