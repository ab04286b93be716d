// What the catalog's tests share: temporary directories, storages of both kinds, short names.
import BenchMeasure
import Catalog
import Foundation

let instance = CatalogInstance(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

/// A directory that is removed with the value's last owner.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let place = FileManager.default.temporaryDirectory
            .appendingPathComponent("catalog-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        path = place.path
    }

    deinit {
        // Nothing to be done if it is gone already.
        try? FileManager.default.removeItem(atPath: path)
    }

    var dataFile: URL { URL(fileURLWithPath: path).appendingPathComponent("data.mdb") }
}

enum StorageKind: CaseIterable, Sendable {
    case memory
    case lmdb
}

/// A storage of one kind, which can be closed and opened again.
final class TestBed {
    let directory: TemporaryDirectory
    private(set) var storage: any CatalogStorage

    init(_ kind: StorageKind) throws {
        directory = try TemporaryDirectory()
        switch kind {
        case .memory: storage = MemoryCatalog(instance: instance)
        case .lmdb:
            storage = try LMDBCatalog.open(
                at: directory.path, instance: instance, sizes: .small, create: true)
        }
    }

    /// Readers made before must be gone: LMDB is not open twice.
    func reopen() throws {
        if let memory = storage as? MemoryCatalog {
            memory.crash()
        } else {
            storage = MemoryCatalog(instance: instance)
            storage = try LMDBCatalog.open(
                at: directory.path, instance: instance, sizes: .small, create: false)
        }
    }

    func find(_ name: String) throws -> CatalogEntry? {
        try storage.makeReader().find(name.bytes.span)
    }

    func list(
        _ prefix: String, after: String? = nil, limit: Int = CatalogLimits.listingMax
    ) throws -> [String] {
        try storage.makeReader()
            .list(prefix: prefix.bytes, after: after?.bytes, limit: limit)
            .map { String(decoding: $0.name, as: UTF8.self) }
    }
}

extension LMDBSizes {
    /// Small enough for a test to fill, and to grow several times.
    static var small: LMDBSizes {
        var sizes = LMDBSizes()
        sizes.mapBytes = 256 << 10
        sizes.mapBytesMax = 64 << 20
        sizes.headroomBytes = 1 << 20
        sizes.readersMax = 16
        return sizes
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

extension CatalogEntry {
    /// An entry whose fields all differ, and follow from its sequence.
    static func sample(_ sequence: UInt64) -> CatalogEntry {
        CatalogEntry(
            recordAddress: sequence &* 0x9e37_79b9_7f4a_7c15, recordBlocks: UInt32(sequence) &+ 2,
            kind: UInt8(truncatingIfNeeded: sequence), length: sequence &+ 0x1_0000_0001,
            sequence: sequence, modified: 1_700_000_000 + sequence)
    }
}

extension CatalogChange {
    static func put(_ name: String, _ sequence: UInt64) -> CatalogChange {
        .put(name: name.bytes, entry: .sample(sequence))
    }

    static func remove(_ name: String, _ sequence: UInt64) -> CatalogChange {
        .remove(name: name.bytes, sequence: sequence)
    }
}

extension CatalogUploadID {
    /// Greater for greater numbers; some differ in one half only.
    static func sample(_ number: UInt64) -> CatalogUploadID {
        CatalogUploadID(high: number / 3, low: number % 3 * (.max / 2))
    }

    static let samples = (0..<6 as Range<UInt64>).map(CatalogUploadID.sample)
}

/// Bytes of which no two parts are alike.
func content(_ count: Int, seed: UInt8) -> [UInt8] {
    var bytes = [UInt8](repeating: seed, count: count)
    for index in stride(from: 0, to: count, by: 500) {
        bytes[index] = UInt8(truncatingIfNeeded: index / 500)
    }
    return bytes
}

/// What a catalog holds of one upload.
struct StoredUpload: Equatable {
    var id: CatalogUploadID
    var value: [UInt8]?
    var pages: [CatalogUploadPage]
}

/// What a catalog holds of one client.
struct StoredProfile: Equatable {
    var key: [UInt8]
    var value: [UInt8]
}

/// All that a catalog holds, for comparing two. Of uploads without a record, only the samples.
struct Contents: Equatable {
    var listings: [CatalogListing] = []
    var extents: [CatalogExtent] = []
    var leases: [CatalogLease]
    var removals: [CatalogRemoval]
    var uploads: [StoredUpload] = []
    var profiles: [StoredProfile] = []
    var metadata: CatalogMetadata

    init(of storage: any CatalogStorage) throws {
        let reader = try storage.makeReader()
        leases = try reader.leases()
        removals = try reader.removals()
        metadata = try reader.metadata()
        try reader.forEachExtent { extents.append($0) }
        var after: [UInt8]?
        while true {
            let page = try reader.list(prefix: [], after: after, limit: 100)
            guard let last = page.last else { break }
            listings += page
            after = last.name
        }
        try reader.forEachProfile { profiles.append(StoredProfile(key: $0, value: $1)) }
        var records: [CatalogUploadID: [UInt8]] = [:]
        try reader.forEachUpload { records[$0] = $1 }
        for id in Set(records.keys).union(CatalogUploadID.samples).sorted() {
            let pages = try reader.uploadPages(id)
            if records[id] == nil, pages.isEmpty { continue }
            uploads.append(StoredUpload(id: id, value: records[id], pages: pages))
        }
    }
}

/// The same numbers for the same seed.
struct Random: RandomNumberGenerator {
    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { numbers.next() }
}
