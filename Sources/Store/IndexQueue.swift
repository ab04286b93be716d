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
    }

    struct Batch {
        let items: Int
        let changes: [CatalogChange]
        let watermark: UInt64
    }

    private var items: [Item] = []
    private var changeCount = 0
    /// Items that were ever appended, and that the catalog ever took.
    private(set) var appended: UInt64 = 0
    private(set) var taken: UInt64 = 0

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
    /// Waiting longer would not make the next transaction larger.
    var fillsBatch: Bool { changeCount >= StoreLimits.batchChangesMax }

    /// Answers the item's number, counted from 1.
    @discardableResult
    mutating func append(
        _ changes: [CatalogChange], watermark: UInt64, name: NameKey?, sequence: UInt64
    ) -> UInt64 {
        items.append(Item(changes: changes, watermark: watermark, name: name, sequence: sequence))
        changeCount += changes.count
        appended += 1
        return appended
    }

    /// As many items from the front as fit into one transaction; one at least.
    func firstBatch() -> Batch {
        var changes: [CatalogChange] = []
        var count = 0
        var watermark: UInt64 = 0
        for item in items {
            if count > 0, changes.count + item.changes.count > StoreLimits.batchChangesMax { break }
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
        for item in removed { changeCount -= item.changes.count }
        taken += UInt64(count)
        return removed
    }
}
