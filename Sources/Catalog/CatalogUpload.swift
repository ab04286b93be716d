/// What the catalog holds of an unfinished upload: a record and pages, whose bytes mean nothing to
/// it. They lie nowhere else: a catalog that is rebuilt from the volumes has none.

/// Which upload: the key of its record, in the order of its 16 bytes, big-endian.
public struct CatalogUploadID: Sendable, Hashable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

extension CatalogUploadID: Comparable {
    public static func < (one: CatalogUploadID, other: CatalogUploadID) -> Bool {
        (one.high, one.low) < (other.high, other.low)
    }
}

/// A part of an upload's state that is written apart from its record, so that whoever changes a
/// little of much rewrites only that.
public struct CatalogUploadPage: Sendable, Equatable {
    /// The page's number, below `CatalogLimits.uploadPagesMax`.
    public var page: UInt32
    public var value: [UInt8]

    public init(page: UInt32, value: [UInt8]) {
        self.page = page
        self.value = value
    }
}
