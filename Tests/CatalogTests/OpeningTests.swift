import Foundation
import Testing

@testable import Catalog

/// Everything that can lie where the LMDB catalog should, and what opening it then says.
@Suite(.serialized) struct `Opening a catalog` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        create: Bool = true, as owner: CatalogInstance = instance
    ) throws(CatalogError) -> LMDBCatalog {
        try LMDBCatalog.open(at: directory.path, instance: owner, sizes: .small, create: create)
    }

    /// Changes what is stored behind the catalog's back.
    private func tamper(
        _ change: (borrowing Transaction, Tables) throws(CatalogError) -> Void
    ) throws {
        let location = CatalogLocation(path: directory.path)
        let environment = try location.open(.small)
        let tables = try location.claim(environment, for: instance, create: true).tables
        let transaction = try environment.beginWriting()
        try change(transaction, tables)
        try transaction.commit()
    }

    @Test func `needs its directory`() {
        let missing = directory.path + "/missing"
        #expect(throws: CatalogError.noDirectory(path: missing)) {
            try LMDBCatalog.open(at: missing, instance: instance, create: true)
        }
    }

    @Test func `does not take a file for its directory`() throws {
        let file = directory.path + "/file"
        try Data([1]).write(to: URL(fileURLWithPath: file))
        #expect(throws: CatalogError.noDirectory(path: file)) {
            try LMDBCatalog.open(at: file, instance: instance, create: true)
        }
    }

    @Test func `passes on why it cannot look`() {
        let path = directory.path + "/" + String(repeating: "x", count: 5000)
        #expect(throws: CatalogError.system(operation: "look into \(path)", code: ENAMETOOLONG)) {
            try LMDBCatalog.open(at: path, instance: instance, create: true)
        }
    }

    @Test func `passes on why it cannot open`() throws {
        try FileManager.default.createDirectory(
            at: directory.dataFile, withIntermediateDirectories: false)
        #expect(throws: CatalogError.system(operation: "open its file", code: EISDIR)) {
            try open()
        }
    }

    @Test func `makes one only when told to`() throws {
        #expect(throws: CatalogError.noCatalog(path: directory.path)) { try open(create: false) }
        #expect(!FileManager.default.fileExists(atPath: directory.dataFile.path))
        try open().commit([.put("a", 1)], applied: 1)
        let found = try open(create: true).makeReader().find("a".bytes.span)
        #expect(found == .sample(1))
    }

    @Test func `takes an empty file for none`() throws {
        try Data().write(to: directory.dataFile)
        #expect(throws: CatalogError.noCatalog(path: directory.path)) { try open(create: false) }
        try open().commit([.put("a", 1)], applied: 1)
    }

    @Test(arguments: [1, 100, 4096, 65536]) func `refuses a file that is none`(
        _ count: Int
    ) throws {
        let garbage = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) })
        try garbage.write(to: directory.dataFile)
        #expect(throws: CatalogError.notACatalog(path: directory.path)) { try open() }
        #expect(try Data(contentsOf: directory.dataFile) == garbage)
    }

    @Test func `refuses an LMDB file of somebody else`() throws {
        let location = CatalogLocation(path: directory.path)
        _ = try location.open(.small)
        #expect(throws: CatalogError.notACatalog(path: directory.path)) { try open(create: false) }
    }

    @Test func `refuses one whose making was cut off, unless told to make it`() throws {
        try tamper { transaction, tables throws(CatalogError) in
            try transaction.delete(CatalogMetadata.key.bytes.span, in: tables.meta)
        }
        #expect(throws: CatalogError.notACatalog(path: directory.path)) { try open(create: false) }
        try open(create: true).commit([.put("a", 1)], applied: 1)
    }

    @Test func `refuses a file that was cut short`() throws {
        try open().commit((0..<2000).map { .put("name \($0)", 1) }, applied: 1)
        let file = try FileHandle(forWritingTo: directory.dataFile)
        try file.truncate(atOffset: 32768)
        #expect(throws: CatalogError.damaged("data.mdb is cut short")) { try open() }
    }

    /// LMDB does not write a page that a commit took and gave back, also if it is the file's last.
    @Test func `opens a file that ends before pages that are free`() throws {
        var random = Random(seed: 3)
        let ids = (0..<2000).map { _ in
            CatalogUploadID(high: random.next(), low: random.next())
        }
        let puts = ids.flatMap { id in
            [
                CatalogChange.put("n\(id.low)", 1),
                .putUpload(id, value: content(10, seed: 1)),
                .putUploadPage(id, page: 1, value: content(10, seed: 1)),
            ]
        }
        let drops = [ids[..<20], ids[20..<300], ids[300...]].map { part in
            part.map { CatalogChange.dropUpload($0) }
        }
        func isShort(_ catalog: LMDBCatalog) throws -> Bool {
            let size = UInt64(try Data(contentsOf: directory.dataFile).count)
            return try catalog.warm(limitBytes: size) != .inMemory(bytes: size)
        }
        func commitUntilShort() throws -> Contents? {
            let catalog = try open()
            for changes in [puts] + drops {
                try catalog.commit(changes, applied: 1)
                if try isShort(catalog) { return try Contents(of: catalog) }
            }
            return nil
        }
        let contents = try #require(try commitUntilShort())
        let short = try Data(contentsOf: directory.dataFile)
        #expect(try Contents(of: open()) == contents)
        #expect(try !isShort(open()))
        try open().commit([.put("a", 2)], applied: 2)

        // Now pages are missing that are in use.
        let half = short.prefix(short.count / 8192 * 4096)
        try half.write(to: directory.dataFile)
        #expect(throws: CatalogError.damaged("data.mdb is cut short")) { try open() }
        #expect(try Data(contentsOf: directory.dataFile) == half)
    }

    @Test func `refuses a newer format, whatever else it stores`() throws {
        try tamper { transaction, tables throws(CatalogError) in
            let newer: [UInt8] = [5, 0, 0, 0, 9, 9]
            try transaction.put(CatalogMetadata.key.bytes.span, newer.span, in: tables.meta)
        }
        #expect(throws: CatalogError.newerFormat(found: 5, supported: 4)) { try open() }
    }

    @Test func `refuses an older format and says how to go on`() throws {
        try tamper { transaction, tables throws(CatalogError) in
            let older: [UInt8] = [1, 0, 0, 0, 9, 9]
            try transaction.put(CatalogMetadata.key.bytes.span, older.span, in: tables.meta)
        }
        let error = CatalogError.olderFormat(found: 1, path: directory.path)
        #expect(throws: error) { try open() }
    }

    @Test(
        arguments: [
            ([], "it has no format version"),
            ([1, 0, 0], "it has no format version"),
            ([0, 0, 0, 0, 1], "it has no format version"),
            ([2, 0, 0, 0, 1], "what it knows of itself"),
            ([3, 0, 0, 0, 1], "what it knows of itself"),
        ] as [([UInt8], String)])
    func `refuses metadata that it cannot read`(_ stored: [UInt8], _ what: String) throws {
        try tamper { transaction, tables throws(CatalogError) in
            try transaction.put(CatalogMetadata.key.bytes.span, stored.span, in: tables.meta)
        }
        #expect(throws: CatalogError.damaged(what)) { try open() }
    }

    @Test func `refuses the catalog of another instance`() throws {
        try open().commit([.put("a", 1)], applied: 1)
        let other = CatalogInstance(high: 1, low: 2)
        #expect(throws: CatalogError.otherInstance(found: instance, expected: other)) {
            try open(as: other)
        }
        let found = try open().makeReader().find("a".bytes.span)
        #expect(found == .sample(1))
    }

    @Test func `refuses one that lacks a table`() throws {
        let location = CatalogLocation(path: directory.path)
        do {
            let environment = try location.open(.small)
            let transaction = try environment.beginWriting()
            var tables = Tables()
            tables.meta = try #require(try transaction.table("meta", create: true))
            let metadata = CatalogMetadata(instance: instance, applied: 0, isClean: true)
            try transaction.put(metadata, in: tables)
            try transaction.commit()
        }
        #expect(throws: CatalogError.damaged("the table names is missing")) { try open() }
    }

    @Test func `reports rows that it cannot read`() throws {
        try tamper { transaction, tables throws(CatalogError) in
            let short: [UInt8] = [1, 2, 3]
            try transaction.put("a".bytes.span, short.span, in: tables.names)
            try transaction.put("a".bytes.span, short.span, in: tables.extents)
            try transaction.put(NumberKey(1).bytes.span, short.span, in: tables.leases)
            try transaction.put(NumberKey(1).bytes.span, short.span, in: tables.removals)
        }
        let catalog = try open()
        let reader = try catalog.makeReader()
        let entry = CatalogError.damaged("an object's entry")
        let row = CatalogError.damaged("a row of a table")
        #expect(throws: entry) { _ = try reader.find("a".bytes.span) }
        #expect(throws: entry) { try reader.list(prefix: [], after: nil, limit: 1) }
        #expect(throws: entry) { try reader.forEachEntry { _ in } }
        #expect(throws: row) { try reader.forEachExtent { _ in } }
        #expect(throws: row) { try reader.leases() }
        #expect(throws: row) { try reader.removals() }
        #expect(throws: entry) { try catalog.commit([.remove("a", 1)], applied: 1) }
        #expect(throws: CatalogError.outOfService) { try catalog.commit([], applied: 1) }
    }

    /// Rows of uploads: keys of another length, rows that are missing, too short or too long.
    @Test(
        arguments: [
            [(key: 15, row: 0, bytes: 1)], [(17, 0, 1)], [(16, 1, 1)],
            [(16, 0, 4079), (16, 1, 1)], [(16, 0, 4080), (16, 2, 1)], [(16, 0, 4081)],
        ] as [[(key: Int, row: Int, bytes: Int)]])
    func `reports uploads that it cannot read`(
        _ rows: [(key: Int, row: Int, bytes: Int)]
    ) throws {
        let id = CatalogUploadID(high: 0x0101_0101_0101_0101, low: 0x0101_0101_0101_0101)
        try tamper { transaction, tables throws(CatalogError) in
            for row in rows {
                let value = [UInt8](repeating: 2, count: row.bytes)
                let ones = [UInt8](repeating: 1, count: row.key)
                let key = LongValue.rowKey(ones, row.row)
                let pageKey = LongValue.rowKey([0, 0, 0, 7] + ones, row.row)
                try transaction.put(key.span, value.span, in: tables.uploads)
                try transaction.put(pageKey.span, value.span, in: tables.uploadPages)
            }
        }
        let catalog = try open()
        let reader = try catalog.makeReader()
        let damage = CatalogError.damaged("a row of an upload")
        #expect(throws: damage) { try reader.forEachUpload { _, _ in } }
        if rows.allSatisfy({ $0.key == 16 }) {
            #expect(throws: damage) { try reader.upload(id) }
            let shifted = CatalogUploadID(high: 0x0000_0007_0101_0101, low: id.low)
            #expect(throws: damage) { try reader.uploadPages(shifted) }
            try catalog.commit([.dropUpload(id), .dropUpload(shifted)], applied: 1)
            #expect(try Contents(of: catalog).uploads.isEmpty)
        }
    }

    @Test func `reports metadata that vanished while it was open`() throws {
        let location = CatalogLocation(path: directory.path)
        let environment = try location.open(.small)
        let tables = try location.claim(environment, for: instance, create: true).tables
        let reader = try LMDBReader(environment: environment, tables: tables)
        _ = try reader.metadata()
        let transaction = try environment.beginWriting()
        try transaction.delete(CatalogMetadata.key.bytes.span, in: tables.meta)
        try transaction.commit()
        #expect(throws: CatalogError.damaged("what it knows of itself")) { try reader.metadata() }
    }
}
