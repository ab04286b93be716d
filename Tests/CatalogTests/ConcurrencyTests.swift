import Catalog
import Foundation
import Synchronization
import Testing

/// Reader threads beside a writer that commits and moves the map.
@Suite(.serialized) struct `Readers of a catalog` {
    private static let readerCount = 4
    private static let group = (0..<8).map { "group/\($0)" }

    /// What the readers saw that they should not have.
    private final class Findings: Sendable {
        let isWriting = Atomic(true)
        /// The last commit that has returned: none is seen before it from then on. While one is
        /// under way a reader may see it and, looking again, the one before: LMDB writes what a
        /// commit changes before it announces it, and a reader may be held up in between.
        let committed = Atomic<UInt64>(0)
        let looks = Atomic(0)
        let wrong = Mutex<[String]>([])

        /// Looks until the writer is done, and once after.
        func watch(_ reader: any CatalogReader) throws(CatalogError) {
            var isLastLook = false
            while true {
                let least = committed.load(ordering: .acquiring)
                let listings = try reader.list(prefix: "group/".bytes, after: nil, limit: 100)
                let sequences = Set(listings.map(\.entry.sequence))
                if sequences.count > 1 { report("half a commit: \(sequences)") }
                let seen = sequences.max() ?? 0
                let found = try reader.find("group/3".bytes.span)?.sequence ?? 0
                let applied = try reader.metadata().applied
                if min(seen, found, applied) < least {
                    report("went back: \(least), \(seen), \(found), \(applied)")
                }
                looks.add(1, ordering: .relaxed)
                if isLastLook { return }
                isLastLook = !isWriting.load(ordering: .acquiring)
            }
        }

        func report(_ what: String) { wrong.withLock { $0.append(what) } }
    }

    @Test(arguments: StorageKind.allCases)
    func `see whole commits only, in order, while the map grows`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let findings = Findings()
        let running = DispatchGroup()
        for _ in 0..<`Readers of a catalog`.readerCount {
            let reader = try bed.storage.makeReader()
            running.enter()
            Thread.detachNewThread {
                do throws(CatalogError) {
                    try findings.watch(reader)
                } catch { findings.report("\(error)") }
                running.leave()
            }
        }
        for sequence in 1...150 as ClosedRange<UInt64> {
            let names = (0..<100).map { "filling up/\(sequence)/\($0)" }
            let changes = (`Readers of a catalog`.group + names).map {
                CatalogChange.put($0, sequence)
            }
            try bed.storage.commit(changes, applied: sequence)
            findings.committed.store(sequence, ordering: .releasing)
        }
        findings.isWriting.store(false, ordering: .releasing)
        running.wait()
        #expect(findings.wrong.withLock { $0 } == [])
        #expect(findings.looks.load(ordering: .relaxed) > `Readers of a catalog`.readerCount)
        #expect(try bed.find("group/0") == .sample(150))
    }

    @Test(arguments: StorageKind.allCases)
    func `see an upload's record and pages whole`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let findings = Findings()
        let running = DispatchGroup()
        let id = CatalogUploadID.sample(1)
        for _ in 0..<`Readers of a catalog`.readerCount {
            let reader = try bed.storage.makeReader()
            running.enter()
            Thread.detachNewThread {
                do throws(CatalogError) {
                    while findings.isWriting.load(ordering: .acquiring) {
                        if let record = try reader.upload(id), Set(record).count > 1 {
                            findings.report("half a record")
                        }
                        let pages = try reader.uploadPages(id)
                        if Set(pages.map(\.value)).count > 1 { findings.report("half the pages") }
                    }
                } catch { findings.report("\(error)") }
                running.leave()
            }
        }
        for round in 1...100 as ClosedRange<UInt8> {
            let record = [UInt8](repeating: round, count: Int(round) * 977)
            let page = [UInt8](repeating: round, count: Int(round) * 40)
            let pages = (0..<20).map { CatalogChange.putUploadPage(id, page: $0, value: page) }
            let name = CatalogChange.put("filling up \(round)", 1)
            try bed.storage.commit([.putUpload(id, value: record), name] + pages, applied: 1)
            if round % 10 == 0 { try bed.storage.commit([.dropUpload(id)], applied: 1) }
        }
        findings.isWriting.store(false, ordering: .releasing)
        running.wait()
        #expect(findings.wrong.withLock { $0 } == [])
    }

    @Test func `come and go while the map grows`() throws {
        let bed = try TestBed(.lmdb)
        let storage = bed.storage
        let findings = Findings()
        let running = DispatchGroup()
        running.enter()
        Thread.detachNewThread {
            do throws(CatalogError) {
                while findings.isWriting.load(ordering: .acquiring) {
                    let readers = [try storage.makeReader(), try storage.makeReader()]
                    for reader in readers { _ = try reader.metadata() }
                }
            } catch { findings.report("\(error)") }
            running.leave()
        }
        for sequence in 1...150 as ClosedRange<UInt64> {
            let names = (0..<100).map { "filling up/\(sequence)/\($0)" }
            try storage.commit(names.map { .put($0, sequence) }, applied: sequence)
        }
        findings.isWriting.store(false, ordering: .releasing)
        running.wait()
        #expect(findings.wrong.withLock { $0 } == [])
    }

    @Test func `are limited in number, and leave their places to others`() throws {
        let bed = try TestBed(.lmdb)
        let limit = Int(LMDBSizes.small.readersMax)
        for _ in 0..<3 {
            var readers = try (0..<limit).map { _ in try bed.storage.makeReader() }
            let full = CatalogError.system(operation: "begin a transaction", code: -30790)
            #expect(throws: full) { try bed.storage.makeReader() }
            for reader in readers { #expect(try reader.metadata().applied == 0) }
            readers.removeAll()
        }
    }

    @Test func `keep the catalog open as long as they live`() throws {
        let directory = try TemporaryDirectory()
        var catalog: LMDBCatalog? = try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: .small, create: true)
        let reader = try #require(try catalog?.makeReader())
        try catalog?.commit([.put("a", 1)], applied: 1)
        catalog = nil
        let found = try reader.find("a".bytes.span)
        #expect(found == .sample(1))
    }

    @Test func `may have the file read for them, when it is small enough`() throws {
        let directory = try TemporaryDirectory()
        let catalog = try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: .small, create: true)
        try catalog.commit((0..<3000).map { .put("name \($0)", 1) }, applied: 1)
        let size = try FileManager.default.attributesOfItem(atPath: directory.dataFile.path)[.size]
        let bytes = UInt64(try #require(size as? Int))
        #expect(try catalog.warm(limitBytes: bytes) == .inMemory(bytes: bytes))
        #expect(try catalog.warm(limitBytes: bytes - 1) == .tooLarge(bytes: bytes))
    }
}
