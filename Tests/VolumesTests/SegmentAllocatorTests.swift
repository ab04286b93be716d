// Goal:   segments go to one core at a time, and every block is in a record, in a lease or free.
// Method: rules one by one, then random leases, records and frees beside a bitmap.

import Testing

@testable import Volumes

private let whole = VolumeLayout.segmentBlocks
private let reserved = VolumeLayout.reservedBlocks

@Suite struct `A segment allocator` {
    @Test func `leases the emptiest segment, one to each`() throws {
        var allocator = twoSegments()
        let first = try allocator.lease()
        let second = try allocator.lease()
        #expect(first.segment == 1 && first.remainingBlocks == whole)
        #expect(second.segment == 0 && second.remainingBlocks == whole - reserved)
        #expect(first.needsZeroing && second.needsZeroing)
        #expect(allocator.leasedBlocks == UInt64(2 * whole - reserved))
        #expect(leaseError(&allocator) == .noSpace)
        allocator.giveBack(first)
        allocator.giveBack(second)
        #expect(allocator.leasedBlocks == 0)
        #expect(allocator.statistics.usedBlocks == 0)
    }

    @Test func `asks for growth by whole segments, then for a new volume`() {
        var allocator = SegmentAllocator(
            limits: GrowthLimits(
                volumeBytesMax: 128 << 20, capacityBytes: 200 << 20, stepBytes: 64 << 20))
        let newVolume = Growth(volume: nil, blockCount: whole, newBlocks: whole)
        #expect(leaseError(&allocator) == .needsGrowth(newVolume))
        allocator.addVolume(VolumeID(5), blockCount: whole)
        #expect(leaseError(&allocator) == nil)
        let longer = Growth(volume: VolumeID(5), blockCount: whole * 2, newBlocks: whole)
        #expect(leaseError(&allocator) == .needsGrowth(longer))
        allocator.grew(VolumeID(5), toBlockCount: whole * 2)
        #expect(leaseError(&allocator) == nil)
        let third = Growth(volume: nil, blockCount: whole, newBlocks: whole)
        #expect(leaseError(&allocator) == .needsGrowth(third))
        allocator.limits.capacityBlocks = UInt64(2 * whole)
        #expect(leaseError(&allocator) == .noSpace)
    }

    @Test func `leases a segment whose zeros failed once nothing comes of them any more`() throws {
        var allocator = twoSegments()
        let first = try allocator.lease()
        let second = try allocator.lease()
        allocator.close(first.volume)
        allocator.quarantine(first, at: 5)
        allocator.quarantine(second, at: 7)
        allocator.reopen(VolumeID(1))
        #expect(leaseError(&allocator) == .noSpace)
        #expect(allocator.suspectBlocks(of: VolumeID(1)) == UInt64(2 * whole))
        allocator.endQuarantine(through: 4)
        #expect(leaseError(&allocator) == .noSpace)
        allocator.endQuarantine(through: 6)
        let again = try allocator.lease()
        #expect(again.segment == 1 && again.remainingBlocks == whole && again.needsZeroing)
        #expect(leaseError(&allocator) == .noSpace)
        allocator.endQuarantine(through: 7)
        allocator.giveBack(again)
        #expect(allocator.statistics.usedBlocks == 0 && allocator.leasedBlocks == 0)
        #expect(allocator.suspectBlocks(of: VolumeID(1)) == 0)
    }

    @Test func `frees what may be written over once it may not, also in a lease`() throws {
        var allocator = twoSegments()
        let id = VolumeID(1)
        var lease = try allocator.lease()
        // Zeros that were written twice, and a record.
        let zeros = Extent(volume: id, start: lease.extent.start, count: 64)
        lease.leaveOut(zeros)
        allocator.quarantine(zeros, at: 5)
        let place = lease.allocate(blocks: 3)
        #expect(place?.block == zeros.end)
        allocator.quarantine(Extent(volume: id, start: zeros.end, count: 3), at: 6)
        #expect(allocator.suspectBlocks(of: id) == 67)
        #expect(allocator.quarantinedVolumes == [id, id])
        // Where the whole segment is suspect, they are counted once.
        allocator.close(id)
        #expect(allocator.suspectBlocks(of: id) == UInt64(whole))
        allocator.reopen(id)
        let segment = lease.segment
        allocator.giveBack(lease)
        #expect(allocator.suspectBlocks(of: id) == 67)
        #expect(allocator.freeExtents(of: segment, in: id).map(\.start) == [zeros.end + 3])
        allocator.endQuarantine(through: 5)
        #expect(allocator.suspectBlocks(of: id) == 3)
        allocator.endQuarantine(through: 6)
        #expect(allocator.suspectBlocks(of: id) == 0 && allocator.quarantinedVolumes == [])
        #expect(allocator.statistics.usedBlocks == 0)
    }

    @Test func `leases a used segment again when a quarter is free`() throws {
        var allocator = twoSegments(capacitySegments: 3)
        var lease = try allocator.lease()
        let place = lease.allocate(blocks: whole)
        let start = try #require(place)
        allocator.giveBack(lease)
        let other = try allocator.lease()
        #expect(other.segment == 0)

        let quarter = VolumeLayout.segmentBlocks / 4
        allocator.release(Extent(volume: start.volume, start: start.block, count: quarter - 1))
        #expect(leaseError(&allocator) != nil)
        allocator.release(
            Extent(volume: start.volume, start: start.block + quarter - 1, count: 1))
        let again = try allocator.lease()
        #expect(again.segment == 1 && again.remainingBlocks == quarter && !again.needsZeroing)
    }

    @Test func `takes crumbs when nothing can grow, if a record fits`() throws {
        var allocator = twoSegments()
        var lease = try allocator.lease()
        let place = lease.allocate(blocks: whole)
        let start = try #require(place)
        allocator.giveBack(lease)
        var other = try allocator.lease()
        _ = other.allocate(blocks: whole - reserved)
        allocator.giveBack(other)
        #expect(leaseError(&allocator) == .noSpace)
        allocator.release(Extent(volume: start.volume, start: start.block, count: 3))
        #expect(leaseError(&allocator, atLeast: 4) == .noSpace)
        let crumbs = try allocator.lease(atLeast: 3)
        #expect(crumbs.remainingBlocks == 3)
    }

    @Test func `keeps frees in a leased segment until the lease is over`() throws {
        var allocator = twoSegments()
        var lease = try allocator.lease()
        let place = lease.allocate(blocks: 10)
        let address = try #require(place)
        let extent = Extent(volume: address.volume, start: address.block, count: 10)
        allocator.release(extent)
        #expect(allocator.freeExtents(of: 1, in: VolumeID(1)) == [extent])
        #expect(lease.remainingBlocks == whole - 10)
        allocator.giveBack(lease)
        #expect(
            allocator.freeExtents(of: 1, in: VolumeID(1))
                == [SegmentAllocator.extent(of: 1, in: VolumeID(1))])
    }

    @Test func `refuses claims that cannot be`() {
        var allocator = twoSegments()
        let extent = Extent(volume: VolumeID(1), start: reserved, count: 2)
        #expect(claim(extent, in: &allocator) == nil)
        #expect(claim(extent, in: &allocator) == .overlap(extent))
        let head = Extent(volume: VolumeID(1), start: 0, count: 1)
        #expect(claim(head, in: &allocator) == .outOfBounds(head))
        let across = Extent(volume: VolumeID(1), start: whole - 1, count: 2)
        #expect(claim(across, in: &allocator) == .outOfBounds(across))
        let beyond = Extent(volume: VolumeID(1), start: 2 * whole, count: 1)
        #expect(claim(beyond, in: &allocator) == .outOfBounds(beyond))
        let stray = Extent(volume: VolumeID(2), start: reserved, count: 1)
        #expect(claim(stray, in: &allocator) == .unknownVolume(stray))
    }

    @Test func `does not zero a segment in which something lives`() throws {
        var allocator = twoSegments()
        try allocator.claim(Extent(volume: VolumeID(1), start: whole + 5, count: 1))
        let first = try allocator.lease()
        let second = try allocator.lease()
        #expect(first.segment == 1 && !first.needsZeroing)
        #expect(second.segment == 0 && second.needsZeroing)
    }

    @Test func `leaves a closed volume alone`() {
        var allocator = twoSegments(capacitySegments: 8)
        allocator.close(VolumeID(1))
        #expect(!allocator.hasOpenVolume)
        let growth = Growth(volume: nil, blockCount: 4 * whole, newBlocks: 4 * whole)
        #expect(leaseError(&allocator) == .needsGrowth(growth))
    }

    @Test func `leases what nobody had when its volume was closed`() throws {
        var allocator = twoSegments()
        let id = VolumeID(1)
        let first = try allocator.lease()
        allocator.close(id)
        allocator.reopen(id)
        #expect(allocator.suspectBlocks(of: id) == UInt64(whole))
        let second = try allocator.lease()
        #expect(second.segment != first.segment)
        #expect(leaseError(&allocator) == .noSpace)
        allocator.giveBack(first)
        #expect(allocator.suspectBlocks(of: id) == 0)
        #expect(try allocator.lease().segment == 1 - second.segment)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `agrees with a bitmap over thousands of steps`(seed: UInt64) throws {
        var chance = Seeded(seed)
        var model = BitmapModel()
        model.size(VolumeID(1), to: 2 * whole)
        var allocator = twoSegments()
        var lease = try allocator.lease()
        var live: [Extent] = []
        var wrong = 0
        for _ in 0..<6_000 {
            if Bool.random(using: &chance) || live.isEmpty {
                let blocks = UInt32.random(in: 1...40, using: &chance)
                if let address = lease.allocate(blocks: blocks) {
                    let extent = Extent(
                        volume: address.volume, start: address.block, count: blocks)
                    if !contains(lease.extent, extent) { wrong += 1 }
                    wrong += model.set(extent, free: false)
                    live.append(extent)
                } else {
                    allocator.giveBack(lease)
                    lease = try allocator.lease()
                }
            } else {
                let extent = live.remove(at: .random(in: live.indices, using: &chance))
                wrong += model.set(extent, free: true)
                let isUnused = Int.random(in: 0..<9, using: &chance) == 0
                if isUnused, contains(lease.extent, extent) {
                    lease.giveBack(extent)
                } else {
                    allocator.release(extent)
                }
            }
        }
        allocator.giveBack(lease)
        #expect(wrong == 0)
        let runs = (0..<2).flatMap { allocator.freeExtents(of: UInt32($0), in: VolumeID(1)) }
        #expect(
            Set(runs.flatMap { $0.blocks }) == Set(model.runs(VolumeID(1)).flatMap { $0.blocks }))
        #expect(allocator.statistics.usedBlocks == live.reduce(0) { $0 + UInt64($1.count) })
    }

    @Test func `traps on a lease given back to a stranger`() async {
        await #expect(processExitsWith: .failure) {
            var allocator = twoSegments()
            let lease = try allocator.lease()
            var stranger = twoSegments()
            stranger.giveBack(lease)
        }
    }

    @Test func `traps on blocks released twice`() async {
        await #expect(processExitsWith: .failure) {
            var allocator = twoSegments()
            allocator.release(Extent(volume: VolumeID(1), start: reserved, count: 1))
        }
    }

    @Test func `traps on unused blocks of another segment`() async {
        await #expect(processExitsWith: .failure) {
            var allocator = twoSegments()
            var lease = try allocator.lease()
            lease.giveBack(Extent(volume: VolumeID(1), start: reserved, count: 1))
        }
    }

    private func contains(_ outer: Extent, _ inner: Extent) -> Bool {
        outer.volume == inner.volume && outer.start <= inner.start && inner.end <= outer.end
    }

    /// Leases and drops, or says why not.
    private func leaseError(
        _ allocator: inout SegmentAllocator, atLeast blocks: UInt32 = 1
    ) -> AllocationError? {
        do throws(AllocationError) {
            _ = try allocator.lease(atLeast: blocks)
            return nil
        } catch {
            return error
        }
    }

    private func claim(_ extent: Extent, in allocator: inout SegmentAllocator) -> ClaimError? {
        do throws(ClaimError) {
            try allocator.claim(extent)
            return nil
        } catch {
            return error
        }
    }
}

private func twoSegments(capacitySegments: UInt64 = 2) -> SegmentAllocator {
    var allocator = SegmentAllocator(
        limits: GrowthLimits(
            volumeBytesMax: 1 << 30, capacityBytes: capacitySegments * UInt64(64 << 20)))
    allocator.addVolume(VolumeID(1), blockCount: 2 * whole)
    return allocator
}
