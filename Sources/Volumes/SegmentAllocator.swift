/// Who has which segments of the small volumes, and what is free in those that nobody has. One
/// owner; nothing is written, growth is asked for.
///
///     idle ──lease──▶ leased ──giveBack──▶ idle
///
/// While a segment is leased its core hands out the runs that came with the lease; blocks that are
/// freed meanwhile wait here and join when the lease is over. A segment whose zeros failed counts
/// as leased until `endQuarantine`; blocks over which something may still come, as in a record.
///
/// Invariant: a block is in a record, in a lease, or free here; never in two of them.
public struct SegmentAllocator: Sendable {
    private struct Segment: Sendable {
        var free = FreeRuns()
        var isLeased = false
        /// Nobody had it since start.
        var isUntouched = true
        /// It was leased when its volume failed, and is still.
        var isSuspect = false
        /// Blocks that went out with the lease.
        var leasedBlocks: UInt32 = 0
    }

    private struct Quarantined: Sendable {
        /// Nil for a whole segment whose zeros failed.
        let record: Extent?
        let volume: VolumeID
        let segment: UInt32
        let time: UInt64
    }

    private struct Volume: Sendable {
        let id: VolumeID
        var segments: [Segment] = []
        var isOpen = true
        var blockCount: UInt32 { UInt32(segments.count) * VolumeLayout.segmentBlocks }
    }

    /// A segment is leased again when a quarter of it is free: below, the seeks and the leases,
    /// each durable before its use, cost more than the room is worth.
    public static let worthwhileBlocks = VolumeLayout.segmentBlocks / 4

    public var limits: GrowthLimits
    /// In order of their numbers.
    private var volumes: [Volume] = []
    /// In the order in which they were put there.
    private var quarantined: [Quarantined] = []

    public init(limits: GrowthLimits) { self.limits = limits }

    /// The blocks of a segment that records may lie in: all but the reserved ones of the first.
    public static func extent(of segment: UInt32, in volume: VolumeID) -> Extent {
        let reserved = segment == 0 ? VolumeLayout.reservedBlocks : 0
        return Extent(
            volume: volume, start: segment * VolumeLayout.segmentBlocks + reserved,
            count: VolumeLayout.segmentBlocks - reserved)
    }

    /// The segment in which a block lies.
    public static func segment(of address: BlockAddress) -> UInt32 {
        address.block / VolumeLayout.segmentBlocks
    }

    /// Takes in a volume of `blockCount` blocks (whole segments; a rest is left alone), all free
    /// but the reserved ones: at start, before `claim`, or as the answer to `needsGrowth`.
    public mutating func addVolume(_ id: VolumeID, blockCount: UInt32) {
        let index = volumes.firstIndex { $0.id >= id } ?? volumes.count
        precondition(index == volumes.count || volumes[index].id != id, "volume \(id) is there")
        volumes.insert(Volume(id: id), at: index)
        grew(id, toBlockCount: blockCount)
    }

    /// The volume's file now has `blockCount` blocks in all.
    public mutating func grew(_ id: VolumeID, toBlockCount blockCount: UInt32) {
        let index = index(of: id)
        let whole = blockCount / VolumeLayout.segmentBlocks
        precondition(whole >= volumes[index].segments.count, "volumes do not shrink")
        for number in UInt32(volumes[index].segments.count)..<whole {
            var segment = Segment()
            segment.free.insert(SegmentAllocator.extent(of: number, in: id).blocks)
            volumes[index].segments.append(segment)
        }
    }

    /// Leases nothing of this volume any more, nor lets it grow: its device failed.
    public mutating func close(_ id: VolumeID) {
        let index = index(of: id)
        volumes[index].isOpen = false
        for number in volumes[index].segments.indices
        where volumes[index].segments[number].isLeased {
            volumes[index].segments[number].isSuspect = true
        }
    }

    /// It works again. What was written while it failed lies in leases that never come back.
    public mutating func reopen(_ id: VolumeID) {
        volumes[index(of: id)].isOpen = true
    }

    /// Blocks of segments that were leased when their volume failed, and have not come back: those
    /// in which a record failed do once that is settled. And blocks that wait in quarantine.
    public func suspectBlocks(of id: VolumeID) -> UInt64 {
        let segments = volumes[index(of: id)].segments
        let records = quarantined.reduce(0 as UInt64) { sum, waiting in
            guard waiting.volume == id, let record = waiting.record,
                !segments[Int(waiting.segment)].isSuspect
            else { return sum }
            return sum + UInt64(record.count)
        }
        return segments.reduce(records) {
            $0 + ($1.isSuspect ? UInt64(VolumeLayout.segmentBlocks) : 0)
        }
    }

    /// Those that have blocks in quarantine, each perhaps more than once.
    public var quarantinedVolumes: [VolumeID] { quarantined.map(\.volume) }

    /// Whether any volume may still be written.
    public var hasOpenVolume: Bool { volumes.contains { $0.isOpen } }

    /// The segment with the most free blocks, of which a run of `blocks` must be one, with `kept`
    /// more beside it anywhere. Below a quarter free, a volume rather grows, while one can.
    public mutating func lease(
        atLeast blocks: UInt32 = 1, keeping kept: UInt32 = 0
    ) throws(AllocationError) -> SegmentLease {
        precondition(
            blocks > 0 && blocks + kept <= VolumeLayout.segmentBlocks, "no segment is that long")
        let best = best(withRunOf: blocks, keeping: kept)
        if let best, best.freeBlocks >= SegmentAllocator.worthwhileBlocks { return take(best) }
        if let growth = growth() { throw .needsGrowth(growth) }
        guard let best else { throw .noSpace }
        return take(best)
    }

    /// Takes a lease back with what is left of it.
    public mutating func giveBack(_ lease: consuming SegmentLease) {
        let index = index(of: lease.volume)
        let number = Int(lease.segment)
        precondition(volumes[index].segments[number].isLeased, "nobody had this segment")
        volumes[index].segments[number].isLeased = false
        volumes[index].segments[number].isSuspect = false
        volumes[index].segments[number].leasedBlocks = 0
        for run in lease.surrender().all {
            volumes[index].segments[number].free.insert(run.start..<run.end)
        }
    }

    /// The zeros failed that were to prepare this lease's segment. Nothing else was written there;
    /// it may be leased once more after `endQuarantine`. `time` does not fall.
    public mutating func quarantine(_ lease: consuming SegmentLease, at time: UInt64) {
        precondition(lease.needsZeroing, "that segment was not to be zeroed")
        quarantined.append(
            Quarantined(record: nil, volume: lease.volume, segment: lease.segment, time: time))
    }

    /// `release` for blocks over which something may still come: not before `endQuarantine`.
    public mutating func quarantine(_ extent: Extent, at time: UInt64) {
        quarantined.append(
            Quarantined(
                record: extent, volume: extent.volume,
                segment: SegmentAllocator.segment(of: extent.address), time: time))
    }

    /// Nothing comes any more of what had failed by then.
    public mutating func endQuarantine(through time: UInt64) {
        let count = quarantined.prefix { $0.time <= time }.count
        for ended in quarantined.prefix(count) {
            if let record = ended.record {
                release(record)
                continue
            }
            var segment = Segment()
            let whole = SegmentAllocator.extent(of: ended.segment, in: ended.volume)
            segment.free.insert(whole.blocks)
            volumes[index(of: ended.volume)].segments[Int(ended.segment)] = segment
        }
        quarantined.removeFirst(count)
    }

    /// Frees the blocks of a record, in a leased segment or not.
    public mutating func release(_ extent: Extent) {
        let index = index(of: extent.volume)
        let number = SegmentAllocator.segment(of: extent.address)
        let usable = SegmentAllocator.extent(of: number, in: extent.volume)
        precondition(
            number < volumes[index].segments.count && extent.start >= usable.start
                && extent.end <= usable.end, "\(extent) was never handed out")
        volumes[index].segments[Int(number)].free.insert(extent.blocks)
    }

    /// Marks the blocks of a record as used: recovery, before anything is leased.
    public mutating func claim(_ extent: Extent) throws(ClaimError) {
        guard let index = volumes.firstIndex(where: { $0.id == extent.volume })
        else { throw .unknownVolume(extent) }
        let number = SegmentAllocator.segment(of: extent.address)
        let usable = SegmentAllocator.extent(of: number, in: extent.volume)
        guard number < volumes[index].segments.count, extent.start >= usable.start,
            extent.end <= usable.end
        else { throw .outOfBounds(extent) }
        guard volumes[index].segments[Int(number)].free.contains(extent.blocks)
        else { throw .overlap(extent) }
        volumes[index].segments[Int(number)].free.subtract(extent.blocks)
    }
}

extension SegmentAllocator {
    private struct Candidate {
        let volume: Int
        let segment: Int
        let freeBlocks: UInt64
    }

    private func index(of id: VolumeID) -> Int {
        guard let index = volumes.firstIndex(where: { $0.id == id }) else {
            preconditionFailure("volume \(id) was never added")
        }
        return index
    }

    private func best(withRunOf blocks: UInt32, keeping kept: UInt32) -> Candidate? {
        var best: Candidate?
        for (index, volume) in volumes.enumerated() where volume.isOpen {
            for (number, segment) in volume.segments.enumerated() {
                guard !segment.isLeased, segment.free.blockCount > best?.freeBlocks ?? 0,
                    segment.free.blockCount >= UInt64(blocks + kept),
                    segment.free.longest >= blocks
                else { continue }
                best = Candidate(
                    volume: index, segment: number, freeBlocks: segment.free.blockCount)
            }
        }
        return best
    }

    private mutating func take(_ candidate: Candidate) -> SegmentLease {
        let id = volumes[candidate.volume].id
        let number = UInt32(candidate.segment)
        var segment = volumes[candidate.volume].segments[candidate.segment]
        let whole = SegmentAllocator.extent(of: number, in: id)
        let lease = SegmentLease(
            volume: id, segment: number,
            needsZeroing: segment.isUntouched && segment.free.blockCount == UInt64(whole.count),
            free: segment.free)
        segment.leasedBlocks = lease.remainingBlocks
        segment.free = FreeRuns()
        segment.isLeased = true
        segment.isUntouched = false
        volumes[candidate.volume].segments[candidate.segment] = segment
        return lease
    }

    private func growth() -> Growth? {
        let total = volumes.reduce(UInt64(0)) { $0 + UInt64($1.blockCount) }
        let open = volumes.filter(\.isOpen).map { (id: $0.id, blockCount: $0.blockCount) }
        return limits.growth(
            for: UInt64(VolumeLayout.segmentBlocks) - UInt64(VolumeLayout.reservedBlocks),
            total: total, volumes: open, unit: VolumeLayout.segmentBlocks)
    }

    /// The accounts of all volumes. What a lease took counts as used until the lease is over: only
    /// its core knows how much of it is. `leasedBlocks` says how much that was.
    public var statistics: SpaceStatistics {
        var sum = SpaceStatistics()
        for volume in volumes {
            sum.volumeBlocks += UInt64(volume.blockCount)
            for (number, segment) in volume.segments.enumerated() {
                let usable = SegmentAllocator.extent(of: UInt32(number), in: volume.id)
                sum.freeBlocks += segment.free.blockCount
                sum.usedBlocks += UInt64(usable.count) - segment.free.blockCount
                sum.longestRunBlocks = max(sum.longestRunBlocks, segment.free.longest)
                sum.runCount += segment.free.runCount
            }
        }
        return sum
    }

    /// Blocks that went out with leases which are not back yet.
    public var leasedBlocks: UInt64 {
        volumes.reduce(0) { sum, volume in
            volume.segments.reduce(sum) { $0 + UInt64($1.leasedBlocks) }
        }
    }

    /// The free runs of a segment that are here and not in a lease, in order. O(runs).
    public func freeExtents(of segment: UInt32, in id: VolumeID) -> [Extent] {
        volumes[index(of: id)].segments[Int(segment)].free.all.map {
            Extent(volume: id, start: $0.start, count: $0.count)
        }
    }
}
