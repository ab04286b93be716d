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

    /// Whether a full catalog refuses it. Removals and what they need always have room, for they
    /// are what makes room; extents come with their object or their removal record; leases are few
    /// and needed for removal records too.
    var addsObjects: Bool {
        switch self {
        case .put: true
        case .remove, .addExtent, .dropExtent, .addLease, .dropLease, .addRemoval, .dropRemoval:
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
}
