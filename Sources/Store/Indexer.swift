/// Applies batches to the catalog, on a thread that may block.

import Catalog

extension CatalogUsage {
    /// Whether so many objects are sure to fit. What is acknowledged must: the index takes changes
    /// in order, and one that did not fit would keep the removals behind it from making room.
    /// The same with `bytes` that other changes may write beside them.
    func hasRoom(forObjects count: Int, and bytes: UInt64 = 0) -> Bool {
        usedBytes + bytes + UInt64(count) * StoreLimits.catalogBytesPerObjectMax < limitBytes
    }
}

actor Indexer {
    private let catalog: any CatalogStorage
    /// A `BlockingQueue`, or the simulated loop.
    private nonisolated let executor: any SerialExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(_ catalog: any CatalogStorage, executor: any SerialExecutor) {
        self.catalog = catalog
        self.executor = executor
    }

    /// Nil once the changes are durable.
    func apply(_ changes: [CatalogChange], applied: UInt64) -> CatalogError? {
        do throws(CatalogError) {
            try catalog.commit(changes, applied: applied)
            return nil
        } catch {
            return error
        }
    }

    func warm(limitBytes: UInt64) -> Result<CatalogWarmth, CatalogError> {
        do throws(CatalogError) {
            return .success(try catalog.warm(limitBytes: limitBytes))
        } catch {
            return .failure(error)
        }
    }

    func mark(clean: Bool) -> CatalogError? {
        do throws(CatalogError) {
            try catalog.mark(clean: clean)
            return nil
        } catch {
            return error
        }
    }
}
