/// Look-ups that may wait for the disk, off every event loop: for a catalog that memory does not
/// hold (a cold one took up to 14.7 ms, during which a core would serve nobody).

import Catalog

actor ColdLookups {
    private let reader: any CatalogReader
    /// A `BlockingQueue`, or the simulated loop.
    private nonisolated let executor: any SerialExecutor
    private(set) var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(_ reader: any CatalogReader, executor: any SerialExecutor) {
        self.reader = reader
        self.executor = executor
    }

    /// Brings what a look-up of `name` reads into memory. The answer is thrown away: by the time it
    /// reached a core, the object could be gone and its space another's. The core asks again.
    func touch(_ name: [UInt8]) {
        count += 1
        do throws(CatalogError) { _ = try reader.find(name.span) } catch {
            // The core's own look-up meets the same error, and reports it.
        }
    }

    /// The same for the first page of a listing.
    func touch(prefix: [UInt8], after: [UInt8]?) {
        count += 1
        do throws(CatalogError) {
            _ = try reader.list(prefix: prefix, after: after, limit: StoreLimits.listingMax)
        } catch {
            // As above.
        }
    }
}
