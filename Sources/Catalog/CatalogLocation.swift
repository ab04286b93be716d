import CLMDB

/// The directory that holds a catalog, from the first look at it to knowing that what lies there is
/// this instance's and of a format that can be read.
struct CatalogLocation {
    let path: String

    func holdsData() throws(CatalogError) -> Bool {
        var holds = false
        let status = unsafe clmdb_probe(path, &holds)
        if clmdb_means_no_directory(status) { throw .noDirectory(path: path) }
        try CatalogError.check(status, "look into \(path)")
        return holds
    }

    func open(_ sizes: LMDBSizes) throws(CatalogError) -> Environment {
        do {
            return try Environment(
                path: path, mapBytes: sizes.mapBytes, readersMax: sizes.readersMax)
        } catch .system(_, let code) where code == CLMDB_NOT_A_DATABASE {
            throw .notACatalog(path: path)
        }
    }

    /// Makes the names of new files durable.
    func syncDirectory() throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_sync_directory(path), "sync \(path)")
    }

    /// Opens the tables, or makes them in a file that has none. The catalog of an earlier format
    /// gets those that it lacks, and the present format's number with them.
    func claim(
        _ environment: Environment, for instance: CatalogInstance, create: Bool
    ) throws(CatalogError) -> CatalogContents {
        let transaction = try environment.beginWriting()
        guard let meta = try transaction.table("meta", create: create) else {
            throw .notACatalog(path: path)
        }
        let stored = try storedMetadata(transaction, in: meta, of: instance)
        guard create || stored != nil else { throw .notACatalog(path: path) }

        var tables = Tables(meta: meta)
        for table in Tables.named {
            let isNew = table.since > stored?.formatVersion ?? 0
            guard let handle = try transaction.table(table.name, create: isNew) else {
                throw .damaged("the table \(table.name) is missing")
            }
            tables[keyPath: table.place] = handle
        }
        var metadata =
            stored ?? CatalogMetadata(instance: instance, applied: 0, isClean: true)
        metadata.formatVersion = CatalogMetadata.formatVersion
        if stored != metadata { try transaction.put(metadata, in: tables) }
        let usedBytes = try transaction.byteCount(of: tables)
        try transaction.commit()
        return CatalogContents(tables: tables, metadata: metadata, usedBytes: usedBytes)
    }

    /// Nil when nothing is stored: the catalog is new.
    private func storedMetadata(
        _ transaction: borrowing Transaction, in meta: UInt32, of instance: CatalogInstance
    ) throws(CatalogError) -> CatalogMetadata? {
        let key = CatalogMetadata.key
        guard let value = try transaction.value(of: key.bytes.span, in: meta) else { return nil }
        guard let version = CatalogMetadata.version(in: value), version > 0 else {
            throw .damaged("it has no format version")
        }
        guard version <= CatalogMetadata.formatVersion else {
            throw .newerFormat(found: version, supported: CatalogMetadata.formatVersion)
        }
        guard version >= CatalogMetadata.formatVersionMin else {
            throw .olderFormat(found: version, path: path)
        }
        guard let metadata = CatalogMetadata(value: value) else {
            throw .damaged("what it knows of itself")
        }
        guard metadata.instance == instance else {
            throw .otherInstance(found: metadata.instance, expected: instance)
        }
        return metadata
    }
}

/// What an opened catalog begins with.
struct CatalogContents {
    let tables: Tables
    let metadata: CatalogMetadata
    let usedBytes: UInt64
}
