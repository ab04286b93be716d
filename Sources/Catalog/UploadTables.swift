/// How unfinished uploads lie in LMDB: records by the upload's number, pages by that and their own.

extension CatalogUploadID {
    static let keyBytes = 16

    var key: [UInt8] {
        var key: [UInt8] = []
        key.appendBigEndian(high)
        key.appendBigEndian(low)
        return key
    }

    /// Of the first 16 bytes of `key`.
    init(key: [UInt8]) {
        let bytes = key.span
        high = bytes.load(UInt64.self, at: 0).byteSwapped
        low = bytes.load(UInt64.self, at: 8).byteSwapped
    }
}

extension CatalogUploadPage {
    static let keyBytes = CatalogUploadID.keyBytes + MemoryLayout<UInt32>.size

    static func key(of id: CatalogUploadID, page: UInt32) -> [UInt8] {
        var key = id.key
        key.appendBigEndian(page)
        return key
    }

    fileprivate init(_ stored: LongValue) {
        page = stored.key.span.load(UInt32.self, at: CatalogUploadID.keyBytes).byteSwapped
        value = stored.value
    }
}

extension Transaction {
    borrowing func putUpload(
        _ id: CatalogUploadID, _ value: [UInt8], in tables: Tables
    ) throws(CatalogError) {
        CatalogLimits.check(upload: value)
        try putLong(value, for: id.key, in: tables.uploads)
    }

    borrowing func putUploadPage(
        _ id: CatalogUploadID, _ page: UInt32, _ value: [UInt8], in tables: Tables
    ) throws(CatalogError) {
        CatalogLimits.check(uploadPage: page, value)
        let key = CatalogUploadPage.key(of: id, page: page)
        try putLong(value, for: key, in: tables.uploadPages)
    }

    borrowing func dropUpload(
        _ id: CatalogUploadID, in tables: Tables
    ) throws(CatalogError) {
        try deleteRows(startingWith: id.key, in: tables.uploads)
        try deleteRows(startingWith: id.key, in: tables.uploadPages)
    }
}

extension LMDBReader {
    func upload(_ id: CatalogUploadID) throws(CatalogError) -> [UInt8]? {
        let key = id.key
        return try gate.withSnapshot { snapshot throws(CatalogError) in
            var found: [UInt8]?
            try snapshot.walkLong(
                tables.uploads, keyBytes: CatalogUploadID.keyBytes, prefix: key, from: key
            ) { stored throws(CatalogError) in
                found = stored.value
                return true
            }
            return found
        }
    }

    func uploadPages(_ id: CatalogUploadID) throws(CatalogError) -> [CatalogUploadPage] {
        let key = id.key
        return try gate.withSnapshot { snapshot throws(CatalogError) in
            var pages: [CatalogUploadPage] = []
            try snapshot.walkLong(
                tables.uploadPages, keyBytes: CatalogUploadPage.keyBytes, prefix: key, from: key
            ) { stored throws(CatalogError) in
                pages.append(CatalogUploadPage(stored))
                return true
            }
            return pages
        }
    }

    func forEachUpload(
        _ body: (CatalogUploadID, [UInt8]) -> Void
    ) throws(CatalogError) {
        var start: [UInt8]? = []
        while let first = start {
            let records = try gate.withSnapshot { snapshot throws(CatalogError) in
                try snapshot.uploads(in: tables, from: first)
            }
            for record in records { body(CatalogUploadID(key: record.key), record.value) }
            start = records.last.map { LongValue.keyBehind($0.key) }
        }
    }
}

extension Transaction {
    /// As many as are read under one snapshot; none if there are no more.
    fileprivate borrowing func uploads(
        in tables: Tables, from first: [UInt8]
    ) throws(CatalogError) -> [LongValue] {
        var records: [LongValue] = []
        var byteCount = 0
        try walkLong(
            tables.uploads, keyBytes: CatalogUploadID.keyBytes, prefix: [], from: first
        ) { record throws(CatalogError) in
            records.append(record)
            byteCount += record.value.count
            return records.count < CatalogLimits.entriesPerSnapshotMax
                && byteCount < CatalogLimits.uploadBytesPerSnapshotMax
        }
        return records
    }
}

extension CatalogLimits {
    static func check(upload value: [UInt8]) {
        precondition(
            value.count <= uploadBytesMax,
            "an upload's record of \(value.count) bytes reached the catalog")
    }

    static func check(uploadPage page: UInt32, _ value: [UInt8]) {
        precondition(page < uploadPagesMax, "page \(page) of an upload reached the catalog")
        precondition(
            value.count <= uploadPageBytesMax,
            "an upload's page of \(value.count) bytes reached the catalog")
    }
}
