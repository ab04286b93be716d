import Foundation
import Testing

@testable import Catalog

/// The LMDB catalog's map: growing, full, refused.
@Suite(.serialized) struct `A growing catalog` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(limitBytes: UInt64 = 64 << 20) throws -> LMDBCatalog {
        var sizes = LMDBSizes.small
        sizes.mapBytesMax = limitBytes
        return try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: sizes, create: true)
    }

    private static func batch(_ number: Int, of count: Int = 256) -> [CatalogChange] {
        (number * count..<(number + 1) * count).map { .put("object number \($0)", UInt64($0)) }
    }

    @Test func `outgrows its first map several times and keeps everything`() throws {
        let catalog = try open()
        let reader = try catalog.makeReader()
        for number in 0..<60 {
            try catalog.commit(`A growing catalog`.batch(number), applied: UInt64(number))
            let first = "object number \(number * 256)"
            let found = try reader.find(first.bytes.span)
            #expect(found == .sample(UInt64(number * 256)))
        }
        let bytes = try FileManager.default.attributesOfItem(atPath: directory.dataFile.path)[.size]
        #expect(try #require(bytes as? Int) > 4 * Int(LMDBSizes.small.mapBytes))
        for number in 0..<60 * 256 {
            let found = try reader.find("object number \(number)".bytes.span)
            #expect(found == .sample(UInt64(number)))
        }
    }

    @Test func `outgrows its map by one large commit`() throws {
        let catalog = try open()
        try catalog.commit(`A growing catalog`.batch(0, of: 20_000), applied: 1)
        let found = try catalog.makeReader().find("object number 19999".bytes.span)
        #expect(found == .sample(19999))
    }

    @Test func `opens again with a first map smaller than its file`() throws {
        try open().commit(`A growing catalog`.batch(0, of: 20_000), applied: 1)
        let catalog = try open()
        try catalog.commit([.put("one more", 1)], applied: 2)
        #expect(try Contents(of: catalog).listings.count == 20_001)
    }

    /// Fills `catalog` and answers how many batches it took.
    private func fill(_ catalog: LMDBCatalog) throws -> Int {
        for number in 0... {
            do {
                try catalog.commit(`A growing catalog`.batch(number), applied: UInt64(number))
            } catch .full(let limitBytes) {
                #expect(limitBytes == 1 << 20)
                return number
            }
        }
        return 0
    }

    @Test func `refuses objects when it is full, and loses none`() throws {
        let catalog = try open(limitBytes: 1 << 20)
        let batches = try fill(catalog)
        #expect(batches > 10)
        let before = try Contents(of: catalog)
        #expect(before.listings.count == batches * 256)
        #expect(before.metadata.applied == UInt64(batches - 1))
        #expect(throws: CatalogError.full(limitBytes: 1 << 20)) {
            try catalog.commit(`A growing catalog`.batch(batches), applied: 999)
        }
        #expect(try Contents(of: catalog) == before)
        #expect(catalog.usage.usedBytes > catalog.usage.limitBytes / 2)
    }

    @Test func `removes when it is full, and then takes as much again`() throws {
        let catalog = try open(limitBytes: 1 << 20)
        for round in 1...3 as ClosedRange<UInt64> {
            let batches = try fill(catalog)
            #expect(batches > 10)
            for number in 0..<batches * 256 {
                // Scattered, so that each removal rewrites a page of its own.
                guard number % 97 == 0 else { continue }
                let removal = CatalogRemoval(
                    address: UInt64(number), removedAddress: 1, nameHash: 1, sequence: round)
                let name = "object number \(number)"
                let extent = CatalogExtent(address: UInt64(number), blocks: 1)
                try catalog.commit(
                    [.remove(name, UInt64(number)), .addExtent(extent), .addRemoval(removal)],
                    applied: 1)
                let found = try catalog.makeReader().find(name.bytes.span)
                #expect(found == nil)
            }
            for number in 0..<batches {
                let objects = number * 256..<(number + 1) * 256
                try catalog.commit(
                    objects.flatMap { number in
                        [
                            CatalogChange.remove("object number \(number)", UInt64(number)),
                            .dropRemoval(address: UInt64(number)),
                            .dropExtent(address: UInt64(number)),
                        ]
                    }, applied: 1)
            }
            #expect(try Contents(of: catalog).listings.isEmpty)
        }
    }

    @Test func `refuses even removals once the headroom is used up`() throws {
        let catalog = try open(limitBytes: 1 << 20)
        _ = try fill(catalog)
        #expect(throws: CatalogError.full(limitBytes: 1 << 20)) {
            for number in 0..<1000 {
                let removals = (0..<256).map {
                    CatalogChange.addRemoval(
                        CatalogRemoval(
                            address: UInt64(number * 256 + $0), removedAddress: 1, nameHash: 1,
                            sequence: 1))
                }
                try catalog.commit(removals, applied: 1)
            }
        }
        // Objects do not get at what is left of it, but what is there can still go.
        #expect(throws: CatalogError.full(limitBytes: 1 << 20)) {
            try catalog.commit(`A growing catalog`.batch(5000), applied: 1)
        }
        try catalog.commit([.remove("object number 1", 1)], applied: 1)
        #expect(try catalog.makeReader().find("object number 1".bytes.span) == nil)
    }

    @Test func `goes on with the old map when a larger one is refused`() throws {
        let location = CatalogLocation(path: directory.path)
        let environment = try location.open(.small)
        let contents = try location.claim(environment, for: instance, create: true)
        let reader = try LMDBReader(environment: environment, tables: contents.tables)
        // No address space is that large.
        let refusal = CatalogError.system(operation: "map more of its file", code: ENOMEM)
        #expect(throws: refusal) { try environment.moveMap(to: 1 << 60) }
        #expect(try reader.metadata() == contents.metadata)
    }

    @Test func `closes its readers when LMDB does not map again`() throws {
        let location = CatalogLocation(path: directory.path)
        let environment = try location.open(.small)
        let contents = try location.claim(environment, for: instance, create: true)
        let readers = try (0..<3).map { _ in
            try LMDBReader(environment: environment, tables: contents.tables)
        }
        // LMDB refuses while something is being written, which only a test can bring about.
        let transaction = try environment.beginWriting()
        let refusal = CatalogError.system(operation: "map its file again", code: EINVAL)
        #expect(throws: refusal) { try environment.moveMap(to: 512 << 10) }
        _ = consume transaction
        for reader in readers {
            #expect(throws: CatalogError.outOfService) { try reader.metadata() }
        }
        #expect(throws: CatalogError.outOfService) {
            try LMDBReader(environment: environment, tables: contents.tables)
        }
    }
}
