import Checksums

/// CRC32C of every 64 KiB unit of an upload, from units and 4 KiB blocks that come in any order.
///
/// Who adds decides what to trust: of two sums for one unit or block the last one counts. A block
/// of a unit that is whole makes the unit partial again, with that block alone, as the sums of its
/// other blocks are gone: bytes that have come are not added again one by one.
///
/// Memory goes with what has come, not with how far into the upload it lies: up to 4 KiB for every
/// 64 MiB of which something is there, and 72 bytes a partial unit.
public struct BlockChecksums: Sendable {
    /// Units in a page, the piece in which the catalog keeps checksums (4 KiB).
    public static let unitsPerPage = ChecksumPage.unitCount
    /// Units of the largest object.
    public static let unitsMax = Int(VolumeLayout.checksumCount(for: VolumeLayout.objectBytesMax))

    private struct LastBlock {
        let block: UInt64
        let checksum: UInt32
        let byteCount: Int
    }

    /// In order of their numbers, only those of which something is known.
    private var pages: [ChecksumPage] = []
    private var last: LastBlock?

    public init() {}

    /// Takes a whole unit.
    public mutating func add(unit: Int, checksum: UInt32) {
        pages[indexOfPage(with: unit)].put(unit: unit, checksum)
    }

    /// Takes a whole block.
    public mutating func add(block: UInt64, checksum: UInt32) {
        let count = UInt64(PartialUnit.blockCount)
        precondition(block / count < UInt64(BlockChecksums.unitsMax), "no object has that block")
        let unit = Int(block / count)
        pages[indexOfPage(with: unit)].put(block: Int(block % count), of: unit, checksum)
    }

    /// Takes the object's last block, of which `byteCount` bytes, at most a block, are the
    /// object's. It counts for `finish` only: no page and no partial unit has it, for until the
    /// object is whole such a block waits as a fragment.
    public mutating func setLast(block: UInt64, checksum: UInt32, byteCount: Int) {
        precondition(byteCount > 0 && byteCount <= VolumeLayout.blockSize, "no block is that long")
        if byteCount == VolumeLayout.blockSize {
            add(block: block, checksum: checksum)
        } else {
            last = LastBlock(block: block, checksum: checksum, byteCount: byteCount)
        }
    }

    /// The checksums of an object of `length` bytes; nil when something is missing.
    public func finish(length: UInt64) -> [UInt32]? {
        precondition(length <= VolumeLayout.objectBytesMax, "no object is that long")
        let unitBytes = UInt64(VolumeLayout.checksumUnit)
        let wholeCount = Int(length / unitBytes)
        guard var checksums = firstUnits(wholeCount) else { return nil }
        if length % unitBytes > 0 {
            guard let checksum = shortUnit(wholeCount, length) else { return nil }
            checksums.append(checksum)
        }
        return checksums
    }

    public func isWhole(unit: Int) -> Bool { page(with: unit)?.isWhole(unit) ?? false }

    /// Every unit that is not whole and has a block, in order.
    public var partialUnits: [PartialUnit] { pages.flatMap(\.partialUnits) }

    /// Page `number`: the checksums of its units up to the last that is known; 0 for those that are
    /// not whole. Which are is not in it: whoever stores it knows from what has come.
    public func page(_ number: Int) -> [UInt32] {
        page(with: number * BlockChecksums.unitsPerPage)?.checksums ?? []
    }

    /// The pages that are not as they were at the last `clearDirty`, in order.
    public var dirtyPages: [Int] { pages.filter(\.isDirty).map(\.number) }

    /// Says that all dirty pages were taken to be stored.
    public mutating func clearDirty() {
        for index in pages.indices { pages[index].isDirty = false }
    }

    /// Says that a page that was taken did not get stored.
    public mutating func markDirty(_ number: Int) {
        let index = pages.partitionIndex { $0.number >= number }
        guard index < pages.count, pages[index].number == number else { return }
        pages[index].isDirty = true
    }
}

// What was stored, back again.
extension BlockChecksums {
    /// The state that was stored as `pages` and `partialUnits`, both in order, when the units of
    /// `wholeUnits` were whole. Nil when a page lacks one of them. No page is dirty then.
    public init?(
        wholeUnits: [Range<Int>], pages stored: [(page: Int, checksums: [UInt32])],
        partialUnits: [PartialUnit]
    ) {
        for units in wholeUnits {
            var unit = units.lowerBound
            while unit < units.upperBound {
                let number = unit / BlockChecksums.unitsPerPage
                let start = number * BlockChecksums.unitsPerPage
                let end = min(units.upperBound, start + BlockChecksums.unitsPerPage)
                let index = stored.partitionIndex { $0.page >= number }
                guard index < stored.count, stored[index].page == number,
                    pages[indexOfPage(with: unit)].restore(
                        unit - start..<end - start, from: stored[index].checksums)
                else { return nil }
                unit = end
            }
        }
        for partial in partialUnits {
            for block in 0..<PartialUnit.blockCount where partial.mask >> UInt16(block) & 1 == 1 {
                pages[indexOfPage(with: partial.unit)].put(
                    block: block, of: partial.unit, partial.checksums[block])
            }
        }
    }
}

extension BlockChecksums {
    private func page(with unit: Int) -> ChecksumPage? {
        let number = unit / BlockChecksums.unitsPerPage
        let index = pages.partitionIndex { $0.number >= number }
        return index < pages.count && pages[index].number == number ? pages[index] : nil
    }

    /// The page that `unit` is in, made if need be.
    private mutating func indexOfPage(with unit: Int) -> Int {
        precondition(unit >= 0 && unit < BlockChecksums.unitsMax, "no object has unit \(unit)")
        let number = unit / BlockChecksums.unitsPerPage
        if let last = pages.last, last.number == number { return pages.count - 1 }
        let index = pages.partitionIndex { $0.number >= number }
        if index == pages.count || pages[index].number != number {
            pages.insert(ChecksumPage(number: number), at: index)
        }
        return index
    }

    /// The checksums of the first `count` units, if all are whole.
    private func firstUnits(_ count: Int) -> [UInt32]? {
        var checksums: [UInt32] = []
        checksums.reserveCapacity(count + 1)
        var number = 0
        while checksums.count < count {
            let wanted = min(BlockChecksums.unitsPerPage, count - checksums.count)
            // Numbers ascend from 0 at least: page n is at n, or one below it is missing.
            guard number < pages.count, pages[number].number == number,
                pages[number].isWhole(first: wanted)
            else { return nil }
            checksums += pages[number].checksums.prefix(wanted)
            number += 1
        }
        return checksums
    }

    /// The checksum of the object's last unit, which `length` cuts short.
    private func shortUnit(_ unit: Int, _ length: UInt64) -> UInt32? {
        let byteCount = Int(length % UInt64(VolumeLayout.checksumUnit))
        let blockCount = byteCount / VolumeLayout.blockSize
        let rest = byteCount % VolumeLayout.blockSize
        let partial = page(with: unit)?.partialUnit(unit) ?? PartialUnit(unit: unit)
        guard let blocks = partial.combined(first: blockCount) else { return nil }
        guard rest > 0 else { return blocks }
        guard let last, last.block == length / UInt64(VolumeLayout.blockSize),
            last.byteCount == rest
        else { return nil }
        return combineCRC32C(blocks, last.checksum, secondByteCount: UInt64(rest))
    }
}
