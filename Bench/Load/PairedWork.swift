/// Loads made of two others: some uploads among downloads, small objects beside large ones.

import BenchMeasure
import IO

/// Nine GETs to one PUT, in no regular order, on every connection.
struct MixedWork: Work, ~Copyable {
    private var gets: SmallGets
    private var puts: SmallPuts
    private var isPut: [Bool]
    private var random: SplitMix64

    private static let getsPerPut: UInt64 = 9

    init(gets: SmallGets, puts: consuming SmallPuts, seed: UInt64) {
        self.gets = gets
        self.puts = puts
        isPut = Array(repeating: false, count: LoadLoop.connectionsMax)
        // Not the sequence that the downloads choose their objects by.
        random = SplitMix64(seed: SplitMix64.mix(seed))
    }

    /// The first number that was not uploaded.
    var firstUnused: UInt64 { puts.firstUnused }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        isPut[connection] = random.next() % (MixedWork.getsPerPut + 1) == 0
        return isPut[connection]
            ? puts.request(for: connection, scratch: scratch, in: arena)
            : gets.request(for: connection, scratch: scratch, in: arena)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        try isPut[connection]
            ? puts.judge(received, for: connection, in: arena)
            : gets.judge(received, for: connection, in: arena)
    }
}

/// The first connections download a large object each, once; the others ask for small ones.
struct BesideWork: Work, ~Copyable {
    private var downloads: StreamGets
    private let downloadCount: Int
    private var gets: SmallGets

    init(downloads: consuming StreamGets, count: Int, gets: SmallGets) {
        self.downloads = downloads
        downloadCount = count
        self.gets = gets
    }

    func receiveCount(for connection: Int) -> Int {
        connection < downloadCount
            ? downloads.receiveCount(for: connection) : gets.receiveCount(for: connection)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        connection < downloadCount
            ? downloads.request(for: connection, scratch: scratch, in: arena)
            : gets.request(for: connection, scratch: scratch, in: arena)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        try connection < downloadCount
            ? downloads.judge(received, for: connection, in: arena)
            : gets.judge(received, for: connection, in: arena)
    }
}
