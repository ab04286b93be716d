// At start the catalog is read into memory, before recovery asks it, if there is room.

import Catalog
import Synchronization
import Testing

@testable import Store

@Suite struct `A start` {
    private func events(_ catalog: any CatalogStorage, limit: UInt64) throws -> [StoreEvent] {
        let world = World(try World.hardware(), catalog: catalog)
        world.catalogWarmBytesMax = limit
        try world.open()
        let events = world.events.all
        #expect(world.close() == nil)
        return events
    }

    @Test func `reads a catalog that fits into memory, first of all`() throws {
        let catalog = WatchedCatalog(.success(.inMemory(bytes: 1000)))
        let events = try events(catalog, limit: 1000)
        #expect(catalog.calls.first == "warm up to 1000")
        guard case .catalogWarmed(bytes: 1000, _) = events.first else {
            Issue.record("\(events)")
            return
        }
    }

    @Test func `says that a catalog is too large`() throws {
        let catalog = WatchedCatalog(.success(.tooLarge(bytes: 1001)))
        let events = try events(catalog, limit: 1000)
        #expect(events.first == .catalogTooLarge(bytes: 1001, limitBytes: 1000))
    }

    @Test(arguments: [CatalogWarmth.inMemory(bytes: 1000), .tooLarge(bytes: 1001)])
    func `lets look-ups wait elsewhere only if memory does not hold the catalog`(
        _ warmth: CatalogWarmth
    ) throws {
        let catalog = WatchedCatalog(.success(warmth))
        let world = World(try World.hardware(), catalog: catalog)
        world.catalogWarmBytesMax = 1000
        try world.open()
        _ = try world.put("a", [1, 2, 3]).get()
        world.settle()
        let core = world.core
        let lookups = try #require(world.shared).coldLookups
        #expect((lookups != nil) == (warmth != .inMemory(bytes: 1000)))
        let before = world.run { await lookups?.count }
        // To read, to write, to list and to remove.
        #expect(try world.get("a").get() == [1, 2, 3])
        world.run { await core.lookUp("a") }
        #expect(world.list().count == 1)
        #expect(try world.remove("a").get())
        let count = world.run { await lookups?.count }
        #expect(count == before.map { $0 + 4 })
        #expect(world.close() == nil)
    }

    @Test func `goes on without it when it cannot be read`() throws {
        let catalog = WatchedCatalog(.failure(.outOfService))
        let events = try events(catalog, limit: 1000)
        #expect(events.first == .catalogNotWarmed("\(CatalogError.outOfService)"))
        #expect(catalog.calls.contains("commit"))
    }
}

extension TestCore {
    fileprivate func lookUp(_ name: String) async {
        if case .present(let pinned) = try? await objects.look(up: Array(name.utf8)) {
            release(pinned)
        }
    }
}

/// A catalog that notes what it is asked, and warms up as it is told.
private final class WatchedCatalog: CatalogStorage {
    private let catalog = MemoryCatalog(instance: World.instance)
    private let warmth: Result<CatalogWarmth, CatalogError>
    private let asked = Mutex<[String]>([])

    init(_ warmth: Result<CatalogWarmth, CatalogError>) { self.warmth = warmth }

    var calls: [String] { asked.withLock { $0 } }

    private func note(_ call: String) { asked.withLock { $0.append(call) } }

    func commit(_ changes: [CatalogChange], applied: UInt64) throws(CatalogError) {
        note("commit")
        try catalog.commit(changes, applied: applied)
    }

    func mark(clean: Bool) throws(CatalogError) { try catalog.mark(clean: clean) }

    func makeReader() -> any CatalogReader {
        note("reader")
        return catalog.makeReader()
    }

    func warm(limitBytes: UInt64) throws(CatalogError) -> CatalogWarmth {
        note("warm up to \(limitBytes)")
        return try warmth.get()
    }

    var usage: CatalogUsage { catalog.usage }
}
