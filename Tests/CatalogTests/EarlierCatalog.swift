// A catalog as programs of formats 2 and 3 wrote it, byte by byte, and what is in it.
import Foundation
import Testing

@testable import Catalog

enum EarlierCatalog {
    private static let names = ["extents", "leases", "names", "removals"] as [StaticString]

    /// Makes one in `directory`. Extents beside the one that is described make it long.
    static func make(
        in directory: TemporaryDirectory, format: UInt8 = 2, version: UInt8? = nil,
        extentCount: UInt64 = 0
    ) throws {
        var sizes = LMDBSizes.small
        sizes.mapBytes = 16 << 20
        let environment = try CatalogLocation(path: directory.path).open(sizes)
        let transaction = try environment.beginWriting()
        var tables: [UInt32] = []
        for name in names {
            tables.append(try #require(try transaction.table(name, create: true)))
        }
        if format >= 3 {
            // Without rows: what formats have in common is told apart by nothing else.
            for name in ["uploadPages", "uploads"] as [StaticString] {
                _ = try #require(try transaction.table(name, create: true))
            }
        }
        let meta = try #require(try transaction.table("meta", create: true))
        let rows: [(table: UInt32, key: [UInt8], value: [UInt8])] = [
            (tables[0], [0, 0, 1, 0, 0, 0, 0, 2], [3, 0, 0, 0]),
            (tables[1], [0, 0, 0, 4, 0, 0, 0, 5], [6, 0, 0, 0, 0, 0, 0, 0]),
            (tables[2], "photos/cat.jpg".bytes, entry),
            (
                tables[3], [0, 0, 0, 0, 0, 0, 0, 7],
                [8, 0, 0, 0, 0, 0, 0, 0] + [9, 0, 0, 0, 0, 0, 0, 0] + [10, 0, 0, 0, 0, 0, 0, 0]
            ),
            (meta, [0, 0, 0, 0, 0, 0, 0, 0], metadata(version ?? format)),
        ]
        for row in rows { try transaction.put(row.key.span, row.value.span, in: row.table) }
        let oneBlock: [UInt8] = [1, 0, 0, 0]
        for number in 0..<extentCount {
            let key = NumberKey((number + 1) << 42)
            try transaction.put(key.bytes.span, oneBlock.span, in: tables[0])
        }
        try transaction.commit()
    }

    /// Address, length, sequence, time, blocks, kind, 11 bytes of nothing.
    private static var entry: [UInt8] {
        [1, 2, 0, 0, 0, 0, 0, 0] + [3, 4, 0, 0, 0, 0, 0, 0] + [5, 0, 0, 0, 0, 0, 0, 0]
            + [0, 0xf1, 0x53, 0x65, 0, 0, 0, 0] + [6, 0, 0, 0] + [7]
            + [UInt8](repeating: 0, count: 11)
    }

    /// Format, clean, 3 bytes of nothing, both halves of the instance, applied.
    private static func metadata(_ version: UInt8) -> [UInt8] {
        [version, 0, 0, 0] + [1, 0, 0, 0]
            + [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01]
            + [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]
            + [0x40, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Whether all of it is there, and the catalog is now of the present format.
    static func expectUpgraded(_ catalog: LMDBCatalog, extentCount: UInt64 = 0) throws {
        let contents = try Contents(of: catalog)
        let entry = CatalogEntry(
            recordAddress: 0x201, recordBlocks: 6, kind: 7, length: 0x403, sequence: 5,
            modified: 1_700_000_000)
        #expect(contents.listings == [CatalogListing(name: "photos/cat.jpg".bytes, entry: entry)])
        #expect(contents.extents.count == Int(extentCount) + 1)
        #expect(contents.extents.first == CatalogExtent(address: 0x100_0000_0002, blocks: 3))
        #expect(contents.leases == [CatalogLease(volume: 4, segment: 5, sequence: 6)])
        let removal = CatalogRemoval(address: 7, removedAddress: 8, nameHash: 9, sequence: 10)
        #expect(contents.removals == [removal])
        #expect(contents.uploads.isEmpty)
        let metadata = CatalogMetadata(instance: instance, applied: 64, isClean: true)
        #expect(contents.metadata == metadata)
        #expect(contents.metadata.formatVersion == 4)
    }
}
