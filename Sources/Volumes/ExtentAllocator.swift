/// Who has which blocks of the large volumes. One owner; nothing is written, growth is asked for.
///
/// A reservation is met whole or not at all. It is one extent when one fits, aligned to 2 MiB when
/// it is that long; else extents of whole 2 MiB with a short one behind; and shreds only when no
/// volume can grow any more.
///
/// What was handed out when its volume failed is suspect: a write may have failed there, or may
/// still arrive. It stays where it is, or as what it becomes; but what is given back of it by those
/// whose bytes nobody needs, is quarantined: it is not handed out again before somebody says that
/// nothing comes any more of what had failed by then.
///
/// Invariant: every block of a volume behind its reserved ones is either free or used. What is
/// quarantined counts as used, and is in nobody's hands.
public struct ExtentAllocator: Sendable {
    fileprivate struct Volume: Sendable {
        let id: VolumeID
        var blockCount: UInt32
        var free = FreeRuns()
        var isOpen = true
        /// What is not suspect, of a volume that failed: what was free then, or freed since.
        var sound: FreeRuns?
        /// In the order in which it was given back.
        var quarantined: [Quarantined] = []
    }

    fileprivate struct Quarantined: Sendable {
        let blocks: Range<UInt32>
        let time: UInt64
    }

    public var limits: GrowthLimits
    /// In order of their numbers.
    private var volumes: [Volume] = []

    public init(limits: GrowthLimits) { self.limits = limits }

    /// Takes in a volume of `blockCount` blocks (whole 2 MiB; a rest is left alone), all free but
    /// the reserved ones: at start, before `claim`, or as the answer to `needsGrowth`.
    public mutating func addVolume(_ id: VolumeID, blockCount: UInt32) {
        let index = volumes.firstIndex { $0.id >= id } ?? volumes.count
        precondition(index == volumes.count || volumes[index].id != id, "volume \(id) is there")
        volumes.insert(Volume(id: id, blockCount: VolumeLayout.reservedBlocks), at: index)
        grew(id, toBlockCount: max(blockCount, VolumeLayout.reservedBlocks))
    }

    /// The volume's file now has `blockCount` blocks in all.
    public mutating func grew(_ id: VolumeID, toBlockCount blockCount: UInt32) {
        let index = index(of: id)
        let whole = blockCount / VolumeLayout.alignedBlocks * VolumeLayout.alignedBlocks
        precondition(whole >= volumes[index].blockCount, "volumes do not shrink")
        guard whole > volumes[index].blockCount else { return }
        let new = volumes[index].blockCount..<whole
        volumes[index].free.insert(new)
        volumes[index].sound?.insert(new)
        volumes[index].blockCount = whole
    }

    /// Hands out nothing of this volume, nor lets it grow: its device failed. What is used stays
    /// used, and is suspect from now on. Once more changes nothing.
    public mutating func close(_ id: VolumeID) {
        let index = index(of: id)
        guard volumes[index].isOpen else { return }
        volumes[index].isOpen = false
        volumes[index].sound = volumes[index].free
    }

    /// It works again.
    public mutating func reopen(_ id: VolumeID) {
        volumes[index(of: id)].isOpen = true
    }

    /// Whether any volume may still be written.
    public var hasOpenVolume: Bool { volumes.contains { $0.isOpen } }

    /// Blocks for `bytes` bytes, in the order in which the data fills them.
    public mutating func reserve(bytes: UInt64) throws(AllocationError) -> [Extent] {
        precondition(bytes > 0, "nothing needs no room")
        let wanted = VolumeLayout.blocks(for: bytes)
        if let extent = takeOne(wanted) { return [extent] }

        var extents: [Extent] = []
        var missing = takeWhole(wanted, into: &extents)
        if missing == 0 { return extents }
        let growth = growth(for: missing)
        if growth == nil { missing = takeAny(missing, into: &extents) }
        if missing == 0 { return extents }
        for extent in extents { volumes[index(of: extent.volume)].free.insert(extent.blocks) }
        if let growth { throw .needsGrowth(growth) }
        throw .noSpace
    }

    /// Gives blocks back that somebody's durable bytes lay in: an object that was removed. Blocks
    /// that are free already are our mistake, and trap.
    public mutating func release(_ extents: [Extent]) {
        for extent in extents {
            volumes[checkedIndex(of: extent)].release(extent.blocks)
        }
    }

    /// Gives blocks back whose bytes never counted: all of a reservation, or the tail that was not
    /// needed. No write to them is under way. What of them is suspect stays taken until
    /// `endQuarantine`, and must not be given back once more; so does an extent to which something
    /// `mayCome` all the same. `time` does not fall.
    public mutating func giveBack(
        _ extents: [Extent], at time: UInt64, mayCome: (Extent) -> Bool = { _ in false }
    ) {
        for extent in extents {
            let index = checkedIndex(of: extent)
            guard !mayCome(extent) else {
                volumes[index].quarantined.append(Quarantined(blocks: extent.blocks, time: time))
                continue
            }
            var next = extent.start
            for suspect in volumes[index].suspects(in: extent.blocks) {
                if suspect.lowerBound > next {
                    volumes[index].free.insert(next..<suspect.lowerBound)
                }
                volumes[index].quarantined.append(Quarantined(blocks: suspect, time: time))
                next = suspect.upperBound
            }
            if next < extent.end { volumes[index].free.insert(next..<extent.end) }
        }
    }

    /// What was given back by then is as good as any: nothing comes any more of what had failed
    /// there. Also on a volume that is closed.
    public mutating func endQuarantine(through time: UInt64) {
        for index in volumes.indices {
            let count = volumes[index].quarantined.prefix { $0.time <= time }.count
            for quarantined in volumes[index].quarantined.prefix(count) {
                volumes[index].release(quarantined.blocks)
            }
            volumes[index].quarantined.removeFirst(count)
        }
    }

    /// Blocks of a volume that are not handed out again before `endQuarantine`.
    public func quarantinedBlocks(of id: VolumeID) -> UInt64 {
        volumes[index(of: id)].quarantined.reduce(0) { $0 + UInt64($1.blocks.count) }
    }

    /// Those that have such blocks.
    public var quarantinedVolumes: [VolumeID] {
        volumes.filter { !$0.quarantined.isEmpty }.map(\.id)
    }

    private func checkedIndex(of extent: Extent) -> Int {
        let index = index(of: extent.volume)
        precondition(
            extent.start >= VolumeLayout.reservedBlocks
                && extent.end <= volumes[index].blockCount, "\(extent) was never handed out")
        return index
    }

    /// Marks blocks as used that a record names: recovery, before anything is handed out.
    public mutating func claim(_ extent: Extent) throws(ClaimError) {
        guard let index = volumes.firstIndex(where: { $0.id == extent.volume })
        else { throw .unknownVolume(extent) }
        guard extent.start >= VolumeLayout.reservedBlocks,
            extent.end <= volumes[index].blockCount
        else { throw .outOfBounds(extent) }
        guard volumes[index].free.contains(extent.blocks) else { throw .overlap(extent) }
        volumes[index].free.subtract(extent.blocks)
    }

    /// The accounts of all volumes, closed ones included. O(runs / 256).
    public var statistics: SpaceStatistics {
        var sum = SpaceStatistics()
        for volume in volumes {
            let reserved = UInt64(VolumeLayout.reservedBlocks)
            sum.volumeBlocks += UInt64(volume.blockCount)
            sum.freeBlocks += volume.free.blockCount
            sum.usedBlocks += UInt64(volume.blockCount) - reserved - volume.free.blockCount
            sum.longestRunBlocks = max(sum.longestRunBlocks, volume.free.longest)
            sum.runCount += volume.free.runCount
        }
        return sum
    }

    /// The free runs of a volume, in order. O(runs): for tests and `fsck`.
    public func freeExtents(of id: VolumeID) -> [Extent] {
        volumes[index(of: id)].free.all.map {
            Extent(volume: id, start: $0.start, count: $0.count)
        }
    }
}

extension ExtentAllocator.Volume {
    /// They are free, and as good as any.
    fileprivate mutating func release(_ blocks: Range<UInt32>) {
        free.insert(blocks)
        for suspect in suspects(in: blocks) { sound?.insert(suspect) }
    }

    /// Those of `blocks` that were handed out when it failed.
    func suspects(in blocks: Range<UInt32>) -> [Range<UInt32>] {
        guard let sound else { return [] }
        var suspects: [Range<UInt32>] = []
        var next = blocks.lowerBound
        for run in sound.parts(of: blocks) {
            if run.lowerBound > next { suspects.append(next..<run.lowerBound) }
            next = run.upperBound
        }
        if next < blocks.upperBound { suspects.append(next..<blocks.upperBound) }
        return suspects
    }
}

extension ExtentAllocator {
    private func index(of id: VolumeID) -> Int {
        guard let index = volumes.firstIndex(where: { $0.id == id }) else {
            preconditionFailure("volume \(id) was never added")
        }
        return index
    }

    /// One extent of all `wanted` blocks.
    private mutating func takeOne(_ wanted: UInt64) -> Extent? {
        guard let count = UInt32(exactly: wanted) else { return nil }
        let alignment = count >= VolumeLayout.alignedBlocks ? VolumeLayout.alignedBlocks : 1
        for index in volumes.indices where volumes[index].isOpen {
            guard let start = volumes[index].free.firstFit(count, alignment: alignment)
            else { continue }
            return take(start..<start + count, from: index)
        }
        return nil
    }

    /// The longest aligned extents, and one for the rest below 2 MiB. Returns what is missing.
    private mutating func takeWhole(_ wanted: UInt64, into extents: inout [Extent]) -> UInt64 {
        var missing = wanted
        let alignment = VolumeLayout.alignedBlocks
        while missing >= UInt64(alignment) {
            guard extents.count < VolumeLayout.extentsPerObjectMax,
                let (index, run) = longestRun(alignment: alignment)
            else { return missing }
            // A run that holds all of the rest would have been found by `takeOne` at first, but
            // the rest shrinks while the pieces are taken.
            let whole = UInt64(run.count) >= missing ? missing : UInt64(run.count)
            extents.append(take(run.lowerBound..<run.lowerBound + UInt32(whole), from: index))
            missing -= whole
        }
        guard missing > 0 else { return 0 }
        guard extents.count < VolumeLayout.extentsPerObjectMax, let last = takeOne(missing)
        else { return missing }
        extents.append(last)
        return 0
    }

    /// The longest runs there are, wherever they start. Returns what is missing.
    private mutating func takeAny(_ wanted: UInt64, into extents: inout [Extent]) -> UInt64 {
        var missing = wanted
        while missing > 0, extents.count < VolumeLayout.extentsPerObjectMax,
            let (index, run) = longestRun(alignment: 1)
        {
            let count = min(missing, UInt64(run.count))
            extents.append(take(run.lowerBound..<run.lowerBound + UInt32(count), from: index))
            missing -= count
        }
        return missing
    }

    private func longestRun(alignment: UInt32) -> (index: Int, run: Range<UInt32>)? {
        var best: (index: Int, run: Range<UInt32>)?
        for index in volumes.indices where volumes[index].isOpen {
            guard let run = volumes[index].free.longestRun(alignment: alignment),
                run.count > best?.run.count ?? 0
            else { continue }
            best = (index, run)
        }
        return best
    }

    private mutating func take(_ blocks: Range<UInt32>, from index: Int) -> Extent {
        volumes[index].free.subtract(blocks)
        return Extent(
            volume: volumes[index].id, start: blocks.lowerBound, count: UInt32(blocks.count))
    }

    /// Growth by `missing` blocks, unless not even the whole capacity would hold them.
    private func growth(for missing: UInt64) -> Growth? {
        let open = volumes.filter(\.isOpen)
        let total = volumes.reduce(UInt64(0)) { $0 + UInt64($1.blockCount) }
        let free = open.reduce(UInt64(0)) { $0 + $1.free.blockCount }
        guard limits.capacityBlocks > total, missing <= free + limits.capacityBlocks - total
        else { return nil }
        return limits.growth(
            for: missing, total: total, volumes: open.map { ($0.id, $0.blockCount) },
            unit: VolumeLayout.alignedBlocks)
    }
}
