// Goal:   what may be written over is not handed out before its time, and all of it then.
// Method: the rules by hand; and thousands of random steps beside a model.

import Testing

@testable import Volumes

private let blockSize = UInt64(VolumeLayout.blockSize)

@Suite struct `An extent that may be written over` {
    @Test func `keeps what a failed volume had handed out from use`() throws {
        var allocator = oneVolume(megabytes: 64)
        let id = VolumeID(1)
        let object = try allocator.reserve(bytes: 40_960)
        let upload = try allocator.reserve(bytes: 81_920)
        allocator.close(id)
        allocator.close(id)
        allocator.giveBack([Extent(volume: id, start: upload[0].start, count: 4)], at: 1)
        allocator.reopen(id)
        #expect(allocator.quarantinedBlocks(of: id) == 4)
        // What is new is as good as ever, also where it touches what is suspect.
        let new = try allocator.reserve(bytes: 8192)
        #expect(new[0].start == upload[0].end)
        allocator.giveBack(
            [Extent(volume: id, start: upload[0].start + 4, count: upload[0].count - 4 + 2)],
            at: 2)
        #expect(allocator.quarantinedBlocks(of: id) == 20)
        #expect(try allocator.reserve(bytes: 8192) == new)
        // An object's space was durable: it is used again, now and later.
        allocator.release(object)
        #expect(try allocator.reserve(bytes: 40_960) == object)
        allocator.giveBack(object, at: 3)
        #expect(try allocator.reserve(bytes: 40_960) == object)
        #expect(allocator.statistics.usedBlocks == 32)
        #expect(allocator.quarantinedBlocks(of: id) == 20)
        // In the order in which it came back; then it is as good as any.
        allocator.endQuarantine(through: 0)
        #expect(allocator.quarantinedBlocks(of: id) == 20)
        allocator.close(id)
        allocator.endQuarantine(through: 1)
        #expect(allocator.quarantinedBlocks(of: id) == 16)
        allocator.reopen(id)
        allocator.endQuarantine(through: 2)
        #expect(allocator.quarantinedBlocks(of: id) == 0)
        #expect(allocator.statistics.usedBlocks == 12)
        #expect(try allocator.reserve(bytes: 81_920) == upload)
        allocator.giveBack(upload, at: 4)
        #expect(allocator.quarantinedBlocks(of: id) == 0)
    }

    /// Whether or not its volume has failed since, and however much of it is suspect.
    @Test func `keeps from use what may be written over all the same`() throws {
        var allocator = oneVolume(megabytes: 64)
        let id = VolumeID(1)
        let first = try allocator.reserve(bytes: 40_960)
        let second = try allocator.reserve(bytes: 40_960)
        allocator.giveBack(first + second, at: 1) { $0 == first[0] }
        #expect(allocator.quarantinedBlocks(of: id) == 10 && allocator.quarantinedVolumes == [id])
        #expect(try allocator.reserve(bytes: 40_960) == second)
        allocator.close(id)
        allocator.reopen(id)
        let third = try allocator.reserve(bytes: 8192)
        allocator.giveBack(second + third, at: 2) { _ in true }
        #expect(allocator.quarantinedBlocks(of: id) == 22)
        allocator.endQuarantine(through: 1)
        #expect(try allocator.reserve(bytes: 40_960) == first)
        allocator.endQuarantine(through: 2)
        #expect(allocator.quarantinedBlocks(of: id) == 0 && allocator.quarantinedVolumes == [])
        // All are as good as any now.
        allocator.giveBack(first, at: 3)
        #expect(allocator.quarantinedBlocks(of: id) == 0 && allocator.statistics.usedBlocks == 0)
    }

    /// Beside a model of one bit a block: whether it may be handed out again.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `hands nothing suspect out through any life`(seed: UInt64) throws {
        var chance = Seeded(seed)
        var allocator = oneVolume(megabytes: 8)
        let id = VolumeID(1)
        var live: [Extent] = []
        var suspect: Set<UInt32> = []
        var quarantined: [UInt32: UInt64] = [:]
        var most = 0
        for time in 0..<3000 as Range<UInt64> {
            switch Int.random(in: 0..<12, using: &chance) {
            case 0:
                allocator.close(id)
                suspect.formUnion(live.flatMap(\.blocks))
                allocator.reopen(id)
            case 1..<6:
                let count = Int.random(in: 1...40, using: &chance)
                guard let extents = try? allocator.reserve(bytes: UInt64(count) * blockSize)
                else { continue }
                live += extents
                for block in extents.flatMap(\.blocks) {
                    #expect(quarantined[block] == nil && !suspect.contains(block))
                }
            case 6:
                let end = time - min(time, UInt64.random(in: 0..<400, using: &chance))
                allocator.endQuarantine(through: end)
                for (block, since) in quarantined where since <= end {
                    quarantined[block] = nil
                    suspect.remove(block)
                }
            default:
                guard !live.isEmpty else { continue }
                let extent = live.remove(at: Int.random(in: 0..<live.count, using: &chance))
                if Bool.random(using: &chance) {
                    allocator.release([extent])
                    suspect.subtract(extent.blocks)
                } else {
                    allocator.giveBack([extent], at: time)
                    for block in suspect.intersection(extent.blocks) { quarantined[block] = time }
                }
            }
            #expect(allocator.quarantinedBlocks(of: id) == UInt64(quarantined.count))
            most = max(most, quarantined.count)
        }
        #expect(most > 100)
        allocator.endQuarantine(through: 3000)
        let used = UInt64(Set(live.flatMap(\.blocks)).count)
        #expect(allocator.statistics.usedBlocks == used)
    }
}
