import Synchronization

/// A catalog in memory that can crash, for tests and for the simulated disk.
///
/// A commit is durable when it returns, as LMDB's is. Where an injected fault stores a commit and
/// still reports a failure, the process does not see what the disk holds until `crash`.
public final class MemoryCatalog: CatalogStorage {
    private let state: Mutex<State>

    /// How a commit fails.
    public enum Fault: Sendable {
        /// Nothing is stored. `.full` and `.diskFull` leave the catalog in service.
        case before(CatalogError)
        /// Everything is stored, and the caller is told otherwise: the process died, or the answer
        /// of the disk was lost. Takes the catalog out of service until `crash`.
        case afterDurable(CatalogError)
    }

    private struct State {
        var visible: MemoryTables
        /// Set when the disk holds something else than the process sees.
        var durable: MemoryTables?
        var isInService = true
        var commits = 0
        var faults: [Int: Fault] = [:]
    }

    public init(instance: CatalogInstance) {
        state = Mutex(State(visible: MemoryTables(instance: instance)))
    }

    /// Commits and marks that were tried so far, whatever came of them.
    public var commitCount: Int { state.withLock { $0.commits } }

    /// Makes the `number`th commit or mark from now on fail; 1 is the next.
    public func fail(commit number: Int, _ fault: Fault) {
        precondition(number > 0, "commits are counted from 1")
        state.withLock { $0.faults[$0.commits + number] = fault }
    }

    /// The process dies and starts again: what was durable is there, and nothing else, not even the
    /// faults that were still to come.
    public func crash() {
        state.withLock { state in
            if let durable = state.durable { state.visible = durable }
            state.durable = nil
            state.isInService = true
            state.faults = [:]
        }
    }

    public func commit(
        _ changes: [CatalogChange], applied: UInt64
    ) throws(CatalogError) {
        try store { tables in
            for change in changes { tables.apply(change) }
            tables.metadata.applied = max(tables.metadata.applied, applied)
            tables.metadata.isClean = false
        }
    }

    public func mark(clean: Bool) throws(CatalogError) {
        try store { $0.metadata.isClean = clean }
    }

    public func makeReader() -> any CatalogReader { MemoryReader(self) }

    /// It always is; only the limit says otherwise.
    public func warm(limitBytes: UInt64) -> CatalogWarmth {
        let bytes = usage.usedBytes
        return bytes <= limitBytes ? .inMemory(bytes: bytes) : .tooLarge(bytes: bytes)
    }

    /// Counts what LMDB would need at least; there is no limit.
    public var usage: CatalogUsage {
        state.withLock { state in
            CatalogUsage(usedBytes: UInt64(state.visible.byteCount), limitBytes: .max)
        }
    }

    fileprivate func read<Answer: Sendable>(_ body: (borrowing MemoryTables) -> Answer) -> Answer {
        state.withLock { body($0.visible) }
    }

    private func store(_ change: (inout MemoryTables) -> Void) throws(CatalogError) {
        try state.withLock { state throws(CatalogError) in
            state.commits += 1
            guard state.isInService else { throw .outOfService }
            switch state.faults.removeValue(forKey: state.commits) {
            case nil:
                change(&state.visible)
            case .before(let error):
                state.isInService = error.leavesCatalogInService
                throw error
            case .afterDurable(let error):
                var durable = state.visible
                change(&durable)
                state.durable = durable
                state.isInService = false
                throw error
            }
        }
    }
}

private final class MemoryReader: CatalogReader {
    private let catalog: MemoryCatalog

    init(_ catalog: MemoryCatalog) {
        self.catalog = catalog
    }

    func find(_ name: Span<UInt8>) -> CatalogEntry? {
        let name = name.copied
        return catalog.read { $0.names[name] }
    }

    func list(prefix: [UInt8], after: [UInt8]?, limit: Int) -> [CatalogListing] {
        let after = after ?? []
        return catalog.read { tables in
            tables.names
                .filter { $0.key.starts(with: prefix) && after.lexicographicallyPrecedes($0.key) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .prefix(max(0, min(limit, CatalogLimits.listingMax)))
                .map { CatalogListing(name: $0.key, entry: $0.value) }
        }
    }

    func forEachEntry(_ body: (CatalogEntry) -> Void) {
        let entries = catalog.read { tables in
            tables.names.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
        }
        for entry in entries { body(entry) }
    }

    func forEachExtent(_ body: (CatalogExtent) -> Void) {
        let extents = catalog.read { $0.extents.values.sorted { $0.address < $1.address } }
        for extent in extents { body(extent) }
    }

    func leases() -> [CatalogLease] {
        catalog.read { tables in
            tables.leases.values.sorted { ($0.volume, $0.segment) < ($1.volume, $1.segment) }
        }
    }

    func removals() -> [CatalogRemoval] {
        catalog.read { $0.removals.values.sorted { $0.address < $1.address } }
    }

    func upload(_ id: CatalogUploadID) -> [UInt8]? { catalog.read { $0.uploads[id] } }

    func uploadPages(_ id: CatalogUploadID) -> [CatalogUploadPage] {
        catalog.read { tables in
            (tables.uploadPages[id] ?? [:])
                .map { CatalogUploadPage(page: $0.key, value: $0.value) }
                .sorted { $0.page < $1.page }
        }
    }

    func forEachUpload(_ body: (CatalogUploadID, [UInt8]) -> Void) {
        let uploads = catalog.read { tables in tables.uploads.sorted { $0.key < $1.key } }
        for (id, value) in uploads { body(id, value) }
    }

    func forEachProfile(_ body: (_ key: [UInt8], _ value: [UInt8]) -> Void) {
        let profiles = catalog.read { tables in
            tables.profiles.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        }
        for (key, value) in profiles { body(key, value) }
    }

    func metadata() -> CatalogMetadata { catalog.read { $0.metadata } }
}

/// The tables, as dictionaries by their keys.
private struct MemoryTables {
    var names: [[UInt8]: CatalogEntry] = [:]
    var extents: [UInt64: CatalogExtent] = [:]
    var leases: [UInt64: CatalogLease] = [:]
    var removals: [UInt64: CatalogRemoval] = [:]
    var uploads: [CatalogUploadID: [UInt8]] = [:]
    var uploadPages: [CatalogUploadID: [UInt32: [UInt8]]] = [:]
    var profiles: [[UInt8]: [UInt8]] = [:]
    var metadata: CatalogMetadata

    init(instance: CatalogInstance) {
        metadata = CatalogMetadata(instance: instance, applied: 0, isClean: true)
    }

    mutating func apply(_ change: CatalogChange) {
        switch change {
        case .put(let name, let entry):
            CatalogLimits.check(name: name)
            if let present = names[name], present.sequence > entry.sequence { return }
            names[name] = entry
        case .remove(let name, let sequence):
            CatalogLimits.check(name: name)
            if let present = names[name], present.sequence > sequence { return }
            names[name] = nil
        case .addExtent(let extent): extents[extent.address] = extent
        case .dropExtent(let address): extents[address] = nil
        case .addLease(let lease):
            leases[MemoryTables.key(lease.volume, lease.segment)] = lease
        case .dropLease(let volume, let segment):
            leases[MemoryTables.key(volume, segment)] = nil
        case .addRemoval(let removal): removals[removal.address] = removal
        case .dropRemoval(let address): removals[address] = nil
        case .putUpload(let id, let value):
            CatalogLimits.check(upload: value)
            uploads[id] = value
        case .putUploadPage(let id, let page, let value):
            CatalogLimits.check(uploadPage: page, value)
            uploadPages[id, default: [:]][page] = value
        case .dropUpload(let id):
            uploads[id] = nil
            uploadPages[id] = nil
        case .putProfile(let key, let value):
            CatalogLimits.check(profileKey: key)
            CatalogLimits.check(profile: value)
            profiles[key] = value
        case .dropProfile(let key):
            CatalogLimits.check(profileKey: key)
            profiles[key] = nil
        }
    }

    /// Of names and uploads with their keys.
    var byteCount: Int {
        let objects = names.keys.reduce(0) { $0 + $1.count + CatalogEntry.encodedBytes }
        let records = uploads.values.reduce(0) { $0 + CatalogUploadID.keyBytes + $1.count }
        return uploadPages.values.reduce(objects + records) { total, pages in
            pages.values.reduce(total) { $0 + CatalogUploadPage.keyBytes + $1.count }
        }
    }

    private static func key(_ volume: UInt32, _ segment: UInt32) -> UInt64 {
        UInt64(volume) << 32 | UInt64(segment)
    }
}
