/// What the catalog is still to be told, in the order in which it became true.

import Catalog

struct IndexQueue {
    /// Changes that belong together and go into one transaction.
    struct Item {
        let changes: [CatalogChange]
        /// When the catalog has this item and all before it, it has every record up to here.
        let watermark: UInt64
        /// The overlay's entry that the catalog then has, if this is one.
        let name: NameKey?
        let sequence: UInt64

        var writtenBytesMax: UInt64 { changes.reduce(0) { $0 + $1.writtenBytesMax } }
    }

    struct Batch {
        let items: Int
        let changes: [CatalogChange]
        let watermark: UInt64
    }

    private var items: [Item] = []
    /// Of all items.
    private var writtenBytesMax: UInt64 = 0
    /// Items that were ever appended, and that the catalog ever took.
    private(set) var appended: UInt64 = 0
    private(set) var taken: UInt64 = 0

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
    /// Waiting longer would not make the next transaction larger.
    var fillsBatch: Bool { writtenBytesMax >= CatalogLimits.commitBytesMax }

    /// Answers the item's number, counted from 1.
    @discardableResult
    mutating func append(
        _ changes: [CatalogChange], watermark: UInt64, name: NameKey?, sequence: UInt64
    ) -> UInt64 {
        let item = Item(changes: changes, watermark: watermark, name: name, sequence: sequence)
        items.append(item)
        writtenBytesMax += item.writtenBytesMax
        appended += 1
        return appended
    }

    /// As many items from the front as fit into one transaction; one at least.
    func firstBatch() -> Batch {
        var changes: [CatalogChange] = []
        var count = 0
        var bytes: UInt64 = 0
        var watermark: UInt64 = 0
        for item in items {
            bytes += item.writtenBytesMax
            if count > 0, bytes > CatalogLimits.commitBytesMax { break }
            changes += item.changes
            watermark = item.watermark
            count += 1
        }
        return Batch(items: count, changes: changes, watermark: watermark)
    }

    /// The catalog has them.
    mutating func removeFirst(_ count: Int) -> [Item] {
        let removed = Array(items.prefix(count))
        items.removeFirst(count)
        for item in removed { writtenBytesMax -= item.writtenBytesMax }
        taken += UInt64(count)
        return removed
    }
}

extension ArraySlice<CatalogChange> {
    /// As many from the front as fit into one transaction; one at least, unless there is none.
    var firstBatch: ArraySlice<CatalogChange> {
        var bytes: UInt64 = 0
        let end = firstIndex { change in
            bytes += change.writtenBytesMax
            return bytes > CatalogLimits.commitBytesMax
        }
        return prefix(Swift.max(1, prefix(upTo: end ?? endIndex).count))
    }
}
