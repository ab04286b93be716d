/// What the catalog holds beside object entries: extents of data, leased segments, removal records,
/// and what it knows of itself.

/// Space that a large object's data occupies. What records occupy is in the objects' entries.
public struct CatalogExtent: Sendable, Equatable {
    /// The volume's packed address of the first block: the key.
    public var address: UInt64
    /// Length in 4 KiB blocks.
    public var blocks: UInt32

    public init(address: UInt64, blocks: UInt32) {
        self.address = address
        self.blocks = blocks
    }
}

/// A segment that a core may write to: recovery looks for records there.
public struct CatalogLease: Sendable, Equatable {
    /// Volume and segment together are the key.
    public var volume: UInt32
    public var segment: UInt32
    /// The commit sequence when the segment was leased: its records are newer.
    public var sequence: UInt64

    public init(volume: UInt32, segment: UInt32, sequence: UInt64) {
        self.volume = volume
        self.segment = segment
        self.sequence = sequence
    }
}

/// A removal record that must stay on its volume until the dead record's header is overwritten.
public struct CatalogRemoval: Sendable, Equatable {
    /// Where the removal record lies: the key.
    public var address: UInt64
    /// Where the record lies that it removed.
    public var removedAddress: UInt64
    public var nameHash: UInt64
    /// The removal's own commit sequence.
    public var sequence: UInt64

    public init(address: UInt64, removedAddress: UInt64, nameHash: UInt64, sequence: UInt64) {
        self.address = address
        self.removedAddress = removedAddress
        self.nameHash = nameHash
        self.sequence = sequence
    }
}

/// One object, as a listing shows it.
public struct CatalogListing: Sendable, Equatable {
    public var name: [UInt8]
    public var entry: CatalogEntry

    public init(name: [UInt8], entry: CatalogEntry) {
        self.name = name
        self.entry = entry
    }
}

/// Which installation a catalog belongs to: the UUID that its volumes carry too.
public struct CatalogInstance: Sendable, Hashable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// What the catalog knows of itself.
public struct CatalogMetadata: Sendable, Equatable {
    public static let formatVersion: UInt32 = 4
    /// Catalogs from this format on are brought to the present one when they are opened.
    static let formatVersionMin: UInt32 = 2

    public var formatVersion = CatalogMetadata.formatVersion
    public var instance: CatalogInstance
    /// Every record up to this commit sequence is in the catalog.
    public var applied: UInt64
    /// Nothing was committed since it was marked clean: recovery has nothing to replay.
    public var isClean: Bool

    public init(instance: CatalogInstance, applied: UInt64, isClean: Bool) {
        self.instance = instance
        self.applied = applied
        self.isClean = isClean
    }
}

/// How much of its space a catalog uses.
public struct CatalogUsage: Sendable, Equatable {
    /// Bytes of the pages that hold entries.
    public var usedBytes: UInt64
    /// Above this, changes that add objects or uploads are refused; removals have room beyond it.
    public var limitBytes: UInt64

    public init(usedBytes: UInt64, limitBytes: UInt64) {
        self.usedBytes = usedBytes
        self.limitBytes = limitBytes
    }
}
