/// Reckons what a commit may make LMDB write, so that commits are made that a full catalog has
/// headroom for.

extension CatalogLimits {
    /// Changes whose `writtenBytesMax` add up to no more find room in a full catalog if they only
    /// remove: 4,096 of objects, or 157 uploads that are dropped.
    public static let commitBytesMax: UInt64 = 32 << 20
}

extension CatalogChange {
    /// A 4 KiB page, and as much for its share of the pages above and for the one that it takes the
    /// place of, which LMDB does not use again before the commit after the next.
    private static let writtenRowBytes: UInt64 = 8 << 10
    /// What takes a row away rewrites the leaf that it lay in. LMDB merges leaves that are less
    /// than a quarter full, so there are 21 rows of 48 bytes in each at least; and it notes the
    /// page that becomes free, in 8 bytes.
    private static let deletedRowBytes: UInt64 = 256

    /// The most that this change makes the catalog write, in bytes: new and rewritten pages.
    /// An upload's rows may all be there when it is changed or dropped.
    public var writtenBytesMax: UInt64 {
        let recordRows = UInt64(LongValue.rowCount(of: CatalogLimits.uploadBytesMax))
        let pageRows = UInt64(LongValue.rowCount(of: CatalogLimits.uploadPageBytesMax))
        switch self {
        case .put, .remove, .addExtent, .dropExtent, .addLease, .dropLease, .addRemoval,
            .dropRemoval, .putProfile, .dropProfile:
            return CatalogChange.writtenRowBytes
        case .putUpload(_, let value):
            return UInt64(LongValue.rowCount(of: value.count)) * CatalogChange.writtenRowBytes
                + recordRows * CatalogChange.deletedRowBytes
        case .putUploadPage:
            return pageRows * CatalogChange.writtenRowBytes
        case .dropUpload:
            let rows = recordRows + UInt64(CatalogLimits.uploadPagesMax) * pageRows
            return 2 * CatalogChange.writtenRowBytes + rows * CatalogChange.deletedRowBytes
        }
    }
}
