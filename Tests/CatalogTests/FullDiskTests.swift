import Catalog
import Foundation
import Testing

/// A file system in memory, of a size that a test can fill.
private final class SmallDisk {
    let path: String
    private let directory: TemporaryDirectory

    /// Nil where this process may not mount.
    init?(bytes: Int) throws {
        directory = try TemporaryDirectory()
        path = directory.path
        guard unsafe mount("none", path, "tmpfs", 0, "size=\(bytes)") == 0 else { return nil }
    }

    deinit { unsafe umount2(path, Int32(MNT_DETACH)) }

    static let mayMount = (try? SmallDisk(bytes: 1 << 20)) != nil

    var freeBytes: Int {
        var status = statvfs()
        return unsafe statvfs(path, &status) == 0 ? Int(status.f_bavail * status.f_bsize) : -1
    }
}

@Suite(.serialized) struct `A catalog on a full disk` {
    private static func batch(_ number: Int) -> [CatalogChange] {
        (number * 256..<(number + 1) * 256).map { .put("object number \($0)", UInt64($0)) }
    }

    /// Commits batches until the disk is full; answers how many were stored.
    private func fill(_ catalog: LMDBCatalog) throws -> Int {
        for number in 0... {
            do {
                try catalog.commit(
                    `A catalog on a full disk`.batch(number), applied: UInt64(number))
            } catch .diskFull {
                return number
            }
        }
        return 0
    }

    @Test(.enabled(if: SmallDisk.mayMount, "needs root, to mount a small file system"))
    func `refuses objects before it writes any, and still removes`() throws {
        let disk = try #require(try SmallDisk(bytes: 10 << 20))
        var sizes = LMDBSizes.small
        sizes.headroomBytes = 512 * 8192  // Of the largest commit below: 512 changes.
        let catalog = try LMDBCatalog.open(
            at: disk.path, instance: instance, sizes: sizes, create: true)
        let batches = try fill(catalog)
        try #require(batches > 10)
        let before = try Contents(of: catalog)
        #expect(before.listings.count == batches * 256)
        #expect(before.metadata.applied == UInt64(batches - 1))
        try `use up`(disk)

        for number in 0..<batches {
            let removals = (number * 256..<(number + 1) * 256).flatMap { number in
                let removal = CatalogRemoval(
                    address: UInt64(number), removedAddress: 1, nameHash: 1, sequence: 1)
                return [
                    CatalogChange.remove("object number \(number)", UInt64(number)),
                    .addRemoval(removal),
                ]
            }
            try catalog.commit(removals, applied: 1)
        }
        #expect(try Contents(of: catalog).listings.isEmpty)
        try catalog.commit(`A catalog on a full disk`.batch(0), applied: 1)
    }

    @Test(.enabled(if: SmallDisk.mayMount, "needs root, to mount a small file system"))
    func `refuses uploads with the whole commit, and still drops them`() throws {
        let disk = try #require(try SmallDisk(bytes: 10 << 20))
        var sizes = LMDBSizes.small
        sizes.headroomBytes = 4 << 20
        let catalog = try LMDBCatalog.open(
            at: disk.path, instance: instance, sizes: sizes, create: true)
        let page = content(4096, seed: 1)
        var count: UInt64 = 0
        while true {
            let id = CatalogUploadID.sample(count)
            do {
                try catalog.commit(
                    [
                        .putUpload(id, value: content(20_000, seed: 2)),
                        .putUploadPage(id, page: 9, value: page),
                    ], applied: count)
            } catch .diskFull { break }
            count += 1
        }
        #expect(count > 20)
        try `use up`(disk)
        let before = try Contents(of: catalog)
        #expect(before.uploads.count == Int(count))
        #expect(throws: CatalogError.diskFull) {
            try catalog.commit(
                [.dropUpload(.sample(0)), .putUploadPage(.sample(1), page: 1, value: page)],
                applied: 999)
        }
        #expect(try Contents(of: catalog) == before)
        for number in 0..<count {
            try catalog.commit([.dropUpload(.sample(number))], applied: 1)
        }
        #expect(try Contents(of: catalog).uploads.isEmpty)
        try catalog.commit([.putUpload(.sample(0), value: page)], applied: 1)
    }

    /// Takes the blocks that are left, which on a real disk is somebody else's doing.
    private func `use up`(_ disk: SmallDisk) throws {
        let rest = Data(count: disk.freeBytes)
        try rest.write(to: URL(fileURLWithPath: disk.path + "/rest"))
        #expect(disk.freeBytes == 0)
    }

    @Test(.enabled(if: SmallDisk.mayMount, "needs root, to mount a small file system"))
    func `loses nothing when a write finds the disk full`() throws {
        let disk = try #require(try SmallDisk(bytes: 2 << 20))
        var sizes = LMDBSizes.small
        sizes.headroomBytes = 0  // Nothing is reserved, so the commit itself fails.
        let catalog = try LMDBCatalog.open(
            at: disk.path, instance: instance, sizes: sizes, create: true)
        let batches = try fill(catalog)
        let before = try Contents(of: catalog)
        #expect(before.listings.count == batches * 256)
        #expect(throws: CatalogError.diskFull) {
            try catalog.commit(`A catalog on a full disk`.batch(batches), applied: 1)
        }
        #expect(try Contents(of: catalog) == before)
    }

    @Test func `works where disk blocks cannot be reserved`() throws {
        let directory = try TemporaryDirectory()
        var sizes = LMDBSizes.small
        sizes.headroomBytes = 7 << 60  // The kernel refuses to reserve a negative count.
        let catalog = try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: sizes, create: true)
        for number in 0..<3 {
            try catalog.commit(`A catalog on a full disk`.batch(number), applied: 1)
        }
        #expect(try Contents(of: catalog).listings.count == 3 * 256)
    }

    @Test func `takes no more changes after a write that failed for another reason`() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            var sizes = LMDBSizes.small
            sizes.headroomBytes = 0
            let catalog = try LMDBCatalog.open(
                at: directory.path, instance: instance, sizes: sizes, create: true)
            try catalog.commit([.put("a", 1)], applied: 1)

            // A write across the limit is cut short, with room on the disk: LMDB says EIO.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 40_000, rlim_max: 40_000)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let cutShort = CatalogError.system(operation: "commit", code: EIO)
            #expect(throws: cutShort) {
                try catalog.commit(
                    (0..<2000).map { .put("object number \($0)", 1) }, applied: 2)
            }
            #expect(throws: CatalogError.outOfService) { try catalog.commit([], applied: 2) }
            #expect(throws: CatalogError.outOfService) { try catalog.mark(clean: true) }
            #expect(throws: CatalogError.outOfService) { try catalog.warm(limitBytes: .max) }
            let reader = try catalog.makeReader()
            let found = try reader.find("a".bytes.span)
            #expect(found == .sample(1))
            #expect(try reader.metadata().applied == 1)
        }
    }
}
