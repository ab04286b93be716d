/// A catalog that takes everything and keeps nothing: what remains of a request is the front's and
/// the store's own work. The real catalog has benches of its own, and a thread of its own.

import Catalog

final class ForgetfulCatalog: CatalogStorage {
    private let instance: CatalogInstance

    init(instance: CatalogInstance) { self.instance = instance }

    func commit(_ changes: [CatalogChange], applied: UInt64) {}
    func mark(clean: Bool) {}
    func warm(limitBytes: UInt64) -> CatalogWarmth { .inMemory(bytes: 0) }
    func makeReader() -> any CatalogReader { EmptyReader(instance) }
    var usage: CatalogUsage { CatalogUsage(usedBytes: 0, limitBytes: .max) }
}

private final class EmptyReader: CatalogReader {
    private let instance: CatalogInstance

    init(_ instance: CatalogInstance) { self.instance = instance }

    func find(_ name: Span<UInt8>) -> CatalogEntry? { nil }
    func list(prefix: [UInt8], after: [UInt8]?, limit: Int) -> [CatalogListing] { [] }
    func forEachEntry(_ body: (CatalogEntry) -> Void) {}
    func forEachExtent(_ body: (CatalogExtent) -> Void) {}
    func upload(_ id: CatalogUploadID) -> [UInt8]? { nil }
    func uploadPages(_ id: CatalogUploadID) -> [CatalogUploadPage] { [] }
    func forEachUpload(_ body: (CatalogUploadID, [UInt8]) -> Void) {}
    func forEachProfile(_ body: ([UInt8], [UInt8]) -> Void) {}
    func leases() -> [CatalogLease] { [] }
    func removals() -> [CatalogRemoval] { [] }
    func metadata() -> CatalogMetadata {
        CatalogMetadata(instance: instance, applied: 0, isClean: true)
    }
}
