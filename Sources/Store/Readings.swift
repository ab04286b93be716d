/// Objects being read: a small one in its buffer, a large one by its description.

public import IO

/// A small object in memory, verified: seal, name, sequence and checksum match.
public struct SmallObject: ~Copyable {
    public let mediaType: [UInt8]
    /// CRC32C of the data.
    public let checksum: UInt32
    /// Where the object's bytes lie in the arena, for as long as the lease is held.
    public let data: Region
    let lease: BufferLease

    /// Hands over the buffer that `data` lies in; give it back to the core's memory.
    public consuming func takeLease() -> BufferLease { lease }
}

/// What a core knows of a large object while it is being read. Stays valid while it is pinned.
public final class LargeObject {
    public let object: StoredObject
    public let mediaType: [UInt8]
    /// CRC32C over the units' checksums: one number for the whole content.
    public let checksum: UInt32

    init(object: StoredObject, mediaType: [UInt8], checksum: UInt32) {
        self.object = object
        self.mediaType = mediaType
        self.checksum = checksum
    }
}

/// Bytes of a large object that lie in one piece of a file, verified since start: ready for
/// `Operation.sendFile`.
public struct FileRange: Sendable, Equatable {
    /// Opened for buffered reading.
    public let file: Descriptor
    public let offset: UInt64
    public let count: UInt64
}

/// What one core's store counts; sum over cores.
public struct StoreStatistics: Sendable, Equatable {
    public var puts: UInt64 = 0
    public var removals: UInt64 = 0
    public var bytesWritten: UInt64 = 0
    public var bytesRead: UInt64 = 0
    public var flushes: UInt64 = 0
    /// Acknowledgements that one of these flushes covered; divided by `flushes`: the batch size.
    public var flushed: UInt64 = 0
    public var corruptions: UInt64 = 0
    /// Bytes of deleted objects that a reader still holds.
    public var bytesDeletedButPinned: UInt64 = 0

    public init() {}
}
