// What of an upload's record can only be believed once it was read.

/// Bytes of an upload that should lie on the volume, with their CRC32C.
public struct UploadClaim: Equatable, Sendable {
    public let offset: UInt64
    /// A whole unit's, or a whole block's.
    public let byteCount: Int
    public let checksum: UInt32
}

extension UploadRecord {
    /// All that should lie on the volume by this record and did not by `earlier`: that one may
    /// have held blocks itself, also whole ones, which were written since. `checksums` are
    /// the record's: see `checksums(from:)`.
    public func claims(since earlier: UploadRecord, _ checksums: BlockChecksums) -> [UploadClaim] {
        let earlier = earlier.written
        let unitBytes = UInt64(VolumeLayout.checksumUnit)
        var units: Set<Int> = []
        for range in received.ranges {
            for new in earlier.missing(in: range) {
                units.formUnion(
                    Int(new.lowerBound / unitBytes)...Int((new.upperBound - 1) / unitBytes))
            }
        }
        return units.sorted().flatMap { claims(ofUnit: $0, since: earlier, checksums) }
    }

    /// What has come but for the blocks that wait as fragments.
    private var written: ExtentMap {
        let blockSize = UInt64(VolumeLayout.blockSize)
        var written = ExtentMap()
        for range in received.ranges {
            var start = range.lowerBound
            var index = fragments.partitionIndex { ($0.block + 1) * blockSize > start }
            while index < fragments.count, fragments[index].block * blockSize < range.upperBound {
                let held = fragments[index].block * blockSize
                if start < held { written.insert(start..<held) }
                start = min(held + blockSize, range.upperBound)
                index += 1
            }
            if start < range.upperBound { written.insert(start..<range.upperBound) }
        }
        return written
    }

    private func claims(
        ofUnit unit: Int, since earlier: ExtentMap, _ checksums: BlockChecksums
    ) -> [UploadClaim] {
        let start = UInt64(unit) * UInt64(VolumeLayout.checksumUnit)
        if checksums.isWhole(unit: unit) {
            let page = checksums.page(unit / BlockChecksums.unitsPerPage)
            return [
                UploadClaim(
                    offset: start, byteCount: VolumeLayout.checksumUnit,
                    checksum: page[unit % BlockChecksums.unitsPerPage])
            ]
        }
        guard let partial = checksums.partialUnits.first(where: { $0.unit == unit })
        else { return [] }
        return (0..<PartialUnit.blockCount).compactMap { block in
            let offset = start + UInt64(block * VolumeLayout.blockSize)
            let end = offset + UInt64(VolumeLayout.blockSize)
            guard partial.mask >> UInt16(block) & 1 == 1, !earlier.contains(offset..<end)
            else { return nil }
            return UploadClaim(
                offset: offset, byteCount: VolumeLayout.blockSize,
                checksum: partial.checksums[block])
        }
    }
}
