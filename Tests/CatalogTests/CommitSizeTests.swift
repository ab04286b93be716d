import Foundation
import Testing

@testable import Catalog

/// That no commit writes more than is reckoned, by the pages of the file that it changed.
@Suite(.serialized) struct `What a commit may write` {
    private let directory: TemporaryDirectory
    private static let pageBytes = 4096
    /// What every commit writes beside: its announcement, the roots of the tables, the metadata,
    /// the list of free pages.
    private static let commitBytes: UInt64 = 64 << 10

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws(CatalogError) -> LMDBCatalog {
        try LMDBCatalog.open(at: directory.path, instance: instance, sizes: .small, create: true)
    }

    private func bytesWritten(_ changes: [CatalogChange]) throws -> UInt64 {
        let before = try Data(contentsOf: directory.dataFile)
        try open().commit(changes, applied: 1)
        let after = try Data(contentsOf: directory.dataFile)
        let size = `What a commit may write`.pageBytes
        let changed = stride(from: 0, to: after.count, by: size).filter { start in
            guard start + size <= before.count else { return true }
            return before[start..<start + size] != after[start..<start + size]
        }
        return UInt64(changed.count * size)
    }

    private func reckoned(_ changes: [CatalogChange]) -> UInt64 {
        changes.reduce(`What a commit may write`.commitBytes) { $0 + $1.writtenBytesMax }
    }

    private func largest(_ id: CatalogUploadID, pageBytes: Int) -> [CatalogChange] {
        (0..<CatalogLimits.uploadPagesMax).map {
            .putUploadPage(id, page: $0, value: content(pageBytes, seed: 1))
        } + [.putUpload(id, value: content(CatalogLimits.uploadBytesMax, seed: 1))]
    }

    @Test func `is so much for so many changes`() {
        let most = CatalogLimits.commitBytesMax
        #expect(CatalogChange.put("a", 1).writtenBytesMax * 4096 == most)
        #expect(CatalogChange.dropUpload(.sample(1)).writtenBytesMax * 157 <= most)
        #expect(CatalogChange.dropUpload(.sample(1)).writtenBytesMax * 158 > most)
        let page = CatalogChange.putUploadPage(.sample(1), page: 1, value: [])
        #expect(page.writtenBytesMax == 16 << 10)
        let short = CatalogChange.putUpload(.sample(1), value: [])
        let long = CatalogChange.putUpload(.sample(1), value: content(1 << 20, seed: 1))
        #expect(long.writtenBytesMax - short.writtenBytesMax == 257 * 8192)
        #expect(LMDBSizes().headroomBytes == most)
    }

    /// With pages of a length that lies in leaves, and of one that does not.
    @Test(arguments: [100, 1000, 2000, 4096])
    func `is enough for the largest uploads`(_ pageBytes: Int) throws {
        let ids = (0..<6).map(CatalogUploadID.sample)
        _ = try open()
        for id in ids {
            let changes = largest(id, pageBytes: pageBytes)
            #expect(try bytesWritten(changes) <= reckoned(changes))
        }
        let shrinking = ids[..<2].map { CatalogChange.putUpload($0, value: [1]) }
        #expect(try bytesWritten(shrinking) <= reckoned(shrinking))
        for drops in [[ids[0]], [ids[1]], Array(ids[2...])] {
            let changes = drops.map { CatalogChange.dropUpload($0) }
            #expect(try bytesWritten(changes) <= reckoned(changes))
        }
    }

    @Test func `is enough for many that are scattered`() throws {
        var random = Random(seed: 3)
        let ids = (0..<2000).map { _ in
            CatalogUploadID(high: random.next(), low: random.next())
        }
        _ = try open()
        for length in [10, 1500, 3000, 9000] {
            let puts = ids.flatMap { id in
                [
                    CatalogChange.put("n\(id.low)", 1),
                    .putUpload(id, value: content(length, seed: 1)),
                    .putUploadPage(id, page: 1, value: content(length % 4096, seed: 1)),
                ]
            }
            #expect(try bytesWritten(puts) <= reckoned(puts))
            for part in [ids[..<20], ids[20..<300], ids[300...]] {
                let changes = part.map { CatalogChange.dropUpload($0) }
                #expect(try bytesWritten(changes) <= reckoned(changes))
            }
        }
    }
}
