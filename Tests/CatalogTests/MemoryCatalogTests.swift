import Catalog
import Testing

/// The faults that only the catalog in memory has.
@Suite struct `A catalog in memory` {
    private let catalog = MemoryCatalog(instance: instance)

    private func find(_ name: String) throws -> CatalogEntry? {
        try catalog.makeReader().find(name.bytes.span)
    }

    @Test func `fails the commit it was told to, and only that`() throws {
        catalog.fail(commit: 2, .before(.diskFull))
        try catalog.commit([.put("a", 1)], applied: 1)
        #expect(throws: CatalogError.diskFull) { try catalog.commit([.put("b", 2)], applied: 2) }
        #expect(try find("b") == nil)
        #expect(try catalog.makeReader().metadata().applied == 1)
        try catalog.commit([.put("b", 2)], applied: 2)
        #expect(try find("b") == .sample(2))
        #expect(catalog.commitCount == 3)
    }

    @Test func `takes nothing after a failure that leaves the outcome unknown`() throws {
        let broken = CatalogError.system(operation: "commit", code: 5)
        catalog.fail(commit: 1, .before(broken))
        #expect(throws: broken) { try catalog.commit([.put("a", 1)], applied: 1) }
        #expect(throws: CatalogError.outOfService) { try catalog.mark(clean: true) }
        catalog.crash()
        #expect(try find("a") == nil)
        try catalog.commit([.put("a", 1)], applied: 1)
        #expect(try find("a") == .sample(1))
    }

    @Test func `may have stored what it reported as failed, which a crash reveals`() throws {
        let broken = CatalogError.system(operation: "commit", code: 5)
        try catalog.commit([.put("a", 1)], applied: 1)
        catalog.fail(commit: 1, .afterDurable(broken))
        #expect(throws: broken) {
            try catalog.commit([.put("b", 2), .remove("a", 2)], applied: 2)
        }
        #expect(try find("a") == .sample(1))
        #expect(try find("b") == nil)
        #expect(throws: CatalogError.outOfService) { try catalog.commit([], applied: 3) }
        catalog.crash()
        #expect(try find("a") == nil)
        #expect(try find("b") == .sample(2))
        #expect(try catalog.makeReader().metadata().applied == 2)
    }

    @Test func `keeps uploads, or has dropped them, with all else of a commit`() throws {
        let broken = CatalogError.system(operation: "commit", code: 5)
        let old = CatalogUploadID.sample(1)
        let new = CatalogUploadID.sample(2)
        let changes: [CatalogChange] = [
            .put("a", 1), .dropUpload(old), .putUpload(new, value: [2]),
            .putUploadPage(new, page: 2, value: [3]),
        ]
        try catalog.commit(
            [.putUpload(old, value: [1]), .putUploadPage(old, page: 1, value: [1])], applied: 0)
        let before = try Contents(of: catalog)
        for error in [CatalogError.full(limitBytes: 9), .diskFull, broken] {
            catalog.fail(commit: 1, .before(error))
            #expect(throws: error) { try catalog.commit(changes, applied: 1) }
            #expect(try Contents(of: catalog) == before)
        }
        catalog.crash()
        catalog.fail(commit: 1, .afterDurable(broken))
        #expect(throws: broken) { try catalog.commit(changes, applied: 1) }
        #expect(try Contents(of: catalog) == before)
        catalog.crash()
        let after = try Contents(of: catalog)
        let pages = [CatalogUploadPage(page: 2, value: [3])]
        #expect(after.uploads == [StoredUpload(id: new, value: [2], pages: pages)])
        #expect(try find("a") == .sample(1))
    }

    @Test func `loses nothing committed in a crash, and forgets faults to come`() throws {
        try catalog.commit([.put("a", 1)], applied: 1)
        try catalog.mark(clean: true)
        catalog.fail(commit: 1, .before(.diskFull))
        let before = try Contents(of: catalog)
        catalog.crash()
        #expect(try Contents(of: catalog) == before)
        try catalog.commit([.put("b", 2)], applied: 2)
        #expect(try find("b") == .sample(2))
    }
}

/// The words for every error.
@Suite struct `A catalog's error` {
    @Test func `says what is wrong`() {
        let other = CatalogInstance(high: 1, low: 2)
        let expected: [(CatalogError, String)] = [
            (.noDirectory(path: "/x"), "the catalog's directory /x does not exist"),
            (.noCatalog(path: "/x"), "there is no catalog in /x"),
            (
                .notACatalog(path: "/x"),
                "data.mdb in /x is not a catalog; move it away, then rebuild it from the volumes"
            ),
            (
                .newerFormat(found: 2, supported: 1),
                "the catalog has format 2, this program reads up to 1: upgrade it"
            ),
            (
                .olderFormat(found: 1, path: "/x"),
                "the catalog in /x has the earlier format 1: move its files away, and the next"
                    + " start rebuilds it from the volumes"
            ),
            (
                .otherInstance(found: other, expected: instance),
                "the catalog belongs to instance 00000000-0000-0001-0000-000000000002, "
                    + "the volumes to 01234567-89ab-cdef-fedc-ba9876543210"
            ),
            (.damaged("x"), "the catalog is damaged (x): rebuild it from the volumes"),
            (.full(limitBytes: 5), "the catalog reached its limit of 5 bytes"),
            (.diskFull, "the catalog's file system is full"),
            (.outOfService, "the catalog takes no more changes since one failed; restart"),
            (
                .system(operation: "commit", code: 5),
                "the catalog could not commit: Input/output error"
            ),
        ]
        for (error, text) in expected { #expect(error.description == text) }
        let foreign = CatalogError.system(operation: "open its file", code: -30794)
        #expect(foreign.description.contains("MDB_VERSION_MISMATCH"))
    }
}
