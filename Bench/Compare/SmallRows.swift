// The rows of small objects.

import BenchLoad
import BenchMachine
import BenchMeasure

/// The rows of small objects: many connections, requests for a set time.
struct SmallRows: ~Copyable {
    private var client: LoadLoop
    private let seconds: Double
    /// Names are taken from a range that no run exhausts.
    private static let numberMax: UInt64 = 1 << 40
    /// As many as there are connections: each waits for its own object only.
    private static let flushingThreads = LoadLoop.connectionsMax

    init(seconds: Double) throws {
        client = try LoadLoop()
        self.seconds = seconds
    }

    /// Puts the 1,000 small objects on the server and reads them once, unless that is done.
    mutating func fill(_ subject: Subject) throws {
        guard subject.smallResponseCounts == nil else { return }
        let numbers = 0..<Objects.smallCount
        _ = try client.put(Objects.getSmall, numbers, to: subject.server, seconds: nil)
        subject.smallResponseCounts = try client.readBack(
            Objects.getSmall, numbers, from: subject.server)
    }

    mutating func get(_ subject: Subject, pair: Int) throws -> LoadTally {
        guard let counts = subject.smallResponseCounts else {
            preconditionFailure("asked for objects that were not put")
        }
        return try client.get(
            Objects.getSmall, responseCounts: counts, from: subject.server, seconds: seconds,
            seed: UInt64(pair))
    }

    /// Durable uploads for the set time. What they stored is compared by `readBack` later.
    mutating func put(_ subject: Subject, pool: SyncPool?) throws -> (LoadTally, Range<UInt64>) {
        let first = subject.firstUnusedNumber(of: .putSmall)
        let (tally, used) = try client.put(
            Objects.putSmall, first..<SmallRows.numberMax, to: subject.server, seconds: seconds,
            pool: pool)
        subject.use(upTo: used.upperBound, of: .putSmall)
        return (tally, used)
    }

    /// Every object of a round, byte for byte.
    mutating func readBack(_ subject: Subject, _ numbers: Range<UInt64>) throws {
        _ = try client.readBack(Objects.putSmall, numbers, from: subject.server)
    }

    /// The threads that make nginx's files durable; nil for a server that does so itself.
    static func pool(for subject: Subject) throws -> SyncPool? {
        guard let root = subject.root else { return nil }
        return try SyncPool(
            root: root, names: Objects.putSmall.names, threadCount: flushingThreads,
            syncsFolders: true)
    }
}
