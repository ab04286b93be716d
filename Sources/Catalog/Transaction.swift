import CLMDB

/// The tables' handles, which all transactions of an environment share.
struct Tables: Sendable {
    var names: UInt32 = 0
    var extents: UInt32 = 0
    var leases: UInt32 = 0
    var removals: UInt32 = 0
    var uploads: UInt32 = 0
    var uploadPages: UInt32 = 0
    var profiles: UInt32 = 0
    var meta: UInt32 = 0

    struct Name {
        let name: StaticString
        let place: WritableKeyPath<Tables, UInt32>
        /// The first format that has it.
        let since: UInt32
    }

    static let count: UInt32 = 8
    /// All but `meta`.
    static var named: [Name] {
        [
            Name(name: "names", place: \.names, since: 1),
            Name(name: "extents", place: \.extents, since: 1),
            Name(name: "leases", place: \.leases, since: 1),
            Name(name: "removals", place: \.removals, since: 1),
            Name(name: "uploads", place: \.uploads, since: 3),
            Name(name: "uploadPages", place: \.uploadPages, since: 3),
            Name(name: "profiles", place: \.profiles, since: 4),
        ]
    }
}

/// One LMDB transaction: of a writer, ended by `commit` or by dropping it; or of a reader, which
/// gives up its snapshot between two uses (`reset`, `renew`) and keeps its slot.
///
/// `@unchecked Sendable` because of the handle. The environment is opened with MDB_NOTLS, so a
/// reading transaction may be used by any thread, one at a time; this value cannot be copied, so
/// whoever holds it is alone with it. Writing transactions never leave the call that begins them.
@safe
struct Transaction: ~Copyable, @unchecked Sendable {
    private let handle: OpaquePointer

    @unsafe init(environment: OpaquePointer, writes: Bool) throws(CatalogError) {
        var begun: OpaquePointer?
        try CatalogError.check(
            unsafe clmdb_begin(environment, writes, &begun), "begin a transaction")
        guard let begun = unsafe begun else { preconditionFailure("LMDB began nothing") }
        unsafe handle = begun
    }

    deinit { unsafe clmdb_abort(handle) }

    consuming func commit() throws(CatalogError) {
        let status = unsafe clmdb_commit(handle)
        discard self
        try CatalogError.check(status, "commit")
    }

    func reset() { unsafe clmdb_reset(handle) }

    func renew() throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_renew(handle), "take a snapshot")
    }

    /// Nil when there is no such table and none is to be made.
    func table(_ name: StaticString, create: Bool) throws(CatalogError) -> UInt32? {
        var table: UInt32 = 0
        let status = name.withUTF8Buffer { name in
            unsafe name.withMemoryRebound(to: CChar.self) { name in
                unsafe clmdb_table(handle, name.baseAddress, create, &table)
            }
        }
        if status == CLMDB_NOT_FOUND { return nil }
        try CatalogError.check(status, "open a table")
        return table
    }

    /// Bytes of the pages of `table`.
    func byteCount(of table: UInt32) throws(CatalogError) -> UInt64 {
        var bytes: UInt64 = 0
        try CatalogError.check(unsafe clmdb_table_bytes(handle, table, &bytes), "measure a table")
        return bytes
    }

    /// The value stays valid until this transaction changes something, is reset or ends.
    @_lifetime(borrow self)
    borrowing func value(of key: Span<UInt8>, in table: UInt32) throws(CatalogError) -> Span<UInt8>?
    {
        var found = unsafe clmdb_bytes()
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe clmdb_get(handle, table, key.baseAddress, key.count, &found)
        }
        if status == CLMDB_NOT_FOUND { return nil }
        try CatalogError.check(status, "look up an entry")
        return unsafe _overrideLifetime(found.span, borrowing: self)
    }

    func put(_ key: Span<UInt8>, _ value: Span<UInt8>, in table: UInt32) throws(CatalogError) {
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe value.withUnsafeBufferPointer { value in
                unsafe clmdb_put(
                    handle, table, key.baseAddress, key.count, value.baseAddress, value.count)
            }
        }
        try CatalogError.check(status, "write an entry")
    }

    /// `put` for a key that is not there; false if it is, and nothing happens.
    func add(
        _ key: Span<UInt8>, _ value: Span<UInt8>, in table: UInt32
    ) throws(CatalogError) -> Bool {
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe value.withUnsafeBufferPointer { value in
                unsafe clmdb_add(
                    handle, table, key.baseAddress, key.count, value.baseAddress, value.count)
            }
        }
        if status == CLMDB_EXISTS { return false }
        try CatalogError.check(status, "write an entry")
        return true
    }

    /// Nothing happens when there is no such key.
    func delete(_ key: Span<UInt8>, in table: UInt32) throws(CatalogError) {
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe clmdb_delete(handle, table, key.baseAddress, key.count)
        }
        if status == CLMDB_NOT_FOUND { return }
        try CatalogError.check(status, "delete an entry")
    }

    /// Passes entries to `body` in the order of their keys, starting at the first one that is at or
    /// after `key` (empty: the first of all), until it answers false.
    func walk(
        _ table: UInt32, from key: Span<UInt8>,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws(CatalogError) -> Bool
    ) throws(CatalogError) {
        var opened: OpaquePointer?
        try CatalogError.check(unsafe clmdb_cursor_open(handle, table, &opened), "open a cursor")
        defer { unsafe clmdb_cursor_close(opened) }

        var foundKey = unsafe clmdb_bytes()
        var value = unsafe clmdb_bytes()
        var status = unsafe key.withUnsafeBufferPointer { key in
            unsafe clmdb_cursor_seek(opened, key.baseAddress, key.count, &foundKey, &value)
        }
        while status != CLMDB_NOT_FOUND {
            try CatalogError.check(status, "walk a table")
            guard unsafe try body(foundKey.span, value.span) else { return }
            status = unsafe clmdb_cursor_next(opened, &foundKey, &value)
        }
    }
}

extension clmdb_bytes {
    /// What LMDB points to. The caller says how long that lives.
    @unsafe fileprivate var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // LMDB gives no address for no bytes.
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
            return unsafe _overrideLifetime(Span(_unsafeBytes: bytes), borrowing: self)
        }
    }
}
