/// The index of the records that lie on volumes. The volumes are the truth; a lost catalog is
/// rebuilt from them. What it keeps of unfinished uploads is lost with it.
///
/// Commits come from one thread (the indexer), readers are one per core. Either may be called from
/// any thread: a second caller waits.
public protocol CatalogStorage: AnyObject, Sendable {
    /// Applies `changes` in order, all or none of them, durably before it returns, together with
    /// the sequence up to which everything is now applied (which never decreases). A catalog that
    /// was marked clean no longer is.
    ///
    /// After `.full` and `.diskFull` nothing has changed and commits that only remove still work,
    /// if they write no more than `CatalogLimits.commitBytesMax`. What a refused commit would have
    /// removed beside is still there, and refused again as long as it goes with what adds: so ask
    /// `usage` before adding anything to a queue of changes. Where that shows room for the
    /// `writtenBytesMax` of all that is added, the commit is not refused as too much.
    ///
    /// After any other error the catalog takes no more changes until it is opened again.
    func commit(_ changes: [CatalogChange], applied: UInt64) throws(CatalogError)

    /// Durably notes that everything on the volumes is indexed (at a clean stop), or that this may
    /// soon not be so (at start, before the first record is written).
    func mark(clean: Bool) throws(CatalogError)

    func makeReader() throws(CatalogError) -> any CatalogReader

    /// Reads everything into memory if that takes at most `limitBytes`, so that look-ups do not
    /// wait for the disk. Takes as long as reading takes.
    func warm(limitBytes: UInt64) throws(CatalogError) -> CatalogWarmth

    /// As of the last commit. Cheap enough to ask before every upload.
    var usage: CatalogUsage { get }
}

/// What `CatalogStorage.warm` did, and the bytes that it was about.
public enum CatalogWarmth: Sendable, Equatable {
    case inMemory(bytes: UInt64)
    /// Nothing was read.
    case tooLarge(bytes: UInt64)
}

/// One core's way to look things up. Each call sees the last commit before it; none holds a
/// snapshot once it has returned.
public protocol CatalogReader: AnyObject, Sendable {
    /// Nil when there is no such name, which is the case for names of an impossible length.
    func find(_ name: Span<UInt8>) throws(CatalogError) -> CatalogEntry?

    /// Objects whose names start with `prefix` and are greater than `after` (none: from the first),
    /// in the order of their bytes; at most `limit` and at most `CatalogLimits.listingMax`.
    func list(
        prefix: [UInt8], after: [UInt8]?, limit: Int
    ) throws(CatalogError) -> [CatalogListing]

    /// Walks all objects' entries, in the order of their names' bytes. A commit meanwhile may be
    /// seen in part.
    func forEachEntry(_ body: (CatalogEntry) -> Void) throws(CatalogError)

    /// Walks all extents by ascending address. A commit meanwhile may be seen in part.
    func forEachExtent(_ body: (CatalogExtent) -> Void) throws(CatalogError)

    /// The record of an unfinished upload; nil when there is none.
    func upload(_ id: CatalogUploadID) throws(CatalogError) -> [UInt8]?

    /// All its pages, by ascending number.
    func uploadPages(_ id: CatalogUploadID) throws(CatalogError) -> [CatalogUploadPage]

    /// Walks all uploads' records in the order of their numbers. A commit meanwhile may be seen in
    /// part.
    func forEachUpload(_ body: (CatalogUploadID, [UInt8]) -> Void) throws(CatalogError)

    /// Walks what is kept of clients, in the order of the keys' bytes. A commit meanwhile may be
    /// seen in part.
    func forEachProfile(
        _ body: (_ key: [UInt8], _ value: [UInt8]) -> Void
    ) throws(CatalogError)

    /// By ascending volume and segment.
    func leases() throws(CatalogError) -> [CatalogLease]

    /// By ascending address.
    func removals() throws(CatalogError) -> [CatalogRemoval]

    func metadata() throws(CatalogError) -> CatalogMetadata
}
