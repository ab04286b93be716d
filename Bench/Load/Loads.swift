/// What a driver asks of the load client: fill, learn, load, read back.

public import BenchMeasure

/// A family of small objects on one server: their names, their size and the seed of their bodies.
public struct SmallObjects: Sendable {
    public let names: ObjectNames
    public let bodyCount: Int
    public let pattern: BodyPattern

    public init(names: ObjectNames, bodyCount: Int, seed: UInt64) {
        self.names = names
        self.bodyCount = bodyCount
        pattern = BodyPattern(seed: seed)
    }
}

/// A family of objects whose bodies stand in the source file.
public struct FileObjects: Sendable {
    public let names: ObjectNames
    public let bodyCount: Int
    public let source: SourceFile

    public init(names: ObjectNames, bodyCount: Int, source: SourceFile) {
        (self.names, self.bodyCount, self.source) = (names, bodyCount, source)
    }
}

/// How a run goes: to whom, over how many connections, how long, on what schedule.
public struct LoadPlan: Sendable {
    public var server: ServedAddress
    public var connectionCount: Int
    /// Nil: until there is nothing left to ask.
    public var seconds: Double?
    /// Nil: an upload counts when it is answered.
    public var pool: SyncPool?
    /// Nil: each connection asks as soon as it is answered.
    public var pace: Pace?
    /// What uploads ask for; nil leaves it to the server.
    public var durability: Row.Durability?
    /// Decides what is asked for in which order.
    public var seed: UInt64 = 0

    public init(_ server: ServedAddress, connections: Int, seconds: Double? = nil) {
        (self.server, connectionCount, self.seconds) = (server, connections, seconds)
    }
}

extension LoadLoop {
    mutating func run<Kind: Work & ~Copyable>(
        _ work: inout Kind, _ plan: LoadPlan
    ) throws(LoadFailure) -> LoadTally {
        try run(
            &work, at: plan.server, connectionCount: plan.connectionCount, seconds: plan.seconds,
            pool: plan.pool, pace: plan.pace)
    }

    /// PUTs objects `numbers` in order, until all are there or the time is over. Answers what
    /// counted, and which numbers were used: all of them are there.
    public mutating func put(
        _ objects: SmallObjects, _ numbers: Range<UInt64>, _ plan: LoadPlan
    ) throws(LoadFailure) -> (tally: LoadTally, used: Range<UInt64>) {
        var puts = try LoadLoop.puts(objects, numbers, plan)
        let tally = try run(&puts, plan)
        return (tally, numbers.lowerBound..<puts.firstUnused)
    }

    /// The same with bodies out of the source file.
    public mutating func put(
        _ objects: FileObjects, _ numbers: Range<UInt64>, expectsContinue: Bool, _ plan: LoadPlan
    ) throws(LoadFailure) -> (tally: LoadTally, used: Range<UInt64>) {
        let text = try RequestText(
            names: objects.names, secret: plan.server.secret, durability: plan.durability)
        var puts = FilePuts(
            text: text, numbers: numbers, source: objects.source, bodyCount: objects.bodyCount,
            expectsContinue: expectsContinue, pool: plan.pool)
        let tally = try run(&puts, plan)
        return (tally, numbers.lowerBound..<puts.firstUnused)
    }

    /// GETs objects `numbers` once each and compares every byte. Answers the bytes of each whole
    /// response.
    public mutating func readBack(
        _ objects: SmallObjects, _ numbers: Range<UInt64>, from server: ServedAddress
    ) throws(LoadFailure) -> [Int] {
        let text = try RequestText(names: objects.names, secret: nil)
        var reads = ReadBack(
            text: text, numbers: numbers, bodyCount: objects.bodyCount, pattern: objects.pattern)
        _ = try run(&reads, LoadPlan(server, connections: 64))
        return reads.responseCounts
    }

    /// GETs objects from 0 on, as many as `responseCounts` says, evenly and again and again.
    public mutating func get(
        _ objects: SmallObjects, responseCounts: [Int], _ plan: LoadPlan
    ) throws(LoadFailure) -> LoadTally {
        var gets = try SmallGets(
            names: objects.names, responseCounts: responseCounts, seed: plan.seed, in: arena)
        return try run(&gets, plan)
    }

    /// GETs any of objects `0..<objectCount` whose bodies need not fit the client, evenly and again
    /// and again; with `rangesOf`, ranges of `bodyCount` of objects that have so many bytes.
    public mutating func getDropped(
        _ names: ObjectNames, objectCount: Int, bodyCount: Int, rangesOf: Int? = nil,
        _ plan: LoadPlan
    ) throws(LoadFailure) -> LoadTally {
        var gets = StreamGets(
            text: try RequestText(names: names, secret: nil), choice: .random(of: objectCount),
            bodyCount: bodyCount, rangesOf: rangesOf, seed: plan.seed)
        return try run(&gets, plan)
    }

    /// GETs object 0 `times` over on each connection.
    public mutating func getFirst(
        _ names: ObjectNames, bodyCount: Int, times: Int, _ plan: LoadPlan
    ) throws(LoadFailure) -> LoadTally {
        var gets = StreamGets(
            text: try RequestText(names: names, secret: nil), choice: .first(times: times),
            bodyCount: bodyCount, seed: plan.seed)
        return try run(&gets, plan)
    }

    /// Nine GETs to one PUT. Answers what counted and which numbers were uploaded.
    public mutating func mix(
        gets: SmallObjects, responseCounts: [Int], puts: SmallObjects, _ numbers: Range<UInt64>,
        _ plan: LoadPlan
    ) throws(LoadFailure) -> (tally: LoadTally, used: Range<UInt64>) {
        var mixed = MixedWork(
            gets: try SmallGets(
                names: gets.names, responseCounts: responseCounts, seed: plan.seed, in: arena),
            puts: try LoadLoop.puts(puts, numbers, plan), seed: plan.seed)
        let tally = try run(&mixed, plan)
        return (tally, numbers.lowerBound..<mixed.firstUnused)
    }

    /// Downloads large objects `0..<downloadCount` once each while the other connections GET small
    /// ones at the plan's pace. What counts as objects are the downloads.
    public mutating func getBeside(
        _ names: ObjectNames, bodyCount: Int, downloadCount: Int, gets: SmallObjects,
        responseCounts: [Int], _ plan: LoadPlan
    ) throws(LoadFailure) -> LoadTally {
        let downloads = StreamGets(
            text: try RequestText(names: names, secret: nil), choice: .own(times: 1),
            bodyCount: bodyCount, seed: plan.seed)
        var both = BesideWork(
            downloads: downloads, count: downloadCount,
            gets: try SmallGets(
                names: gets.names, responseCounts: responseCounts, seed: plan.seed, in: arena))
        return try run(&both, plan)
    }

    private static func puts(
        _ objects: SmallObjects, _ numbers: Range<UInt64>, _ plan: LoadPlan
    ) throws(LoadFailure) -> SmallPuts {
        let text = try RequestText(
            names: objects.names, secret: plan.server.secret, durability: plan.durability)
        return SmallPuts(
            text: text, numbers: numbers, bodyCount: objects.bodyCount, pattern: objects.pattern,
            pool: plan.pool)
    }
}
