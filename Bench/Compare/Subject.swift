// A server under test and the objects that it is asked for.

import BenchLoad
import BenchMeasure

/// One server under test, running.
final class Subject {
    let side: Side
    let process: ServerProcess
    let server: Endpoint
    /// Where its objects lie as files, for a server whose uploads the client must make durable.
    let root: String?
    /// The next upload's number, row by row; names are never used twice.
    private var nextNumbers: [Row: UInt64] = [:]
    /// Bytes of the whole response of each small object, once they are there.
    var smallResponseCounts: [Int]?

    init(_ side: Side, _ process: ServerProcess, _ server: Endpoint, root: String?) {
        (self.side, self.process, self.server, self.root) = (side, process, server, root)
    }

    func firstUnusedNumber(of row: Row) -> UInt64 { nextNumbers[row, default: 0] }

    func use(upTo end: UInt64, of row: Row) { nextNumbers[row] = end }
}

/// The families of objects of the rows.
enum Objects {
    private static let bodySeed: UInt64 = 0x6d69_6c6c_7261_6365
    static let smallCount: UInt64 = 1_000
    static let getSmall = SmallObjects(
        names: ObjectNames(folder: "get1k"), bodyCount: 1 << 10, seed: bodySeed)
    static let putSmall = SmallObjects(
        names: ObjectNames(folder: "put4k"), bodyCount: 4 << 10, seed: bodySeed + 1)
    static let getLarge = ObjectNames(folder: "get1g")
    static let putLarge = ObjectNames(folder: "put1g")
    static let allNames = [getSmall.names, putSmall.names, getLarge, putLarge]
    static let sourceSeed = bodySeed + 2
}
