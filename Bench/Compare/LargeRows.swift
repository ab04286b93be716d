// The rows of large objects.

import BenchLoad
import BenchMachine
import BenchMeasure

/// The rows of large objects: one connection, one object after the other.
struct LargeRows {
    private let source: SourceFile
    /// One download is over too soon to be measured alone.
    private static let downloadsPerRound = 4
    /// So many before the first round: pages warm, blocks verified.
    private static let downloadsBefore = 4

    /// Makes the file that uploads send, at `path`.
    init(path: String, count: Int) throws {
        source = try SourceFile(path: path, count: count, seed: Objects.sourceSeed)
    }

    /// Puts the object that is downloaded, compares it once, and downloads it until it is warm.
    func fill(_ subject: Subject) throws {
        try source.stamp(0)
        var transfer = try LargeTransfer(to: subject.server, names: Objects.getLarge)
        try transfer.put(0, from: source)
        try transfer.compare(0, with: source)
        for _ in 0..<LargeRows.downloadsBefore { try transfer.get(0, count: source.count) }
    }

    func get(_ subject: Subject) throws -> LoadTally {
        var transfer = try LargeTransfer(to: subject.server, names: Objects.getLarge)
        var tally = LoadTally()
        let start = Clocks.now()
        for _ in 0..<LargeRows.downloadsPerRound {
            try transfer.get(0, count: source.count)
            tally.objectCount += 1
        }
        tally.seconds = Double(Clocks.now() - start) / 1e9
        return tally
    }

    /// Makes the source ready for the next upload: new content, all of it in memory.
    func prepare(_ subject: Subject) throws {
        try source.stamp(stamp(subject))
        try source.warm()
    }

    /// One durable upload of what `prepare` made ready.
    func put(_ subject: Subject, pool: SyncPool?) throws -> LoadTally {
        let number = subject.firstUnusedNumber(of: .putLarge)
        var transfer = try LargeTransfer(to: subject.server, names: Objects.putLarge)
        var tally = LoadTally()
        let start = Clocks.now()
        try transfer.put(number, from: source)
        if let pool {
            pool.submit(connection: 0, number: number)
            let reply = pool.nextReply()
            guard reply.error == 0 else {
                throw BenchError("errno \(reply.error) while making an upload durable")
            }
            tally.flushNanoseconds = reply.cpuNanoseconds
        }
        tally.seconds = Double(Clocks.now() - start) / 1e9
        tally.objectCount = 1
        return tally
    }

    /// Compares what `put` stored, every byte, while the source still has its content.
    func readBack(_ subject: Subject) throws {
        let number = subject.firstUnusedNumber(of: .putLarge)
        var transfer = try LargeTransfer(to: subject.server, names: Objects.putLarge)
        try transfer.compare(number, with: source)
        subject.use(upTo: number + 1, of: .putLarge)
    }

    /// The thread that makes nginx's file durable; nil for a server that does so itself.
    static func pool(for subject: Subject) throws -> SyncPool? {
        guard let root = subject.root else { return nil }
        return try SyncPool(
            root: root, names: Objects.putLarge, threadCount: 1, syncsFolders: false)
    }

    private func stamp(_ subject: Subject) -> UInt64 {
        let side: UInt64 = subject.side == .millrace ? 0 : 1
        return 1 + 2 * subject.firstUnusedNumber(of: .putLarge) + side
    }
}
