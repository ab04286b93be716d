// Goal:   a block is never handed out twice and never lost, and growth is asked for in time.
// Method: thousands of random steps beside a model of one bit a block; every 128th step all free
//         runs are compared with the model's. The rest pins the rules one by one.

import Testing

@testable import Volumes

private let blockSize = UInt64(VolumeLayout.blockSize)

/// One bit a block: true when it may be handed out.
struct BitmapModel {
    var volumes: [VolumeID: [Bool]] = [:]

    mutating func size(_ id: VolumeID, to count: UInt32) {
        var bits = volumes[id] ?? Array(repeating: false, count: Int(VolumeLayout.reservedBlocks))
        bits += Array(repeating: true, count: Int(count) - bits.count)
        volumes[id] = bits
    }

    /// How many of the extent's blocks were not in the state that they leave.
    mutating func set(_ extent: Extent, free: Bool) -> Int {
        guard let place = volumes.index(forKey: extent.volume) else { return Int(extent.count) }
        var wrong = 0
        for block in extent.blocks {
            if volumes.values[place][Int(block)] == free { wrong += 1 }
            volumes.values[place][Int(block)] = free
        }
        return wrong
    }

    func runs(_ id: VolumeID) -> [Extent] {
        var runs: [Extent] = []
        var start: Int?
        let bits = (volumes[id] ?? []) + [false]
        for (block, isFree) in bits.enumerated() {
            if isFree {
                start = start ?? block
            } else if let first = start {
                runs.append(
                    Extent(volume: id, start: UInt32(first), count: UInt32(block - first)))
                start = nil
            }
        }
        return runs
    }

    var freeCount: Int { volumes.values.reduce(0) { $0 + $1.count { $0 } } }
}

/// An owner that grows volumes as it is told to, without a file.
func grow(_ allocator: inout ExtentAllocator, _ growth: Growth, _ model: inout BitmapModel) {
    if let id = growth.volume {
        allocator.grew(id, toBlockCount: growth.blockCount)
        model.size(id, to: growth.blockCount)
    } else {
        let id = VolumeID(UInt16(model.volumes.count))
        allocator.addVolume(id, blockCount: growth.blockCount)
        model.size(id, to: growth.blockCount)
    }
}

func reserve(
    _ bytes: UInt64, from allocator: inout ExtentAllocator, _ model: inout BitmapModel
) -> [Extent]? {
    while true {
        do throws(AllocationError) {
            return try allocator.reserve(bytes: bytes)
        } catch .needsGrowth(let growth) {
            grow(&allocator, growth, &model)
        } catch {
            return nil
        }
    }
}

@Suite struct `An extent allocator` {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `agrees with a bitmap over thousands of steps`(seed: UInt64) {
        var chance = Seeded(seed)
        var model = BitmapModel()
        var allocator = ExtentAllocator(
            limits: GrowthLimits(
                volumeBytesMax: 128 << 20, capacityBytes: 300 << 20, stepBytes: 64 << 20))
        var live: [[Extent]] = []
        var wrong = 0
        var refused = 0
        for step in 0..<2_000 {
            if live.isEmpty || Int.random(in: 0..<100, using: &chance) < 55 {
                let bytes = randomSize(&chance)
                if let extents = reserve(bytes, from: &allocator, &model) {
                    let mayGrow = allocator.statistics.volumeBlocks < 300 * 256
                    wrong += problems(extents, for: bytes, mayGrow: mayGrow)
                    for extent in extents { wrong += model.set(extent, free: false) }
                    live.append(extents)
                } else {
                    refused += 1
                    if UInt64(model.freeCount) * blockSize >= bytes { wrong += 1 }
                }
            } else {
                let extents = live.remove(at: .random(in: live.indices, using: &chance))
                for extent in extents { wrong += model.set(extent, free: true) }
                allocator.release(extents)
            }
            if step % 128 == 0 { wrong += differences(allocator, model) }
        }
        #expect(wrong == 0)
        #expect(refused > 0, "the capacity was never used up")

        for extents in live {
            allocator.release(extents)
            for extent in extents { wrong += model.set(extent, free: true) }
        }
        #expect(wrong + differences(allocator, model) == 0)
        #expect(allocator.statistics.usedBlocks == 0)
        #expect(allocator.statistics.runCount == model.volumes.count)
    }

    @Test func `claims what was in use, and ends up where it was`() throws {
        var chance = Seeded(8)
        var model = BitmapModel()
        let limits = GrowthLimits(volumeBytesMax: 128 << 20, capacityBytes: 1 << 30)
        var allocator = ExtentAllocator(limits: limits)
        var live: [[Extent]] = []
        for _ in 0..<300 {
            if let extents = reserve(randomSize(&chance), from: &allocator, &model) {
                live.append(extents)
            }
        }
        for index in (0..<live.count).reversed() where index % 3 == 0 {
            allocator.release(live.remove(at: index))
        }
        var recovered = ExtentAllocator(limits: limits)
        for (id, bits) in model.volumes { recovered.addVolume(id, blockCount: UInt32(bits.count)) }
        for extents in live.shuffled(using: &chance) {
            for extent in extents { try recovered.claim(extent) }
        }
        #expect(recovered.statistics == allocator.statistics)
        for id in model.volumes.keys {
            #expect(recovered.freeExtents(of: id) == allocator.freeExtents(of: id))
        }
    }

    @Test func `refuses claims that cannot be`() {
        var allocator = oneVolume(megabytes: 64)
        let extent = Extent(volume: VolumeID(1), start: 600, count: 10)
        #expect(claim(extent, in: &allocator) == nil)
        #expect(claim(extent, in: &allocator) == .overlap(extent))
        let touching = Extent(volume: VolumeID(1), start: 609, count: 2)
        #expect(claim(touching, in: &allocator) == .overlap(touching))
        let head = Extent(volume: VolumeID(1), start: 511, count: 2)
        #expect(claim(head, in: &allocator) == .outOfBounds(head))
        let tail = Extent(volume: VolumeID(1), start: 16_383, count: 2)
        #expect(claim(tail, in: &allocator) == .outOfBounds(tail))
        let stray = Extent(volume: VolumeID(2), start: 600, count: 10)
        #expect(claim(stray, in: &allocator) == .unknownVolume(stray))
    }

    @Test func `spans volumes when no single one is long enough`() throws {
        var model = BitmapModel()
        var allocator = ExtentAllocator(
            limits: GrowthLimits(volumeBytesMax: 1 << 30, capacityBytes: 8 << 30))
        let extents = try #require(reserve(3 << 30, from: &allocator, &model))
        #expect(Set(extents.map(\.volume)).count == 4)
        #expect(extents.reduce(0) { $0 + $1.byteCount } == 3 << 30)
        #expect(extents.allSatisfy { $0.start % 512 == 0 })
    }

    @Test func `rather grows than shreds, and shreds rather than refuses`() throws {
        var allocator = oneVolume(megabytes: 64, capacityMegabytes: 128)
        var model = BitmapModel()
        model.size(VolumeID(1), to: 16_384)
        var pieces: [[Extent]] = []
        while let piece = try? allocator.reserve(bytes: 1 << 20) { pieces.append(piece) }
        #expect(pieces.count == 62)
        for index in stride(from: 0, to: pieces.count, by: 2) { allocator.release(pieces[index]) }

        let growth = Growth(volume: VolumeID(1), blockCount: 32_768, newBlocks: 16_384)
        #expect(throws: AllocationError.needsGrowth(growth)) {
            try allocator.reserve(bytes: 4 << 20)
        }
        allocator.limits.capacityBlocks = 16_384
        let shreds = try allocator.reserve(bytes: 4 << 20)
        #expect(shreds.count == 4)
        #expect(throws: AllocationError.noSpace) { try allocator.reserve(bytes: 28 << 20) }
        #expect(allocator.statistics.freeBlocks == 27 * 256)
    }

    @Test func `asks for no growth that could not help`() {
        var allocator = ExtentAllocator(
            limits: GrowthLimits(volumeBytesMax: 1 << 30, capacityBytes: 256 << 20))
        #expect(throws: AllocationError.noSpace) { try allocator.reserve(bytes: 300 << 20) }
        #expect(allocator.statistics == SpaceStatistics())
    }

    @Test func `leaves a closed volume alone`() throws {
        var allocator = oneVolume(megabytes: 64, capacityMegabytes: 1024)
        let extents = try allocator.reserve(bytes: 100_000)
        #expect(allocator.hasOpenVolume)
        allocator.close(VolumeID(1))
        #expect(!allocator.hasOpenVolume)
        let growth = Growth(volume: nil, blockCount: 65_536, newBlocks: 65_536)
        #expect(throws: AllocationError.needsGrowth(growth)) {
            try allocator.reserve(bytes: 100_000)
        }
        allocator.release(extents)
        #expect(allocator.statistics.usedBlocks == 0)
    }

    @Test func `takes back the tail of a reservation`() throws {
        var allocator = oneVolume(megabytes: 64)
        let extent = try #require(try allocator.reserve(bytes: 10 << 20).first)
        allocator.release([Extent(volume: extent.volume, start: extent.start + 1, count: 2559)])
        #expect(allocator.statistics.usedBlocks == 1)
    }

    @Test func `keeps up with a hundred thousand runs`() throws {
        var allocator = oneVolume(megabytes: 1024)
        for block in stride(from: UInt32(512), to: 200_512, by: 2) {
            try allocator.claim(Extent(volume: VolumeID(1), start: block, count: 1))
        }
        #expect(allocator.statistics.runCount == 100_000)
        let small = try allocator.reserve(bytes: 4096)
        #expect(small == [Extent(volume: VolumeID(1), start: 513, count: 1)])
        for block in stride(from: UInt32(512), to: 200_512, by: 2).reversed() {
            allocator.release([Extent(volume: VolumeID(1), start: block, count: 1)])
        }
        allocator.release(small)
        #expect(allocator.statistics.runCount == 1)
    }

    @Test func `traps on blocks released twice`() async {
        await #expect(processExitsWith: .failure) {
            var allocator = oneVolume(megabytes: 64)
            let extents = try allocator.reserve(bytes: 100_000)
            allocator.release(extents)
            allocator.release(extents)
        }
    }

    @Test func `traps on a release of blocks it never had`() async {
        await #expect(processExitsWith: .failure) {
            var allocator = oneVolume(megabytes: 64)
            allocator.release([Extent(volume: VolumeID(1), start: 0, count: 1)])
        }
    }

    private func problems(_ extents: [Extent], for bytes: UInt64, mayGrow: Bool) -> Int {
        let blocks = extents.reduce(0) { $0 + UInt64($1.count) }
        var wrong = blocks == VolumeLayout.blocks(for: bytes) ? 0 : 1
        let isAligned = extents.allSatisfy { $0.count < 512 || $0.start % 512 == 0 }
        if mayGrow, !isAligned { wrong += 1 }
        return wrong
    }

    private func differences(_ allocator: ExtentAllocator, _ model: BitmapModel) -> Int {
        var wrong = 0
        var longest: UInt32 = 0
        for id in model.volumes.keys {
            let runs = model.runs(id)
            if allocator.freeExtents(of: id) != runs { wrong += 1 }
            longest = max(longest, runs.map(\.count).max() ?? 0)
        }
        let statistics = allocator.statistics
        if statistics.freeBlocks != UInt64(model.freeCount) { wrong += 1 }
        if statistics.longestRunBlocks != longest { wrong += 1 }
        return wrong
    }

    private func claim(_ extent: Extent, in allocator: inout ExtentAllocator) -> ClaimError? {
        do throws(ClaimError) {
            try allocator.claim(extent)
            return nil
        } catch {
            return error
        }
    }

    private func randomSize(_ chance: inout Seeded) -> UInt64 {
        switch Int.random(in: 0..<10, using: &chance) {
        case 0: .random(in: 1...(40 << 20), using: &chance)
        case 1...3: .random(in: 1...(6 << 20), using: &chance)
        default: .random(in: 1...(300 << 10), using: &chance)
        }
    }
}

func oneVolume(megabytes: UInt64, capacityMegabytes: UInt64? = nil) -> ExtentAllocator {
    let capacity = (capacityMegabytes ?? megabytes) << 20
    var allocator = ExtentAllocator(
        limits: GrowthLimits(
            volumeBytesMax: max(1 << 30, megabytes << 20), capacityBytes: capacity))
    allocator.addVolume(VolumeID(1), blockCount: UInt32((megabytes << 20) / blockSize))
    return allocator
}
