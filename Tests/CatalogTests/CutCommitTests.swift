import Foundation
import Testing

@testable import Catalog

/// What is left of a commit that the process, or the power, did not live to see: all or nothing.
@Suite(.serialized) struct `A commit that is cut off` {
    private let directory: TemporaryDirectory
    private static let pageBytes = 4096

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws(CatalogError) -> LMDBCatalog {
        try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: unreserved, create: true)
    }

    /// Without reservation, so that the file is as long as what is in it.
    private var unreserved: LMDBSizes {
        var sizes = LMDBSizes.small
        sizes.headroomBytes = 0
        return sizes
    }

    /// Objects and uploads of which `changes` replace, drop and add some.
    private static func prepare(_ catalog: LMDBCatalog) throws {
        let uploads = (0..<40).flatMap { number in
            [
                CatalogChange.putUpload(.sample(number), value: content(9000, seed: 1)),
                .putUploadPage(.sample(number), page: 0, value: content(4096, seed: 2)),
            ]
        }
        let objects = (0..<500).map { CatalogChange.put("object \($0)", 1) }
        try catalog.commit(uploads + objects, applied: 1)
        try catalog.commit((5..<10).map { .dropUpload(.sample($0)) }, applied: 2)
    }

    private static var changes: [CatalogChange] {
        [
            .put("new", 3), .remove("object 7", 3), .dropUpload(.sample(20)),
            .putUpload(.sample(1), value: content(70_000, seed: 3)),
            .putUpload(.sample(2), value: content(10, seed: 4)),
            .putUploadPage(.sample(3), page: 0, value: content(4000, seed: 5)),
            .putUploadPage(.sample(3), page: 1, value: content(4096, seed: 6)),
        ]
    }

    /// Lays `image` where the catalog is.
    private func lay(_ image: Data) throws {
        try image.write(to: directory.dataFile)
    }

    /// Images of the file in which some of the pages that changed have reached the disk, never the
    /// one that announces the commit: the first few, in the order of the file, and random ones.
    private func images(from before: Data, to after: Data) -> [Data] {
        let size = `A commit that is cut off`.pageBytes
        let count = max(before.count, after.count) / size
        func page(_ number: Int, of data: Data) -> Data {
            let start = min(number * size, data.count)
            return data[start..<min(start + size, data.count)]
        }
        let changed = (2..<count).filter { page($0, of: before) != page($0, of: after) }
        var random = Random(seed: 1)
        let choices =
            (0...changed.count).map { Array(changed.prefix($0)) }
            + (0..<30).map { _ in changed.filter { _ in Bool.random(using: &random) } }
        return choices.map { chosen in
            var image = before
            for number in chosen {
                let end = (number + 1) * size
                if image.count < end { image.append(Data(count: end - image.count)) }
                image.replaceSubrange(number * size..<end, with: page(number, of: after))
            }
            return image
        }
    }

    @Test func `leaves uploads and objects as they were, whatever pages were written`() throws {
        try `A commit that is cut off`.prepare(try open())
        let contents = try Contents(of: open())
        let before = try Data(contentsOf: directory.dataFile)
        try open().commit(`A commit that is cut off`.changes, applied: 3)
        let after = try Data(contentsOf: directory.dataFile)
        let changed = try Contents(of: open())
        #expect(changed != contents)

        let images = images(from: before, to: after)
        #expect(images.count > 40)
        for image in images {
            try lay(image)
            let catalog = try open()
            #expect(try Contents(of: catalog) == contents)
            // The next start goes on from there.
            try catalog.commit(`A commit that is cut off`.changes, applied: 3)
            #expect(try Contents(of: catalog) == changed)
        }
    }

    @Test func `leaves a catalog of the earlier format that is upgraded again`() throws {
        try EarlierCatalog.make(in: directory)
        let before = try Data(contentsOf: directory.dataFile)
        try EarlierCatalog.expectUpgraded(try open())
        let after = try Data(contentsOf: directory.dataFile)
        for image in images(from: before, to: after) {
            try lay(image)
            try EarlierCatalog.expectUpgraded(try open())
        }
    }

    /// The kernel refuses what is written beyond a limit, which is set at ever more pages behind
    /// the end of the file (or before it), and the process is killed as it learns of it: each is
    /// another place at which it dies in its commit.
    @Test(arguments: [-100, 0, 1, 4, 10])
    func `leaves everything when the process is killed in it`(_ pages: Int) async throws {
        try `A commit that is cut off`.prepare(try open())
        let contents = try Contents(of: open())
        let limit = try fileLimit(pages)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = directory.path as String, limit = limit as UInt64] in
            var sizes = LMDBSizes.small
            sizes.headroomBytes = 0
            let catalog = try LMDBCatalog.open(
                at: path, instance: instance, sizes: sizes, create: false)
            limitFiles(to: limit)
            do throws(CatalogError) {
                try catalog.commit(`A commit that is cut off`.changes, applied: 3)
            } catch { raise(SIGKILL) }
        }
        let catalog = try open()
        #expect(try Contents(of: catalog) == contents)
        try catalog.commit(`A commit that is cut off`.changes, applied: 3)
        #expect(try Contents(of: catalog) != contents)
    }

    @Test(arguments: [-4, 0, 1])
    func `leaves the earlier format when the process is killed upgrading it`(
        _ pages: Int
    ) async throws {
        try EarlierCatalog.make(in: directory)
        let before = try Data(contentsOf: directory.dataFile)
        let limit = try fileLimit(pages)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = directory.path as String, limit = limit as UInt64] in
            limitFiles(to: limit)
            do throws(CatalogError) {
                _ = try LMDBCatalog.open(
                    at: path, instance: instance, sizes: .small, create: false)
            } catch { raise(SIGKILL) }
        }
        #expect(try Data(contentsOf: directory.dataFile).prefix(before.count) == before)
        try EarlierCatalog.expectUpgraded(try open())
    }

    private func fileLimit(_ pages: Int) throws -> UInt64 {
        let count = try Data(contentsOf: directory.dataFile).count
        return UInt64(count + pages * `A commit that is cut off`.pageBytes)
    }
}

/// For this process.
private func limitFiles(to bytes: UInt64) {
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
}
