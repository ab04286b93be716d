/// A reader of an `LMDBCatalog`: one slot in LMDB's reader table, with a snapshot only while a call
/// runs. Walks of whole tables take a new snapshot every `CatalogLimits.entriesPerSnapshotMax`
/// entries.
final class LMDBReader: CatalogReader {
    private let environment: Environment
    let tables: Tables
    let gate: ReadGate

    init(environment: Environment, tables: Tables) throws(CatalogError) {
        self.environment = environment
        self.tables = tables
        gate = try environment.openGate()
    }

    deinit { environment.closeGate(gate) }

    func find(_ name: Span<UInt8>) throws(CatalogError) -> CatalogEntry? {
        guard 1...CatalogLimits.nameBytesMax ~= name.count else { return nil }
        return try gate.withSnapshot { snapshot throws(CatalogError) in
            try snapshot.entry(of: name, in: tables)
        }
    }

    func list(
        prefix: [UInt8], after: [UInt8]?, limit: Int
    ) throws(CatalogError) -> [CatalogListing] {
        let limit = min(limit, CatalogLimits.listingMax)
        guard limit > 0, prefix.count <= CatalogLimits.nameBytesMax else { return [] }
        // LMDB refuses longer keys. No name lies between the cut one and the whole one.
        let after = Array((after ?? []).prefix(CatalogLimits.nameBytesMax))
        let start = after.lexicographicallyPrecedes(prefix) ? prefix : after
        return try gate.withSnapshot { snapshot throws(CatalogError) in
            var listings: [CatalogListing] = []
            try snapshot.walk(tables.names, from: start.span) { name, value throws(CatalogError) in
                guard name.hasPrefix(prefix) else { return false }
                if name.isEqual(to: after) { return true }
                guard let entry = CatalogEntry(encoded: value) else {
                    throw .damaged("an object's entry")
                }
                listings.append(CatalogListing(name: name.copied, entry: entry))
                return listings.count < limit
            }
            return listings
        }
    }

    func forEachEntry(_ body: (CatalogEntry) -> Void) throws(CatalogError) {
        var start: [UInt8]? = []
        while let first = start {
            let page = try gate.withSnapshot { snapshot throws(CatalogError) in
                try snapshot.page(of: tables, fromName: first)
            }
            for entry in page.rows { body(entry) }
            start = page.next
        }
    }

    func forEachExtent(_ body: (CatalogExtent) -> Void) throws(CatalogError) {
        try forEach(in: tables.extents, decode: { CatalogExtent(key: $0, value: $1) }, body)
    }

    func leases() throws(CatalogError) -> [CatalogLease] {
        var leases: [CatalogLease] = []
        try forEach(in: tables.leases, decode: { CatalogLease(key: $0, value: $1) }) {
            leases.append($0)
        }
        return leases
    }

    func removals() throws(CatalogError) -> [CatalogRemoval] {
        var removals: [CatalogRemoval] = []
        try forEach(in: tables.removals, decode: { CatalogRemoval(key: $0, value: $1) }) {
            removals.append($0)
        }
        return removals
    }

    func metadata() throws(CatalogError) -> CatalogMetadata {
        try gate.withSnapshot { snapshot throws(CatalogError) in
            let key = CatalogMetadata.key
            guard let value = try snapshot.value(of: key.bytes.span, in: tables.meta),
                let metadata = CatalogMetadata(value: value)
            else { throw .damaged("what it knows of itself") }
            return metadata
        }
    }

    /// Passes every row of a table with number keys to `body`, outside of any snapshot.
    private func forEach<Row: Sendable>(
        in table: UInt32, decode: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Row?,
        _ body: (Row) -> Void
    ) throws(CatalogError) {
        var start: UInt64? = 0
        while let first = start {
            let page = try gate.withSnapshot { snapshot throws(CatalogError) in
                try snapshot.page(of: table, from: first, decode: decode)
            }
            for row in page.rows { body(row) }
            start = page.next
        }
    }
}

/// Rows read under one snapshot, and the key to go on at. No key: that was all.
private struct Page<Row: Sendable, Key: Sendable>: Sendable {
    var rows: [Row] = []
    var next: Key?
}

extension Transaction {
    borrowing func entry(
        of name: Span<UInt8>, in tables: Tables
    ) throws(CatalogError) -> CatalogEntry? {
        guard let value = try value(of: name, in: tables.names) else { return nil }
        guard let entry = CatalogEntry(encoded: value) else { throw .damaged("an object's entry") }
        return entry
    }

    fileprivate borrowing func page(
        of tables: Tables, fromName first: [UInt8]
    ) throws(CatalogError) -> Page<CatalogEntry, [UInt8]> {
        var page = Page<CatalogEntry, [UInt8]>()
        try walk(tables.names, from: first.span) { name, value throws(CatalogError) in
            guard page.rows.count < CatalogLimits.entriesPerSnapshotMax else {
                page.next = name.copied
                return false
            }
            guard let entry = CatalogEntry(encoded: value) else {
                throw .damaged("an object's entry")
            }
            page.rows.append(entry)
            return true
        }
        return page
    }

    fileprivate borrowing func page<Row: Sendable>(
        of table: UInt32, from first: UInt64,
        decode: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Row?
    ) throws(CatalogError) -> Page<Row, UInt64> {
        var page = Page<Row, UInt64>()
        try walk(table, from: NumberKey(first).bytes.span) { key, value throws(CatalogError) in
            guard let number = NumberKey.number(in: key), let row = decode(key, value) else {
                throw .damaged("a row of a table")
            }
            guard page.rows.count < CatalogLimits.entriesPerSnapshotMax else {
                page.next = number
                return false
            }
            page.rows.append(row)
            return true
        }
        return page
    }
}
