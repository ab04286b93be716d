// What the parts of an upload record say about each other. What contradicts itself is never
// written, and never believed: bytes that were reported durable would not be found again.

extension UploadRecord {
    /// The first part that cannot be as it is; nil when all agree.
    var flaw: UploadRecordPart? {
        if !isKindSound { return .kind }
        if !parts.isEmpty, !isFinished || isPartial { return .parts }
        if let length, length > VolumeLayout.objectBytesMax { return .length }
        if received.end > length ?? VolumeLayout.objectBytesMax { return .received }
        if !areFragmentsSound { return .fragments }
        if !isSpaceSound { return .space }
        return arePartialUnitsSound ? nil : .partialUnits
    }

    /// What has become an object has given everything to it.
    private var isKindSound: Bool {
        guard let publishedSequence else { return true }
        return publishedSequence > 0 && length != nil && space.isEmpty && fragments.isEmpty
            && partialUnits.isEmpty
    }

    /// Fragments ascend, each is as long as what has come of its block, and every block that has
    /// come in part has one.
    private var areFragmentsSound: Bool {
        var previous: UInt64?
        for fragment in fragments {
            if let previous, fragment.block <= previous { return false }
            previous = fragment.block
            guard isSound(fragment) else { return false }
        }
        if isFinished { return true }
        let blockSize = UInt64(VolumeLayout.blockSize)
        return received.ranges.allSatisfy { range in
            [range.lowerBound, range.upperBound].allSatisfy {
                $0 % blockSize == 0 || hasFragment($0 / blockSize)
            }
        }
    }

    private func isSound(_ fragment: UploadFragment) -> Bool {
        guard fragment.block < UploadRecord.blocksMax else { return false }
        let blockSize = UInt64(VolumeLayout.blockSize)
        let start = fragment.block * blockSize
        let present = received.present(in: start..<start + blockSize)
        guard let first = present.first, let last = present.last else { return false }
        return UInt64(fragment.offset) == first.lowerBound - start
            && UInt64(fragment.bytes.count) == last.upperBound - first.lowerBound
    }

    /// What has come and is in no fragment lies on a volume.
    private var isSpaceSound: Bool {
        if let last = space.pieces.last, last.end > UploadRecord.blocksMax { return false }
        if isFinished { return true }
        let blockSize = UInt64(VolumeLayout.blockSize)
        return received.ranges.allSatisfy { range in
            let blocks = range.lowerBound / blockSize..<VolumeLayout.blocks(for: range.upperBound)
            return space.missing(in: blocks).allSatisfy(areAllFragments)
        }
    }

    private func areAllFragments(_ blocks: Range<UInt64>) -> Bool {
        let first = fragments.partitionIndex { $0.block >= blocks.lowerBound }
        let count = blocks.upperBound - blocks.lowerBound
        guard count <= UInt64(fragments.count - first) else { return false }
        // They ascend: when the last of as many is the last block, the others are the others.
        return fragments[first + Int(count) - 1].block == blocks.upperBound - 1
    }

    private var arePartialUnitsSound: Bool {
        var previous = -1
        for partial in partialUnits {
            guard partial.unit > previous, partial.unit < BlockChecksums.unitsMax,
                partial.mask != 0, !partial.isWhole
            else { return false }
            previous = partial.unit
        }
        return true
    }

    func hasFragment(_ block: UInt64) -> Bool {
        let index = fragments.partitionIndex { $0.block >= block }
        return index < fragments.count && fragments[index].block == block
    }

    private static let blocksMax = VolumeLayout.blocks(for: VolumeLayout.objectBytesMax)
}
