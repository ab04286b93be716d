/// Which bytes of an upload have come: in any order, twice or in pieces, they end up as runs.
///
/// Invariant: runs ascend, none is empty, and no two overlap or touch.
public struct ExtentMap: Equatable, Sendable {
    public private(set) var ranges: [Range<UInt64>] = []
    /// How many bytes have come, each counted once.
    public private(set) var byteCount: UInt64 = 0

    public init() {}

    /// The map of these runs; nil when they break the invariant.
    public init?(ranges: [Range<UInt64>]) {
        var end: UInt64?
        for range in ranges {
            if let end, range.lowerBound <= end { return nil }
            guard !range.isEmpty else { return nil }
            byteCount += range.upperBound - range.lowerBound
            end = range.upperBound
        }
        self.ranges = ranges
    }

    public var isEmpty: Bool { ranges.isEmpty }

    /// The end of the run that starts at byte 0; 0 when byte 0 has not come.
    public var prefixEnd: UInt64 {
        guard let first = ranges.first, first.lowerBound == 0 else { return 0 }
        return first.upperBound
    }

    /// The byte behind the highest that has come; 0 when none has.
    public var end: UInt64 { ranges.last?.upperBound ?? 0 }

    /// Adds `range`, of which any part may have come before. O(1) from the last run's start on,
    /// elsewhere O(log n) and the moving of the runs behind.
    public mutating func insert(_ range: Range<UInt64>) {
        guard !range.isEmpty else { return }
        if insertAtEnd(range) { return }
        let first = firstIndex(endingAtOrBehind: range.lowerBound)
        let behind = ranges.partitionIndex { $0.lowerBound > range.upperBound }
        var merged = range
        if first < behind {
            let lower = min(range.lowerBound, ranges[first].lowerBound)
            merged = lower..<max(range.upperBound, ranges[behind - 1].upperBound)
        }
        for run in ranges[first..<behind] { byteCount -= run.upperBound - run.lowerBound }
        byteCount += merged.upperBound - merged.lowerBound
        ranges.replaceSubrange(first..<behind, with: CollectionOfOne(merged))
    }

    /// Whether all of `range` has come; of nothing all has.
    public func contains(_ range: Range<UInt64>) -> Bool {
        guard !range.isEmpty else { return true }
        let index = firstIndex(endingBehind: range.lowerBound)
        guard index < ranges.count else { return false }
        return ranges[index].lowerBound <= range.lowerBound
            && ranges[index].upperBound >= range.upperBound
    }

    /// Whether any byte of `range` has come.
    public func overlaps(_ range: Range<UInt64>) -> Bool {
        guard !range.isEmpty else { return false }
        let index = firstIndex(endingBehind: range.lowerBound)
        return index < ranges.count && ranges[index].lowerBound < range.upperBound
    }

    /// The parts of `range` that have come, in order.
    public func present(in range: Range<UInt64>) -> [Range<UInt64>] {
        guard !range.isEmpty else { return [] }
        var present: [Range<UInt64>] = []
        var index = firstIndex(endingBehind: range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < range.upperBound {
            present.append(ranges[index].clamped(to: range))
            index += 1
        }
        return present
    }

    /// The first byte of `range` that has not come; nil when all have.
    public func firstMissing(in range: Range<UInt64>) -> UInt64? {
        guard !range.isEmpty else { return nil }
        let index = firstIndex(endingBehind: range.lowerBound)
        guard index < ranges.count, ranges[index].lowerBound <= range.lowerBound
        else { return range.lowerBound }
        return ranges[index].upperBound < range.upperBound ? ranges[index].upperBound : nil
    }

    /// The parts of `range` that have not come, in order.
    public func missing(in range: Range<UInt64>) -> [Range<UInt64>] {
        var missing: [Range<UInt64>] = []
        var position = range.lowerBound
        var index = firstIndex(endingBehind: range.lowerBound)
        while position < range.upperBound {
            let next = index < ranges.count ? ranges[index].lowerBound : range.upperBound
            if next > position { missing.append(position..<min(next, range.upperBound)) }
            guard index < ranges.count else { break }
            position = ranges[index].upperBound
            index += 1
        }
        return missing
    }
}

extension ExtentMap {
    /// Adds what touches no run but the last. Most uploads come in order, and their every insert
    /// ends here.
    private mutating func insertAtEnd(_ range: Range<UInt64>) -> Bool {
        guard let last = ranges.last, range.lowerBound <= last.upperBound else {
            ranges.append(range)
            byteCount += range.upperBound - range.lowerBound
            return true
        }
        guard range.lowerBound >= last.lowerBound else { return false }
        if range.upperBound > last.upperBound {
            byteCount += range.upperBound - last.upperBound
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        }
        return true
    }

    private func firstIndex(endingBehind position: UInt64) -> Int {
        ranges.partitionIndex { $0.upperBound > position }
    }

    private func firstIndex(endingAtOrBehind position: UInt64) -> Int {
        ranges.partitionIndex { $0.upperBound >= position }
    }
}
