/// How values that may be longer than a page lie in LMDB: in rows of a page each, whose keys are
/// the value's own and a number that counts from 0.
///
/// LMDB would take such a value whole, on a run of adjacent pages. A file with room for it may have
/// no such run, which `usage` could not foretell, and then a commit that was thought to fit holds
/// up all behind it. A row needs one page, or a part of one with others if it is short.
///
/// Invariant: all rows of a value but its last have `rowBytesMax` bytes; an empty value has one
/// row.
struct LongValue: Sendable {
    /// What an LMDB page of 4 KiB holds beside its header of 16 bytes.
    static let rowBytesMax = 4096 - 16
    private static let numberBytes = MemoryLayout<UInt16>.size

    let key: [UInt8]
    private(set) var value: [UInt8] = []
    private var rowCount = 0

    static func rowCount(of byteCount: Int) -> Int {
        max(1, (byteCount + rowBytesMax - 1) / rowBytesMax)
    }

    static func rowKey(_ key: [UInt8], _ row: Int) -> [UInt8] {
        var rowKey = key
        rowKey.appendBigEndian(UInt16(row))
        return rowKey
    }

    /// Where to go on behind a value, whatever its length.
    static func keyBehind(_ key: [UInt8]) -> [UInt8] { rowKey(key, Int(UInt16.max)) }

    /// Begins with a value's first row. Nil if it is no such row.
    fileprivate init?(rowKey: Span<UInt8>, keyBytes: Int) {
        guard rowKey.count == keyBytes + LongValue.numberBytes else { return nil }
        key = rowKey.extracting(first: keyBytes).copied
    }

    fileprivate func owns(_ rowKey: Span<UInt8>) -> Bool {
        rowKey.count == key.count + LongValue.numberBytes && rowKey.hasPrefix(key)
    }

    /// False if the row is not the next one.
    fileprivate mutating func add(_ rowKey: Span<UInt8>, _ row: Span<UInt8>) -> Bool {
        let number = rowKey.load(UInt16.self, at: key.count).byteSwapped
        guard Int(number) == rowCount, value.count == rowCount * LongValue.rowBytesMax,
            row.count <= LongValue.rowBytesMax
        else { return false }
        unsafe row.withUnsafeBufferPointer { unsafe value.append(contentsOf: $0) }
        rowCount += 1
        return true
    }
}

extension Transaction {
    /// In place of the value that was there.
    borrowing func putLong(
        _ value: [UInt8], for key: [UInt8], in table: UInt32
    ) throws(CatalogError) {
        let count = LongValue.rowCount(of: value.count)
        for row in 0..<count {
            let start = row * LongValue.rowBytesMax
            let end = min(value.count, start + LongValue.rowBytesMax)
            try put(
                LongValue.rowKey(key, row).span, value.span.extracting(start..<end), in: table)
        }
        try deleteRows(from: LongValue.rowKey(key, count), startingWith: key, in: table)
    }

    /// Deletes the rows whose keys start with `prefix`.
    borrowing func deleteRows(
        startingWith prefix: [UInt8], in table: UInt32
    ) throws(CatalogError) {
        try deleteRows(from: prefix, startingWith: prefix, in: table)
    }

    private borrowing func deleteRows(
        from first: [UInt8], startingWith prefix: [UInt8], in table: UInt32
    ) throws(CatalogError) {
        // A cursor does not outlive what is deleted under it.
        var keys: [[UInt8]] = []
        try walk(table, from: first.span) { key, _ throws(CatalogError) in
            guard key.hasPrefix(prefix) else { return false }
            keys.append(key.copied)
            return true
        }
        for key in keys { try delete(key.span, in: table) }
    }

    /// Passes the values whose keys have `keyBytes` bytes and start with `prefix` to `body`, in the
    /// order of their keys, starting with the first row at or after `first`, until it answers
    /// false.
    borrowing func walkLong(
        _ table: UInt32, keyBytes: Int, prefix: [UInt8], from first: [UInt8],
        _ body: (LongValue) throws(CatalogError) -> Bool
    ) throws(CatalogError) {
        var current: LongValue?
        try walk(table, from: first.span) { key, row throws(CatalogError) in
            guard key.hasPrefix(prefix) else { return false }
            // Taken, not copied: what two hold is copied for each row that is added.
            if current?.owns(key) == false, let done = current.take(), try !body(done) {
                return false
            }
            var value = current.take() ?? LongValue(rowKey: key, keyBytes: keyBytes)
            guard value?.add(key, row) == true else { throw .damaged("a row of an upload") }
            current = value.take()
            return true
        }
        if let last = current { _ = try body(last) }
    }
}
