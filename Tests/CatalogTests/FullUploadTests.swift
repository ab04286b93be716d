import Foundation
import Testing

@testable import Catalog

/// Unfinished uploads in an LMDB catalog that is full, or nearly so.
@Suite(.serialized) struct `Uploads in a full catalog` {
    private let directory: TemporaryDirectory
    private static let limitBytes: UInt64 = 4 << 20
    private static let full = CatalogError.full(limitBytes: limitBytes)

    init() throws { directory = try TemporaryDirectory() }

    /// With less headroom than the longest record has bytes.
    private func open() throws -> LMDBCatalog {
        var sizes = LMDBSizes.small
        sizes.mapBytesMax = `Uploads in a full catalog`.limitBytes
        sizes.headroomBytes = 512 << 10
        return try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: sizes, create: true)
    }

    /// Puts uploads, eight at a time, until they are refused; answers how many there are.
    private func fill(
        _ catalog: LMDBCatalog, _ changes: (CatalogUploadID) -> [CatalogChange]
    ) throws -> UInt64 {
        var count: UInt64 = 0
        while true {
            do {
                let ids = (count..<count + 8).map(CatalogUploadID.sample)
                try catalog.commit(ids.flatMap(changes), applied: 1)
                count += 8
            } catch {
                #expect(error == `Uploads in a full catalog`.full)
                return count
            }
        }
    }

    @Test func `are refused with all that was to be committed, and dropped`() throws {
        let catalog = try open()
        let page = content(4096, seed: 1)
        let count = try fill(catalog) { id in
            [
                .putUpload(id, value: content(10_000, seed: 1)),
                .putUploadPage(id, page: 0, value: page),
            ]
        }
        #expect(count > 100)
        let before = try Contents(of: catalog)
        #expect(before.uploads.count == Int(count))
        let adding = [
            CatalogChange.putUploadPage(.sample(0), page: 1, value: content(4096, seed: 1)),
            .putUpload(.sample(count), value: content(10_000, seed: 1)),
        ]
        for change in adding {
            // What leaves at the same time does not help where more comes.
            let pages = (2...40).map {
                CatalogChange.putUploadPage(.sample(0), page: $0, value: page)
            }
            #expect(throws: `Uploads in a full catalog`.full) {
                try catalog.commit([.dropUpload(.sample(1)), change] + pages, applied: 999)
            }
            #expect(try Contents(of: catalog) == before)
        }
        try catalog.commit((0..<count).map { .dropUpload(.sample($0)) }, applied: 999)
        #expect(try Contents(of: catalog).uploads.isEmpty)
        #expect(catalog.usage.usedBytes == 0)
    }

    @Test func `are dropped one by one, and then as many are taken again`() throws {
        let catalog = try open()
        var counts: Set<UInt64> = []
        for _ in 0..<3 {
            let count = try fill(catalog) { [.putUpload($0, value: content(5000, seed: 3))] }
            counts.insert(count)
            for number in 0..<count where number % 7 == 0 {
                try catalog.commit([.dropUpload(.sample(number))], applied: 1)
            }
            try catalog.commit((0..<count).map { .dropUpload(.sample($0)) }, applied: 1)
            #expect(try Contents(of: catalog).uploads.isEmpty)
        }
        #expect(counts.count == 1)
    }

    /// No two free pages lie side by side, and the map cannot grow.
    @Test func `need no adjacent pages, however long they are`() throws {
        let catalog = try open()
        let count = try fill(catalog) { [.putUpload($0, value: content(4080, seed: 1))] }
        let odd = (0..<count).filter { $0 % 2 == 1 }
        try catalog.commit(odd.map { .dropUpload(.sample($0)) }, applied: 1)
        // What a commit has freed can be used by the one after the next.
        try catalog.commit([], applied: 1)
        let room = catalog.usage.limitBytes - catalog.usage.usedBytes
        #expect(room > 3 << 19)

        let longest = content(CatalogLimits.uploadBytesMax, seed: 2)
        try catalog.commit([.putUpload(.sample(count), value: longest)], applied: 1)
        let reader = try catalog.makeReader()
        #expect(try reader.upload(.sample(count)) == longest)
        for number in 0..<count {
            let expected = number % 2 == 1 ? nil : content(4080, seed: 1)
            #expect(try reader.upload(.sample(number)) == expected)
        }
    }
}
