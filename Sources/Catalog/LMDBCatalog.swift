import CLMDB
import Synchronization

/// How large an `LMDBCatalog` is made, and how large it may become.
public struct LMDBSizes: Sendable {
    /// Address space to begin with; it doubles as needed. Generous, because it costs nothing, and
    /// while it doubles look-ups wait, for milliseconds if much of it is in memory.
    public var mapBytes: UInt64 = 1 << 30
    /// Where objects are refused: about 150 bytes an object.
    public var mapBytesMax: UInt64 = 64 << 30
    /// Room in map and on disk that only removals may use: as much as the largest commit of them
    /// may write.
    public var headroomBytes: UInt64 = CatalogLimits.commitBytesMax
    public var readersMax: UInt32 = 512

    public init() {}
}

/// The catalog on LMDB: two files, `data.mdb` and `lock.mdb`, in a directory of their own.
///
/// It is closed when it and its last reader are gone. Only one may be open on a directory, in this
/// process and in all: the store's own lock on the data directory sees to that.
///
/// Invariant: only the holder of `writer` begins writing transactions or moves the map, and
/// `writer.metadata` is what the last durable commit stored.
public final class LMDBCatalog: CatalogStorage {
    private let environment: Environment
    private let tables: Tables
    private let plan: MapPlan
    private let writer: Mutex<Writer>
    private let usedBytes: Atomic<UInt64>

    private struct Writer {
        var metadata: CatalogMetadata
        var mapBytes: UInt64
        var reservedBytes: UInt64 = 0
        var isInService = true
    }

    /// Opens the catalog of `instance` in the directory `path`, making one there if `create`. The
    /// catalog of an earlier format is upgraded, in one commit; the programs that wrote it refuse
    /// it from then on.
    ///
    /// Throws `.noDirectory`, `.noCatalog` (not with `create`), `.notACatalog`, `.newerFormat`,
    /// `.olderFormat`, `.otherInstance`, `.damaged`, `.full`, `.diskFull` or `.system`, and then
    /// has changed nothing that was there.
    public static func open(
        at path: String, instance: CatalogInstance, sizes: LMDBSizes = LMDBSizes(), create: Bool
    ) throws(CatalogError) -> LMDBCatalog {
        let location = CatalogLocation(path: path)
        let holdsData = try location.holdsData()
        guard create || holdsData else { throw .noCatalog(path: path) }

        let environment = try location.open(sizes)
        let size = try environment.size()
        // A page in use beyond the end of the file would be a SIGBUS later.
        guard try environment.isWhole(size) else { throw .damaged("data.mdb is cut short") }
        let plan = MapPlan(limitBytes: sizes.mapBytesMax, headroomBytes: sizes.headroomBytes)
        var mapBytes = size.map_bytes
        let contents = try withRoom(in: environment, plan, &mapBytes) { () throws(CatalogError) in
            try location.claim(environment, for: instance, create: create)
        }
        if !holdsData { try location.syncDirectory() }
        return LMDBCatalog(environment, contents, mapBytes: mapBytes, plan: plan)
    }

    /// Attempts `action`, a transaction, with ever larger maps.
    private static func withRoom<Answer>(
        in environment: Environment, _ plan: MapPlan, _ mapBytes: inout UInt64,
        _ action: () throws(CatalogError) -> Answer
    ) throws(CatalogError) -> Answer {
        while true {
            do {
                return try action()
            } catch {
                guard error.isMapFull else { throw error }
            }
            guard let next = plan.sizeToGrowTo(from: mapBytes) else {
                throw .full(limitBytes: plan.limitBytes)
            }
            try environment.moveMap(to: next)
            mapBytes = next
        }
    }

    private init(
        _ environment: Environment, _ contents: CatalogContents, mapBytes: UInt64, plan: MapPlan
    ) {
        self.environment = environment
        self.tables = contents.tables
        self.plan = plan
        writer = Mutex(Writer(metadata: contents.metadata, mapBytes: mapBytes))
        usedBytes = Atomic(contents.usedBytes)
    }

    public func makeReader() throws(CatalogError) -> any CatalogReader {
        try LMDBReader(environment: environment, tables: tables)
    }

    public var usage: CatalogUsage {
        CatalogUsage(usedBytes: usedBytes.load(ordering: .relaxed), limitBytes: plan.limitBytes)
    }

    /// Into the page cache, which is what the map shows.
    public func warm(limitBytes: UInt64) throws(CatalogError) -> CatalogWarmth {
        let used = try writer.withLock { writer throws(CatalogError) in
            guard writer.isInService else { throw .outOfService }
            return try environment.size().used_file_bytes
        }
        guard used <= limitBytes else { return .tooLarge(bytes: used) }
        try environment.warm(used)
        return .inMemory(bytes: used)
    }

    public func commit(
        _ changes: [CatalogChange], applied: UInt64
    ) throws(CatalogError) {
        try store(changes, isClean: false) { $0.applied = max($0.applied, applied) }
    }

    public func mark(clean: Bool) throws(CatalogError) {
        try store([], isClean: clean) { _ in }
    }
}

extension LMDBCatalog {
    private func store(
        _ changes: [CatalogChange], isClean: Bool, _ update: (inout CatalogMetadata) -> Void
    ) throws(CatalogError) {
        try writer.withLock { writer throws(CatalogError) in
            guard writer.isInService else { throw .outOfService }
            var metadata = writer.metadata
            metadata.isClean = isClean
            update(&metadata)
            do throws(CatalogError) {
                try storeWithRoom(changes, metadata, &writer)
                writer.metadata = metadata
            } catch {
                writer.isInService = error.leavesCatalogInService
                throw error
            }
        }
    }

    private func storeWithRoom(
        _ changes: [CatalogChange], _ metadata: CatalogMetadata, _ writer: inout Writer
    ) throws(CatalogError) {
        let addsObjects = changes.contains { $0.addsObjects }
        try reserveDisk(addsObjects: addsObjects, &writer)
        try LMDBCatalog.withRoom(in: environment, plan, &writer.mapBytes) {
            () throws(CatalogError) in
            try attempt(changes, metadata, addsObjects: addsObjects)
        }
    }

    private func attempt(
        _ changes: [CatalogChange], _ metadata: CatalogMetadata, addsObjects: Bool
    ) throws(CatalogError) {
        let transaction = try environment.beginWriting()
        for change in changes { try transaction.apply(change, to: tables) }
        try transaction.put(metadata, in: tables)
        let used = try transaction.byteCount(of: tables)
        if addsObjects, !plan.admitsObjects(usedBytes: used) {
            throw .full(limitBytes: plan.limitBytes)
        }
        try transaction.commit()
        usedBytes.store(used, ordering: .relaxed)
    }

    private func reserveDisk(addsObjects: Bool, _ writer: inout Writer) throws(CatalogError) {
        let wanted = plan.reservation(
            from: writer.reservedBytes, fileBytes: try environment.size().used_file_bytes,
            usedBytes: usedBytes.load(ordering: .relaxed))
        guard let wanted else { return }
        do {
            try environment.reserve(from: writer.reservedBytes, to: wanted)
            writer.reservedBytes = wanted
        } catch .diskFull {
            // What is reserved stays for removals, which are what makes room.
            if addsObjects { throw .diskFull }
        } catch {
            // A file system that cannot reserve: the commit itself finds out about a full disk.
            writer.reservedBytes = .max
        }
    }
}
