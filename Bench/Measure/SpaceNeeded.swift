/// How much of a disk a run may fill: guesses on the safe side, from what fast servers were seen to
/// store.
extension Row {
    /// Bytes of a round of uploads whose number does not follow from a time.
    private static let roundBytes = 128 << 20
    /// Small uploads a second, and what one takes on a disk.
    private static let smallPerSecond = 20_000.0
    private static let smallBytes = 8.0 * 1024
    /// Of a server whose files are synced one by one.
    private static let syncedPerSecond = 5_000.0

    /// Uploads of a round of large bodies, which are taken from a file.
    public func uploadsPerRound(isQuick: Bool) -> Int {
        if dialect == .numbered { return 1 }
        return switch size {
        case .large: connectionCount
        case .bytes(let count): max(connectionCount, Row.roundBytes / (isQuick ? 8 : 1) / count)
        }
    }

    /// Rounds of each server in which requests leave on a schedule.
    public func scheduledRounds(pairs: Int) -> Int {
        measuresLatency ? max(1, pairs / 3) : 0
    }

    /// Bytes that one server keeps of this row's objects.
    public func bytesKept(by side: Side, _ options: Options) -> Int {
        // One round that does not count comes before.
        let rounds = options.pairs + 1 + scheduledRounds(pairs: options.pairs)
        switch (work, size) {
        case (.idle, _): return 0
        // Unfinished ones have a block each, small objects two.
        case (.sessions, _): return options.idleCount * Row.objectsPerSession * (24 << 10)
        case (.getBesideCold, _): return 8 * options.largeCount
        case (.getCold, _), (.range, _), (.get, .large): return options.largeCount
        case (.get, .bytes): return 16 << 20
        // Deleted after each round.
        case (.putChunks, _):
            // Millrace has the plain ones of the same round as well, until they are deleted.
            let count = uploadsPerRound(isQuick: options.isQuick) * (side.isMillrace ? 2 : 1)
            return count * size.byteCount(large: options.largeCount)
        case (.put, .large): return connectionCount * options.largeCount
        case (.put, .bytes(let count)) where count > 4 << 10:
            return rounds * uploadsPerRound(isQuick: options.isQuick) * count
        case (.put, _), (.mixed, _):
            let isSynced = !side.isMillrace && durability == .durable
            let perSecond = isSynced ? Row.syncedPerSecond : Row.smallPerSecond
            return rounds * Int(options.seconds * perSecond * Row.smallBytes)
        }
    }
}

extension Options {
    /// Room for logs, catalogs and what servers reserve ahead.
    private static let reserve = 8 << 30

    /// Bytes that all servers and the client's own files may take together.
    public var bytesNeeded: Int {
        let kept = sides.map { side in
            let mine = rows.filter { $0.takes(side) }
            guard side == .reduced, !keepsData else { return bytesKept(of: mine, by: side) }
            // Reduced servers follow each other, and each leaves with its objects.
            return Dictionary(grouping: mine) { $0.ablation?.name }.values
                .map { bytesKept(of: $0, by: side) }.reduce(0, max)
        }
        return kept.reduce(0, +) + largeCount + Options.reserve
    }

    private func bytesKept(of rows: [Row], by side: Side) -> Int {
        // Rows of large objects share them, or delete them: only the greatest counts.
        let large = rows.filter { $0.unit == .gigabyte && $0.size != .bytes(1 << 20) }
        let small = rows.filter { !large.contains($0) }
        return small.map { $0.bytesKept(by: side, self) }.reduce(0, +)
            + large.map { $0.bytesKept(by: side, self) }.reduce(0, max)
    }
}
