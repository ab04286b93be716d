// The catalog on LMDB: look-ups in a large one, and commits.

import BenchMeasure
import Catalog
import Foundation

extension Microbench {
    static let catalog: [Microbench] = [
        look("hit", exists: true), look("miss", exists: false), commit,
    ]

    private static let instance = CatalogInstance(high: 1, low: 2)
    private static let batchCount = 4_096

    private static func look(_ outcome: String, exists: Bool) -> Microbench {
        let what = exists ? "that is there" : "that is not there"
        return Microbench(
            "catalog-\(outcome)",
            "LMDB look-up of a name \(what), 1,000,000 (quick: 20,000) names, warm"
        ) { place in
            let directory = try CatalogDirectory(in: place)
            let catalog = try directory.open()
            let count = UInt64(place.isQuick ? 20_000 : 1_000_000)
            var next: UInt64 = 0
            while next < count {
                let end = min(count, next + UInt64(batchCount))
                try catalog.commit((next..<end).map(put), applied: end)
                next = end
            }
            _ = try catalog.warm(limitBytes: 1 << 30)
            let reader = try catalog.makeReader()
            var random = SplitMix64(seed: 7)
            let names = (0..<4_096).map { _ in
                name(of: UInt64.random(in: 0..<count, using: &random), isLost: !exists)
            }
            return Work { count in
                for index in 0..<count {
                    let name = names[index & 4_095]
                    let found = try? reader.find(name.span)
                    precondition((found != nil) == exists, "the catalog is wrong")
                }
                withExtendedLifetime(directory) {}
            }
        }
    }

    private static let commit = Microbench(
        "catalog-commit", "LMDB commit of 4,096 new names, synced", counted: 4, max: 8
    ) { place in
        let directory = try CatalogDirectory(in: place)
        let catalog = try directory.open()
        let batches = Batches()
        return Work(
            prepare: { batches.make($0) },
            run: { count in
                for index in 0..<count {
                    do throws(CatalogError) {
                        try catalog.commit(batches.changes[index], applied: 1)
                    } catch {
                        preconditionFailure("the catalog refused: \(error)")
                    }
                }
                withExtendedLifetime(directory) {}
            })
    }

    /// Changes that were made beforehand; numbers go on, so names are new.
    private final class Batches {
        private(set) var changes: [[CatalogChange]] = []
        private var next: UInt64 = 0

        func make(_ count: Int) {
            changes = (0..<count).map { _ in
                let start = next
                next += UInt64(batchCount)
                return (start..<next).map(put)
            }
        }
    }

    private static func put(_ number: UInt64) -> CatalogChange {
        .put(
            name: name(of: number, isLost: false),
            entry: CatalogEntry(
                recordAddress: number, recordBlocks: 2, kind: 1, length: 4096, sequence: number,
                modified: 1_790_000_000))
    }

    /// In no order, as names are that people choose; 21 bytes.
    private static func name(of number: UInt64, isLost: Bool) -> [UInt8] {
        let mixed = String(SplitMix64.mix(number), radix: 16)
        let zeros = String(repeating: "0", count: 16 - mixed.utf8.count)
        return Array("\(isLost ? "lost" : "name")/\(zeros)\(mixed)".utf8)
    }

    /// A directory for one catalog, gone when the bench is.
    private final class CatalogDirectory {
        private let path: String

        init(in place: MicroPlace) throws {
            path = place.directory + "/" + UUID().uuidString
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func open() throws -> LMDBCatalog {
            try LMDBCatalog.open(at: path, instance: Microbench.instance, create: true)
        }
    }
}
