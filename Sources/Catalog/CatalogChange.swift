/// One step of a commit. Applying a step twice leaves what applying it once left, so that recovery
/// may replay records which the catalog already has.
public enum CatalogChange: Sendable, Equatable {
    /// Indexes an object, unless the name's present entry has a higher sequence.
    /// `name` has 1 to `CatalogLimits.nameBytesMax` bytes.
    case put(name: [UInt8], entry: CatalogEntry)
    /// Forgets a name, unless its entry is newer than `sequence`.
    case remove(name: [UInt8], sequence: UInt64)

    case addExtent(CatalogExtent)
    case dropExtent(address: UInt64)

    case addLease(CatalogLease)
    case dropLease(volume: UInt32, segment: UInt32)

    case addRemoval(CatalogRemoval)
    case dropRemoval(address: UInt64)

    /// Stores the record of an unfinished upload in place of the one before; at most
    /// `CatalogLimits.uploadBytesMax`.
    case putUpload(CatalogUploadID, value: [UInt8])
    /// Stores one of its pages in place of the one before; at most
    /// `CatalogLimits.uploadPageBytesMax`, and `page` is below `CatalogLimits.uploadPagesMax`.
    /// Pages are found by their upload's record: whoever stores one stores that, too.
    case putUploadPage(CatalogUploadID, page: UInt32, value: [UInt8])
    /// Forgets an upload's record and all its pages.
    case dropUpload(CatalogUploadID)

    /// Stores what is kept of a client in place of what was there; the key has 1 to
    /// `CatalogLimits.profileKeyBytesMax` bytes, the value at most `CatalogLimits.profileBytesMax`.
    case putProfile(key: [UInt8], value: [UInt8])
    case dropProfile(key: [UInt8])

    /// Whether a full catalog refuses it, and with it the whole commit. Removals and what they need
    /// always have room, for they are what makes room; extents come with their object or their
    /// removal record; leases are few and needed for removal records too.
    var addsObjects: Bool {
        switch self {
        case .put, .putUpload, .putUploadPage, .putProfile: true
        case .remove, .addExtent, .dropExtent, .addLease, .dropLease, .addRemoval, .dropRemoval,
            .dropUpload, .dropProfile:
            false
        }
    }
}

/// The catalog's limits, each named once.
public enum CatalogLimits {
    /// LMDB's keys end at 511 bytes; the rest is left for what a later format puts before names.
    public static let nameBytesMax = 480
    /// Listings of one call. Longer lists are read page by page.
    public static let listingMax = 1000
    /// Entries read under one snapshot when a whole table is walked: bounds how long a walk can
    /// keep the map from growing and old pages from being reused.
    static let entriesPerSnapshotMax = 1024
    /// The same for uploads, whose records are longer, in their records' bytes.
    static let uploadBytesPerSnapshotMax = 4 << 20
    /// An upload's record. Bounds what one change writes, and what a walk holds in memory; it takes
    /// thousands of scattered ranges and dozens of blocks that are not whole to come near it.
    public static let uploadBytesMax = 1 << 20
    /// 1,024 checksums of 4 bytes.
    public static let uploadPageBytesMax = 4 << 10
    /// Checksums of 64 KiB each, 1,024 a page, cover 16 GiB: more than an object may have.
    public static let uploadPagesMax: UInt32 = 256
    public static let profileKeyBytesMax = 128
    /// Small enough that rows share their pages.
    public static let profileBytesMax = 512
}
