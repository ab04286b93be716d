/// How each change is made in a writing transaction.

extension Transaction {
    borrowing func apply(_ change: CatalogChange, to tables: Tables) throws(CatalogError) {
        switch change {
        case .put(let name, let entry):
            try put(entry, for: name, in: tables)
        case .remove(let name, let sequence):
            CatalogLimits.check(name: name)
            guard let present = try entry(of: name.span, in: tables) else { return }
            guard present.sequence <= sequence else { return }
            try delete(name.span, in: tables.names)
        case .addExtent(let extent):
            let key = NumberKey(extent.address)
            try put(key.bytes.span, extent.encodedValue.span, in: tables.extents)
        case .dropExtent(let address):
            try delete(NumberKey(address).bytes.span, in: tables.extents)
        case .addLease(let lease):
            let key = CatalogLease.key(volume: lease.volume, segment: lease.segment)
            try put(key.bytes.span, lease.encodedValue.span, in: tables.leases)
        case .dropLease(let volume, let segment):
            let key = CatalogLease.key(volume: volume, segment: segment)
            try delete(key.bytes.span, in: tables.leases)
        case .addRemoval(let removal):
            let key = NumberKey(removal.address)
            try put(key.bytes.span, removal.encodedValue.span, in: tables.removals)
        case .dropRemoval(let address):
            try delete(NumberKey(address).bytes.span, in: tables.removals)
        case .putUpload(let id, let value):
            try putUpload(id, value, in: tables)
        case .putUploadPage(let id, let page, let value):
            try putUploadPage(id, page, value, in: tables)
        case .dropUpload(let id):
            try dropUpload(id, in: tables)
        case .putProfile(let key, let value):
            try putProfile(key, value, in: tables)
        case .dropProfile(let key):
            try dropProfile(key, in: tables)
        }
    }

    borrowing func put(
        _ metadata: CatalogMetadata, in tables: Tables
    ) throws(CatalogError) {
        let key = CatalogMetadata.key
        try put(key.bytes.span, metadata.encodedValue.span, in: tables.meta)
    }

    /// Bytes of the pages of all tables.
    borrowing func byteCount(of tables: Tables) throws(CatalogError) -> UInt64 {
        var bytes: UInt64 = 0
        for table in Tables.named {
            bytes += try byteCount(of: tables[keyPath: table.place])
        }
        return bytes
    }

    private borrowing func put(
        _ entry: CatalogEntry, for name: [UInt8], in tables: Tables
    ) throws(CatalogError) {
        CatalogLimits.check(name: name)
        // Most names are new, and then the tree is searched once.
        if try add(name.span, entry.encoded.span, in: tables.names) { return }
        if let present = try self.entry(of: name.span, in: tables) {
            guard present.sequence <= entry.sequence else { return }
        }
        try put(name.span, entry.encoded.span, in: tables.names)
    }
}

extension CatalogLimits {
    static func check(name: [UInt8]) {
        precondition(
            1...nameBytesMax ~= name.count, "a name of \(name.count) bytes reached the catalog")
    }
}
