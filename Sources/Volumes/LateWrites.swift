/// Where writes that failed may still come, though the same bytes were written there since: which
/// blocks, and until when.
///
/// As long as such a place belongs to what it was written for, what comes late is what is there.
/// So nobody may give it to anything else, nor write anything else there, before that time.
///
/// Invariant: no extent is here twice, and they are in the order of their last failures.
public struct LateWrites: Equatable, Sendable {
    private struct Place: Equatable, Sendable {
        let extent: Extent
        let failedAt: UInt64
    }

    /// How long after it was said to have failed a write may come.
    public let nanosecondsMax: UInt64
    /// Places that may be known at once.
    public let countMax: Int
    private var places: [Place] = []

    public init(nanosecondsMax: UInt64, countMax: Int) {
        precondition(countMax > 0, "nothing could be tried again")
        (self.nanosecondsMax, self.countMax) = (nanosecondsMax, countMax)
    }

    /// Nothing comes any more, as far as was known when this was last asked about a time.
    public var isEmpty: Bool { places.isEmpty }

    /// A write there failed at `time`, and is to be tried again. False where so many are known
    /// already that it must not be: then nothing has changed. Cores' clocks may differ by a turn.
    public mutating func failed(_ extent: Extent, at time: UInt64) -> Bool {
        forget(at: time)
        let others = places.filter { $0.extent != extent }
        guard others.count < countMax else { return false }
        let latest = max(time, places.last?.failedAt ?? 0)
        places = others + [Place(extent: extent, failedAt: latest)]
        return true
    }

    /// When nothing comes to any block of `extent` any more; nil if nothing does as of `time`.
    public mutating func end(in extent: Extent, at time: UInt64) -> UInt64? {
        forget(at: time)
        let last = places.last { $0.extent.overlaps(extent) }
        return last.map { $0.failedAt + nanosecondsMax }
    }

    /// The blocks of `extent` to which something may come, in order, and each once.
    public mutating func parts(of extent: Extent, at time: UInt64) -> [Extent] {
        forget(at: time)
        var parts: [Extent] = []
        var next = extent.start
        let found = places.map(\.extent).filter { $0.overlaps(extent) }
        for place in found.sorted(by: { $0.start < $1.start }) {
            let (start, end) = (max(place.start, next), min(place.end, extent.end))
            guard start < end else { continue }
            parts.append(Extent(volume: extent.volume, start: start, count: end - start))
            next = end
        }
        return parts
    }

    /// All places to which something may come.
    public mutating func all(at time: UInt64) -> [Extent] {
        forget(at: time)
        return places.map(\.extent)
    }

    private mutating func forget(at time: UInt64) {
        guard time >= nanosecondsMax else { return }
        let past = time - nanosecondsMax
        places.removeFirst(places.prefix { $0.failedAt <= past }.count)
    }
}

extension Extent {
    func overlaps(_ other: Extent) -> Bool {
        volume == other.volume && blocks.overlaps(other.blocks)
    }
}
