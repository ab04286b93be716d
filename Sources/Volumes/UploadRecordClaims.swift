// What of an upload's record can only be believed once it was read.

/// Bytes of an upload that should lie on the volume, with their CRC32C.
public struct UploadClaim: Equatable, Sendable {
    public let offset: UInt64
    /// A whole unit's, or a whole block's.
    public let byteCount: Int
    public let checksum: UInt32
}

extension UploadRecord {
    /// All that this record says has come and `earlier` does not, but for what it holds itself.
    /// `checksums` are the record's: see `checksums(from:)`.
    public func claims(since earlier: ExtentMap, _ checksums: BlockChecksums) -> [UploadClaim] {
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
