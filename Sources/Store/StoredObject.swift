/// What callers see of stored objects: identity, lengths, outcomes. Plain values.

import Catalog
import Volumes

/// One published object, as a look-up finds it.
public struct StoredObject: Sendable, Equatable {
    /// Bytes.
    public let length: UInt64
    /// The commit sequence: a name never has the same one twice, whatever is deleted and put again.
    public let sequence: UInt64
    /// Seconds since 1970, UTC, as given by the upload.
    public let modified: UInt64
    public let kind: ObjectKind
    let record: Extent
}

/// How an object lies on disk, which decides how it is read.
public enum ObjectKind: UInt8, Sendable {
    /// At most `StoreLimits.smallBytesMax`: record and bytes in one piece. See `readSmall`.
    case small = 1
    /// Extents of a large volume, described by a record. See `describe`.
    case large = 2
}

/// An object that this core promised to leave readable: its space is not reused before `release`.
public struct Pinned: Sendable, Equatable {
    public let name: [UInt8]
    public let object: StoredObject
}

/// When an upload is answered. The order of writes and flushes is the same for both.
public enum Durability: Sendable, Equatable {
    /// After its last flush: it survives a power cut.
    case durable
    /// As soon as its bytes are written. A small object then survives a crash of this program; a
    /// large one may be lost with it until its record is written, which follows a flush.
    case written
}

/// What an upload says of itself before its bytes.
public struct UploadDescription: Sendable, Equatable {
    /// 1 to `StoreLimits.nameBytesMax` bytes.
    public var name: [UInt8]
    /// Bytes that will come, exactly.
    public var length: UInt64
    /// At most `StoreLimits.mediaTypeBytesMax` bytes.
    public var mediaType: [UInt8]
    /// Whoever the object counts for, at most `StoreLimits.ownerBytesMax` bytes; empty is nobody.
    public var owner: [UInt8]
    /// For whom that is, at most `StoreLimits.tenantBytesMax` bytes; empty is the default one.
    public var tenant: [UInt8]
    /// Seconds since 1970, UTC.
    public var modified: UInt64
    /// That no object had the name a moment ago, if it was looked up.
    public var absence: NameAbsence?

    public init(
        name: [UInt8], length: UInt64, mediaType: [UInt8], owner: [UInt8] = [],
        tenant: [UInt8] = [], modified: UInt64, absence: NameAbsence? = nil
    ) {
        self.name = name
        self.length = length
        self.mediaType = mediaType
        self.owner = owner
        self.tenant = tenant
        self.modified = modified
        self.absence = absence
    }
}

/// How an upload ended, when nothing failed. Of several at once under one name, one is created.
public enum PutOutcome: Sendable, Equatable {
    case created(StoredObject)
    /// The name was taken by the same bytes and media type: compared, every byte.
    case existsIdentical(StoredObject)
    case existsDifferent(StoredObject)
}

/// One line of a listing.
public struct ListedObject: Sendable, Equatable {
    public let name: [UInt8]
    public let object: StoredObject
}

extension StoredObject {
    /// Fails for what this program never wrote.
    init(_ entry: CatalogEntry) throws(StoreError) {
        guard let kind = ObjectKind(rawValue: entry.kind),
            let address = BlockAddress(packed: entry.recordAddress),
            entry.recordBlocks > 0, entry.recordBlocks <= StoreLimits.recordBlocksMax,
            address.block <= UInt32.max - entry.recordBlocks
        else { throw .index("an entry of sequence \(entry.sequence) makes no sense") }
        self.init(
            length: entry.length, sequence: entry.sequence, modified: entry.modified, kind: kind,
            record: Extent(
                volume: address.volume, start: address.block, count: entry.recordBlocks))
    }

    /// What the catalog is told of this object once its record is durable.
    func changes(under name: [UInt8], _ data: [Extent]) -> [CatalogChange] {
        [.put(name: name, entry: entry)] + data.map { .addExtent(CatalogExtent(data: $0)) }
    }

    var entry: CatalogEntry {
        CatalogEntry(
            recordAddress: record.address.packed, recordBlocks: record.count, kind: kind.rawValue,
            length: length, sequence: sequence, modified: modified)
    }
}

extension CatalogExtent {
    init(data extent: Extent) {
        self.init(address: extent.address.packed, blocks: extent.count)
    }
}
