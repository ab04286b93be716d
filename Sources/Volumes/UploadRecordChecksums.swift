// The checksums of an upload, back from its record and from the pages beside it.

extension UploadRecord {
    /// The units whose checksums are in the pages: all of their bytes have come, and none of their
    /// blocks waits as a fragment.
    public var wholeUnits: [Range<Int>] {
        let unitBytes = UInt64(VolumeLayout.checksumUnit)
        var whole: [Range<Int>] = []
        for range in received.ranges {
            var next = Int(VolumeLayout.checksumCount(for: range.lowerBound))
            let end = Int(range.upperBound / unitBytes)
            var index = fragments.partitionIndex { unit(of: $0) >= next }
            while index < fragments.count, unit(of: fragments[index]) < end {
                let excluded = unit(of: fragments[index])
                if next < excluded { whole.append(next..<excluded) }
                next = excluded + 1
                index += 1
            }
            if next < end { whole.append(next..<end) }
        }
        return whole
    }

    /// The state of the checksums of an open upload as of this record. `pages` are those that were
    /// stored up to it, in order; sums of bytes that it does not say have come are left out. Nil
    /// when the sum of a block that has come is nowhere: record and pages are not of one moment.
    public func checksums(
        from pages: [(page: Int, checksums: [UInt32])]
    ) -> BlockChecksums? {
        precondition(!isFinished, "a finished upload's checksums are the object's")
        let wholeUnits = wholeUnits
        var kept: [PartialUnit] = []
        for unit in unitsInPart(whole: wholeUnits) {
            let expected = expectedMask(of: unit)
            let index = partialUnits.partitionIndex { $0.unit >= unit }
            var partial = PartialUnit(unit: unit)
            if index < partialUnits.count, partialUnits[index].unit == unit {
                partial = partialUnits[index]
            }
            guard partial.mask & expected == expected else { return nil }
            partial.keep(expected)
            if expected != 0 { kept.append(partial) }
        }
        return BlockChecksums(wholeUnits: wholeUnits, pages: pages, partialUnits: kept)
    }

    private func unit(of fragment: UploadFragment) -> Int {
        Int(fragment.block) / PartialUnit.blockCount
    }

    /// The units of which something has come and that are not whole, in order.
    private func unitsInPart(whole: [Range<Int>]) -> [Int] {
        let unitBytes = UInt64(VolumeLayout.checksumUnit)
        var units: Set<Int> = Set(fragments.map(unit(of:)))
        for range in received.ranges {
            units.insert(Int(range.lowerBound / unitBytes))
            units.insert(Int((range.upperBound - 1) / unitBytes))
        }
        return units.sorted().filter { unit in
            let index = whole.partitionIndex { $0.upperBound > unit }
            return index == whole.count || whole[index].lowerBound > unit
        }
    }

    /// The blocks of `unit` that have come and were written.
    private func expectedMask(of unit: Int) -> UInt16 {
        let blockSize = UInt64(VolumeLayout.blockSize)
        let first = UInt64(unit * PartialUnit.blockCount)
        var mask: UInt16 = 0
        for block in 0..<UInt64(PartialUnit.blockCount) {
            let start = (first + block) * blockSize
            if received.contains(start..<start + blockSize), !hasFragment(first + block) {
                mask |= 1 << UInt16(block)
            }
        }
        return mask
    }
}
