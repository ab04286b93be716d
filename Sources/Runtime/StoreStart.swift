/// Opens the store of a data directory on the cores that will serve it.

import Catalog
import Configuration
import IO
import Loop
import Server
import Store

struct StoreStart: Sendable {
    let settings: Settings
    let directory: DataDirectory
    let journal: Journal

    /// Recovers on core 0, then lets every core serve; nil if by then `mayServe` denies it.
    func open(
        _ cores: [Core], mayServe: @Sendable () -> Bool
    ) async throws(ServeError) -> StoreShared? {
        do {
            let setup = try setup()
            let shared = try await cores[0].openStore(
                setup, indexingOn: BlockingQueue(label: "millrace.indexer"),
                lookingUpOn: BlockingQueue(label: "millrace.lookups"))
            guard mayServe() else { return nil }
            for core in cores { shared.join(core) }
            await cores[0].loadProfiles(from: shared)
            for core in cores {
                let hashing = BlockingQueue(label: "millrace.hasher")
                try await core.begin(with: shared, hashingOn: hashing)
            }
            return shared
        } catch {
            throw explained(error)
        }
    }

    /// The same for who keeps a store that nobody serves.
    func open(_ keeper: StoreKeeper) async throws(ServeError) {
        do {
            try await keeper.open(
                setup(), indexingOn: BlockingQueue(label: "millrace.indexer"),
                lookingUpOn: BlockingQueue(label: "millrace.lookups"),
                hashingOn: BlockingQueue(label: "millrace.hasher"))
        } catch {
            throw explained(error)
        }
    }

    private func explained(_ error: any Error) -> ServeError {
        switch error {
        case let error as CatalogError:
            ServeError("the catalog in \(directory.path)/catalog: \(error)")
        case let error as KernelError: ServeError("\(directory.path): errno \(error.code)")
        default: ServeError("\(error)")
        }
    }

    private func setup() throws -> StoreSetup {
        let identifier = directory.identity.identifier
        let instance = CatalogInstance(
            high: StoreStart.integer(identifier[0..<8]),
            low: StoreStart.integer(identifier[8..<16]))
        let (catalog, isNew) = try openCatalog(instance)
        let free = try FileSystem.holding(directory.path).bytesFree
        let capacity = settings.storage.capacity.limit(available: free + directory.bytesInVolumes)
        let journal = journal
        var setup = StoreSetup(
            directory: directory.directory, instance: instance,
            sealKey: directory.identity.recordKey.bytes, catalog: catalog,
            capacityBytes: UInt64(capacity), volumeBytes: UInt64(settings.storage.volumeSizeBytes),
            rebuilds: isNew && directory.bytesInVolumes > 0,
            report: { event in StoreStart.report(event, journal) })
        setup.reservedBytesMax = UInt64(settings.limits.reserved.limit(available: capacity))
        setup.uploadBytesMax = min(
            UInt64(settings.uploads.sizeBytesMax), StoreLimits.objectBytesMax)
        setup.uploadsMax = settings.uploads.unfinishedMax
        setup.uploadsPerOwnerMax = settings.uploads.unfinishedPerOwnerMax
        setup.keepsSHA256 = settings.uploads.keepsSHA256
        setup.unfinishedBytesMax = StoreStart.bytes(settings.uploads.unfinishedSize, of: capacity)
        setup.unfinishedBytesPerOwnerMax = StoreStart.bytes(
            settings.uploads.unfinishedSizePerOwner, of: capacity)
        setup.resilience = StoreResilience(
            retries: settings.streaming.retries, backsOff: settings.streaming.backsOff,
            breaksCircuits: settings.streaming.breaksCircuits)
        setup.catalogWarmBytesMax = MachineMemory.catalogBytesMax()
        return setup
    }

    private static func bytes(_ limit: Capacity?, of capacity: Int) -> UInt64 {
        limit.map { UInt64($0.limit(available: capacity)) } ?? .max
    }

    private func openCatalog(
        _ instance: CatalogInstance
    ) throws(CatalogError) -> (catalog: LMDBCatalog, isNew: Bool) {
        let path = directory.path + "/catalog"
        do {
            return (try LMDBCatalog.open(at: path, instance: instance, create: false), false)
        } catch {
            guard case .noCatalog = error else { throw error }
        }
        return (try LMDBCatalog.open(at: path, instance: instance, create: true), true)
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func report(_ event: StoreEvent, _ journal: Journal) {
        switch event {
        case .volumeFailed(let volume, let error, let isForGood):
            let end = isForGood ? "a restart" : "it was tried again"
            journal.error(
                "a volume takes no more writes until \(end): \(error)",
                [("volume", "\(volume)")])
        case .volumeStillFails(let volume, let nanoseconds):
            journal.warning(
                "a volume was tried again, and fails",
                [("volume", "\(volume)"), ("next_try_seconds", "\(nanoseconds / 1_000_000_000)")])
        case .volumeRecovered(let volume, let bytes):
            journal.notice(
                "a volume takes writes again",
                [("volume", "\(volume)"), ("quarantined_bytes", "\(bytes)")])
        case .corrupt(let name, let error):
            journal.error("\(error)", [("object", String(decoding: name, as: UTF8.self))])
        case .indexingDelayed(let reason):
            journal.warning("the index is behind: \(reason)")
        case .cleanupPostponed(let error, let untilRestart):
            let end = untilRestart ? "a restart" : "its place can be written"
            journal.warning("the space of a dead record stays in use until \(end): \(error)")
        case .removalUnread(let error):
            journal.warning("a finished removal was passed over: \(error)")
        case .catalogWarmed(let bytes, let milliseconds):
            journal.notice(
                "the catalog is in memory",
                [("bytes", "\(bytes)"), ("milliseconds", "\(milliseconds)")])
        case .catalogTooLarge(let bytes, let limit):
            journal.notice(
                "the catalog is too large to be kept in memory: look-ups may wait for the disk",
                [("bytes", "\(bytes)"), ("limit", "\(limit)")])
        case .catalogNotWarmed(let reason):
            journal.warning("the catalog was not read into memory: \(reason)")
        case .recovered(let segments, let records, let dropped):
            journal.notice(
                "recovered",
                [
                    ("segments", "\(segments)"), ("records", "\(records)"),
                    ("dropped", "\(dropped)"),
                ])
        }
    }
}
