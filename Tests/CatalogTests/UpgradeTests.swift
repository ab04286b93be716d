import Foundation
import Testing

@testable import Catalog

/// Opening a catalog of the format before.
@Suite(.serialized) struct `A catalog of an earlier format` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ sizes: LMDBSizes = .small, create: Bool = false, as owner: CatalogInstance = instance
    ) throws(CatalogError) -> LMDBCatalog {
        try LMDBCatalog.open(at: directory.path, instance: owner, sizes: sizes, create: create)
    }

    @Test(arguments: [2, 3] as [UInt8], [false, true])
    func `is upgraded when it is opened, and keeps all it has`(
        _ format: UInt8, _ create: Bool
    ) throws {
        try EarlierCatalog.make(in: directory, format: format)
        try EarlierCatalog.expectUpgraded(try open(create: create))
        let bytes = try Data(contentsOf: directory.dataFile)
        do {
            let catalog = try open(create: create)
            try EarlierCatalog.expectUpgraded(catalog)
            #expect(try Data(contentsOf: directory.dataFile) == bytes)
            let id = CatalogUploadID.sample(1)
            try catalog.commit(
                [
                    .putUpload(id, value: [1]), .putUploadPage(id, page: 2, value: [3]),
                    .putProfile(key: [4], value: [5]),
                ], applied: 65)
        }
        let pages = [CatalogUploadPage(page: 2, value: [3])]
        let expected = StoredUpload(id: .sample(1), value: [1], pages: pages)
        let contents = try Contents(of: open(create: create))
        #expect(contents.uploads == [expected])
        #expect(contents.profiles == [StoredProfile(key: [4], value: [5])])
    }

    @Test func `is left as it is when it is another instance's`() throws {
        try EarlierCatalog.make(in: directory)
        let bytes = try Data(contentsOf: directory.dataFile)
        let other = CatalogInstance(high: 1, low: 2)
        #expect(throws: CatalogError.otherInstance(found: instance, expected: other)) {
            try open(as: other)
        }
        #expect(try Data(contentsOf: directory.dataFile) == bytes)
    }

    @Test func `that calls itself the present one lacks tables`() throws {
        try EarlierCatalog.make(in: directory, version: 3)
        #expect(throws: CatalogError.damaged("the table uploads is missing")) { try open() }
        let other = try TemporaryDirectory()
        try EarlierCatalog.make(in: other, format: 3, version: 4)
        #expect(throws: CatalogError.damaged("the table profiles is missing")) {
            try LMDBCatalog.open(
                at: other.path, instance: instance, sizes: .small, create: false)
        }
    }

    @Test func `is upgraded also where map and file are full`() throws {
        try EarlierCatalog.make(in: directory, extentCount: 20_000)
        do {
            let location = CatalogLocation(path: directory.path)
            let environment = try location.open(.small)
            let full = CatalogError.system(operation: "open a table", code: -30792)
            #expect(throws: full) {
                try location.claim(environment, for: instance, create: false)
            }
        }
        let bytes = try Data(contentsOf: directory.dataFile)
        var sizes = LMDBSizes.small
        sizes.mapBytesMax = 64 << 10
        sizes.headroomBytes = 0
        #expect(throws: CatalogError.full(limitBytes: 64 << 10)) { try open(sizes) }
        #expect(try Data(contentsOf: directory.dataFile) == bytes)

        let catalog = try open()
        try EarlierCatalog.expectUpgraded(catalog, extentCount: 20_000)
        try catalog.commit([.put("a", 65)], applied: 65)
        #expect(try catalog.makeReader().find("a".bytes.span) == .sample(65))
    }
}
