// Goal:   however an upload's units and blocks come, its checksums are those of its bytes, and
//         what is stored of them is enough to go on from.
// Method: real bytes in random order against crc32c of whole units; random sums beside a model of
//         a dictionary; cut and restored in between; the edges by hand.

import Checksums
import Testing

@testable import Volumes

private let unitBytes = VolumeLayout.checksumUnit
private let blockBytes = VolumeLayout.blockSize

/// What the documentation says, the slow way.
private struct ChecksumModel {
    var whole: [Int: UInt32] = [:]
    var blocks: [Int: [Int: UInt32]] = [:]
    var dirty: Set<Int> = []

    mutating func add(unit: Int, _ checksum: UInt32) {
        whole[unit] = checksum
        blocks[unit] = nil
        dirty.insert(unit / 1024)
    }

    mutating func add(block: Int, _ checksum: UInt32) {
        let unit = block / 16
        if whole.removeValue(forKey: unit) != nil { dirty.insert(unit / 1024) }
        blocks[unit, default: [:]][block % 16] = checksum
        guard let sums = blocks[unit], sums.count == 16 else { return }
        add(unit: unit, combined(sums, 16) ?? 0)
    }

    func combined(_ sums: [Int: UInt32], _ count: Int) -> UInt32? {
        (0..<count).reduce(0 as UInt32?) { sum, block in
            guard let sum, let next = sums[block] else { return nil }
            return combineCRC32C(sum, next, secondByteCount: 4096)
        }
    }

    var partialUnits: [PartialUnit] {
        blocks.keys.sorted().map { unit in
            var partial = PartialUnit(unit: unit)
            for (block, checksum) in blocks[unit] ?? [:] { partial.put(block: block, checksum) }
            return partial
        }
    }

    func finish(length: Int) -> [UInt32]? {
        var sums: [UInt32] = []
        for unit in 0..<length / unitBytes {
            guard let sum = whole[unit] else { return nil }
            sums.append(sum)
        }
        let rest = length % unitBytes
        if rest == 0 { return sums }
        let last = combined(blocks[length / unitBytes] ?? [:], rest / blockBytes)
        return last.map { sums + [$0] }
    }
}

@Suite struct `Block checksums` {
    @Test(arguments: [1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 300_000])
    func `are those of the bytes, in whatever parts they come`(length: Int) {
        var chance = Seeded(UInt64(length))
        let bytes = chance.bytes(length)
        var wrong = 0
        for _ in 0..<5 {
            var checksums = BlockChecksums()
            for part in parts(of: length, &chance).shuffled(using: &chance) {
                if checksums.finish(length: UInt64(length)) != nil { wrong += 1 }
                add(part, of: bytes, to: &checksums)
            }
            if checksums.finish(length: UInt64(length)) != defined(bytes) { wrong += 1 }
            // Of every other length something is missing, or the last block is another one.
            for other in [length + 1, length - 1, length + blockBytes, length - 5_000]
            where other > 0 && other % unitBytes % blockBytes != 0 {
                if checksums.finish(length: UInt64(other)) != nil { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    /// Whole units at random, everything else in blocks.
    private func parts(of length: Int, _ chance: inout Seeded) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        for start in stride(from: 0, to: length, by: unitBytes) {
            let end = min(length, start + unitBytes)
            if end - start == unitBytes, Bool.random(using: &chance) {
                parts.append(start..<end)
            } else {
                for block in stride(from: start, to: end, by: blockBytes) {
                    parts.append(block..<min(end, block + blockBytes))
                }
            }
        }
        return parts
    }

    private func add(_ part: Range<Int>, of bytes: [UInt8], to checksums: inout BlockChecksums) {
        let sum = crc32c(bytes.span.rawBytes.extracting(part))
        let block = UInt64(part.lowerBound / blockBytes)
        if part.count == unitBytes {
            checksums.add(unit: part.lowerBound / unitBytes, checksum: sum)
        } else if part.upperBound == bytes.count {
            checksums.setLast(block: block, checksum: sum, byteCount: part.count)
        } else {
            checksums.add(block: block, checksum: sum)
        }
    }

    private func defined(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: unitBytes).map { start in
            crc32c(bytes.span.rawBytes.extracting(start..<min(bytes.count, start + unitBytes)))
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `agree with a dictionary of sums`(seed: UInt64) {
        var chance = Seeded(seed)
        var checksums = BlockChecksums()
        var model = ChecksumModel()
        var wrong = 0
        // Around the edge of two pages, and far behind.
        let units = Array(1_021...1_026) + [0, 4_000_000]
        for step in 0..<3_000 {
            let unit = units[Int.random(in: units.indices, using: &chance)]
            let sum = UInt32(truncatingIfNeeded: chance.next())
            if Int.random(in: 0..<30, using: &chance) == 0 {
                checksums.add(unit: unit, checksum: sum)
                model.add(unit: unit, sum)
            } else {
                let block = unit * 16 + Int.random(in: 0..<16, using: &chance)
                checksums.add(block: UInt64(block), checksum: sum)
                model.add(block: block, sum)
            }
            if step % 97 == 0 {
                checksums.clearDirty()
                model.dirty = []
            }
            wrong += differences(checksums, model, units)
        }
        #expect(wrong == 0)
    }

    private func differences(
        _ checksums: BlockChecksums, _ model: ChecksumModel, _ units: [Int]
    ) -> Int {
        var answers = [
            checksums.partialUnits == model.partialUnits,
            checksums.dirtyPages == model.dirty.sorted(),
        ]
        for unit in units {
            let page = checksums.page(unit / 1024)
            let stored = unit % 1024 < page.count ? page[unit % 1024] : 0
            answers += [
                checksums.isWhole(unit: unit) == (model.whole[unit] != nil),
                stored == model.whole[unit] ?? 0,
            ]
        }
        return answers.count { !$0 }
    }

    @Test func `of a small upload finish as the model does`() {
        var chance = Seeded(5)
        var wrong = 0
        var finished = 0
        for _ in 0..<200 {
            var checksums = BlockChecksums()
            var model = ChecksumModel()
            for _ in 0..<Int.random(in: 0...120, using: &chance) {
                let block = Int.random(in: 0..<40, using: &chance)
                let sum = UInt32(truncatingIfNeeded: chance.next())
                checksums.add(block: UInt64(block), checksum: sum)
                model.add(block: block, sum)
            }
            for blocks in 0...40 {
                let sums = checksums.finish(length: UInt64(blocks * blockBytes))
                if sums != model.finish(length: blocks * blockBytes) { wrong += 1 }
                if sums != nil { finished += 1 }
            }
        }
        #expect(wrong == 0)
        #expect(finished > 400)
    }

    @Test func `of more than a page finish only without a hole`() {
        var checksums = BlockChecksums()
        let count = 2_050
        for unit in (0..<count).reversed() where unit != 1_500 {
            checksums.add(unit: unit, checksum: UInt32(unit))
        }
        let length = UInt64(count * unitBytes)
        #expect(checksums.finish(length: length) == nil)
        #expect(checksums.finish(length: UInt64(1_500 * unitBytes)) == Array(0..<1_500))
        checksums.add(unit: 1_500, checksum: 1_500)
        #expect(checksums.finish(length: length) == Array(0..<UInt32(count)))
        #expect(checksums.finish(length: length + UInt64(unitBytes)) == nil)
        #expect(checksums.dirtyPages == [0, 1, 2])
        #expect(checksums.page(1) == Array(1_024..<2_048) && checksums.page(2) == [2_048, 2_049])
        #expect(checksums.page(3).isEmpty && !checksums.isWhole(unit: 5_000))
    }

    @Test func `of nothing are none`() {
        #expect(BlockChecksums().finish(length: 0) == [])
        #expect(BlockChecksums().finish(length: 1) == nil)
    }

    @Test func `keep the last sum that was given`() {
        var checksums = BlockChecksums()
        checksums.add(unit: 0, checksum: 1)
        checksums.add(unit: 0, checksum: 1)
        checksums.add(unit: 0, checksum: 2)
        #expect(checksums.page(0) == [2])
        checksums.add(block: 3, checksum: 7)
        #expect(!checksums.isWhole(unit: 0) && checksums.page(0) == [0])
        #expect(checksums.partialUnits.map(\.mask) == [0b1000])
        checksums.add(block: 3, checksum: 8)
        #expect(checksums.partialUnits.map { $0.checksums[3] } == [8])
        checksums.add(unit: 0, checksum: 9)
        #expect(checksums.partialUnits.isEmpty && checksums.page(0) == [9])
        checksums.setLast(block: 16, checksum: 5, byteCount: 10)
        checksums.setLast(block: 16, checksum: 6, byteCount: 10)
        #expect(checksums.finish(length: UInt64(unitBytes + 10)) == [9, 6])
        #expect(checksums.finish(length: UInt64(unitBytes + 11)) == nil)
    }

    @Test func `mark again what did not get stored`() {
        var checksums = BlockChecksums()
        checksums.add(unit: 1_024, checksum: 1)
        checksums.clearDirty()
        checksums.add(block: 7, checksum: 1)
        #expect(checksums.dirtyPages.isEmpty)
        checksums.markDirty(1)
        checksums.markDirty(9)
        #expect(checksums.dirtyPages == [1])
    }

    @Test func `come back from pages and partial units`() throws {
        var checksums = BlockChecksums()
        for unit in 0..<1_030 where unit != 600 { checksums.add(unit: unit, checksum: 3) }
        for block in 9_600..<9_610 as Range<UInt64> { checksums.add(block: block, checksum: 4) }
        let pages = [(page: 0, checksums: checksums.page(0)), (1, checksums.page(1))]
        var restored = try #require(
            BlockChecksums(
                wholeUnits: [0..<600, 601..<1_030], pages: pages,
                partialUnits: checksums.partialUnits))
        #expect(restored.dirtyPages.isEmpty)
        #expect(restored.partialUnits == checksums.partialUnits)
        #expect(restored.page(0) == checksums.page(0) && restored.page(1) == checksums.page(1))
        for block in 9_610..<9_616 as Range<UInt64> {
            checksums.add(block: block, checksum: 5)
            restored.add(block: block, checksum: 5)
        }
        let length = UInt64(1_030 * unitBytes)
        let finished = try #require(checksums.finish(length: length))
        #expect(restored.finish(length: length) == finished)
        #expect(restored.dirtyPages == [0])
    }

    @Test func `do not come back from pages that lack a unit`() {
        let pages = [(page: 1, checksums: [UInt32](repeating: 1, count: 6))]
        func restores(_ units: Range<Int>...) -> Bool {
            BlockChecksums(wholeUnits: units, pages: pages, partialUnits: []) != nil
        }
        #expect(restores(1_024..<1_030) && restores() && restores(1_026..<1_027))
        #expect(!restores(1_024..<1_031))
        #expect(!restores(1_023..<1_030))
        #expect(!restores(1_024..<1_025, 5_000..<5_001))
    }

    @Test func `trap on what no object has`() async {
        await #expect(processExitsWith: .failure) {
            var checksums = BlockChecksums()
            checksums.add(unit: BlockChecksums.unitsMax, checksum: 0)
        }
        await #expect(processExitsWith: .failure) {
            var checksums = BlockChecksums()
            checksums.add(block: UInt64(BlockChecksums.unitsMax) * 16, checksum: 0)
        }
        await #expect(processExitsWith: .failure) {
            var checksums = BlockChecksums()
            checksums.setLast(block: 0, checksum: 0, byteCount: 4097)
        }
        await #expect(processExitsWith: .failure) {
            _ = BlockChecksums().finish(length: VolumeLayout.objectBytesMax + 1)
        }
    }
}
