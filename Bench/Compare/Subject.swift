// A server under test and the objects that it is asked for.

import BenchLoad
import BenchMeasure

/// One server under test, running.
final class Subject {
    let side: Side
    let process: ServerProcess
    let server: ServedAddress
    /// What allows a DELETE; nil if everybody may.
    let adminToken: String?
    let storage: Storage
    /// The next upload's number, row by row; names are never used twice.
    private var nextNumbers: [String: UInt64] = [:]
    /// Bytes of the whole response of each small object, by its size, once they are there.
    var responseCounts: [Int: [Int]] = [:]
    /// How many objects there are of a family that is downloaded.
    var filledCounts: [String: Int] = [:]

    /// Where the objects lie.
    enum Storage {
        /// As files under a directory, by their paths.
        case tree(String)
        /// Inside the large volumes of a directory.
        case volumes(String)
    }

    init(
        _ side: Side, _ process: ServerProcess, _ server: ServedAddress, storage: Storage,
        adminToken: String? = nil
    ) {
        (self.side, self.process, self.server) = (side, process, server)
        (self.storage, self.adminToken) = (storage, adminToken)
    }

    /// Where its objects lie as files, for a server whose uploads the client must make durable.
    var root: String? {
        if case .tree(let root) = storage { root } else { nil }
    }

    /// The same server as one that gets its uploads by one PUT each, under names of its own.
    var plain: Subject {
        precondition(side == .millrace, "only Millrace is compared with itself so")
        return Subject(.plain, process, server, storage: storage, adminToken: adminToken)
    }

    private static let plainNumbersFirst: UInt64 = 1 << 40

    func firstUnusedNumber(of row: Row) -> UInt64 {
        nextNumbers[row.name, default: side == .plain ? Subject.plainNumbersFirst : 0]
    }

    func use(upTo end: UInt64, of row: Row) { nextNumbers[row.name] = end }
}

/// The families of objects of the rows.
enum Objects {
    private static let bodySeed: UInt64 = 0x6d69_6c6c_7261_6365
    static let sourceSeed = bodySeed + 2
    /// Uploads differ from downloads of the same size.
    private static let uploadSeed = bodySeed + 1

    /// Bodies up to this are made in the client's memory; larger ones stand in the source file.
    static let smallMax = 4 << 10
    /// A family of small or middling objects has no more bytes than caches of every server hold.
    private static let familyBytes = 8 << 20
    /// No more names than this, however small the objects.
    private static let countMax = 1_000
    /// One for each download of the row that runs beside cold ones.
    static let besideCount = 8

    static func isSmall(_ byteCount: Int) -> Bool { byteCount <= smallMax }

    static func count(_ byteCount: Int) -> Int { min(countMax, familyBytes / byteCount) }

    static func smallGets(_ byteCount: Int) -> SmallObjects {
        SmallObjects(names: getNames(.bytes(byteCount)), bodyCount: byteCount, seed: bodySeed)
    }

    static func smallPuts(_ row: Row, _ byteCount: Int) -> SmallObjects {
        SmallObjects(names: putNames(row), bodyCount: byteCount, seed: uploadSeed)
    }

    static func getNames(_ size: Row.Size) -> ObjectNames {
        switch size {
        case .bytes(let count) where count >= 1 << 20: ObjectNames(folder: "get\(count >> 20)m")
        case .bytes(let count): ObjectNames(folder: "get\(count >> 10)k")
        case .large: ObjectNames(folder: "get1g")
        }
    }

    static func putNames(_ row: Row) -> ObjectNames { ObjectNames(folder: row.name) }

    /// Every family of a row.
    static func names(of row: Row) -> [ObjectNames] {
        switch row.work {
        case .get, .idle: [getNames(row.size)]
        case .getCold, .range: [getNames(.large)]
        case .put, .putChunks, .sessions: [putNames(row)]
        case .mixed: [getNames(row.size), putNames(row)]
        case .getBesideCold: [getNames(row.size), getNames(.large)]
        }
    }
}
