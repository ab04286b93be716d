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

extension LoadLoop {
    /// PUTs objects `numbers` in order, until all are there or `seconds` have passed. Answers what
    /// counted, and which numbers were used: all of them are there.
    public mutating func put(
        _ objects: SmallObjects, _ numbers: Range<UInt64>, to server: Endpoint, seconds: Double?,
        pool: SyncPool? = nil
    ) throws(LoadFailure) -> (tally: LoadTally, used: Range<UInt64>) {
        let text = try RequestText(names: objects.names, secret: server.secret)
        var puts = SmallPuts(
            text: text, numbers: numbers, bodyCount: objects.bodyCount, pattern: objects.pattern,
            pool: pool)
        let tally = try run(
            &puts, at: server, connectionCount: LoadLoop.connectionsMax, seconds: seconds,
            pool: pool)
        return (tally, numbers.lowerBound..<puts.firstUnused)
    }

    /// GETs objects `numbers` once each and compares every byte. Answers the bytes of each whole
    /// response.
    public mutating func readBack(
        _ objects: SmallObjects, _ numbers: Range<UInt64>, from server: Endpoint
    ) throws(LoadFailure) -> [Int] {
        let text = try RequestText(names: objects.names, secret: nil)
        var reads = ReadBack(
            text: text, numbers: numbers, bodyCount: objects.bodyCount, pattern: objects.pattern)
        _ = try run(
            &reads, at: server, connectionCount: LoadLoop.connectionsMax, seconds: nil)
        return reads.responseCounts
    }

    /// GETs objects from 0 on, as many as `responseCounts` says, evenly and again and again.
    public mutating func get(
        _ objects: SmallObjects, responseCounts: [Int], from server: Endpoint, seconds: Double,
        seed: UInt64
    ) throws(LoadFailure) -> LoadTally {
        var gets = try SmallGets(
            names: objects.names, responseCounts: responseCounts, seed: seed, in: arena)
        return try run(
            &gets, at: server, connectionCount: LoadLoop.connectionsMax, seconds: seconds)
    }
}
