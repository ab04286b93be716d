/// What an open store is made of, and what it says while it runs.

public import Catalog
public import IO

public struct StoreSetup: Sendable {
    /// The data directory, opened as a directory. It holds a directory `volumes`.
    public var directory: Descriptor
    public var instance: CatalogInstance
    /// The key under which records are sealed, kept outside of the volumes; at least one byte.
    public var sealKey: [UInt8]
    public var catalog: any CatalogStorage
    /// Bytes that all volume files together may have.
    public var capacityBytes: UInt64
    /// Bytes of one volume file; rounded down to whole segments of 64 MiB.
    public var volumeBytes: UInt64
    /// Bytes that large uploads together may have announced and not yet sent.
    public var reservedBytesMax = UInt64.max
    /// Bytes that one upload may have.
    public var uploadBytesMax = StoreLimits.objectBytesMax
    /// Uploads that may lie unfinished, in all and of one owner.
    public var uploadsMax = 100_000
    public var uploadsPerOwnerMax = 10_000
    /// What is done about disks that fail for a while.
    public var resilience = StoreResilience.none
    /// When the progress of uploads goes into a log beside the catalog.
    var progress = ProgressPolicy()
    /// The SHA-256 of every large object is made and kept with it, asked for or not.
    public var keepsSHA256 = false
    /// The space that those may have; one that is alone may have the smaller of both.
    public var unfinishedBytesMax = UInt64.max
    public var unfinishedBytesPerOwnerMax = UInt64.max
    /// The catalog is read into memory before anything else if it takes no more bytes than this.
    public var catalogWarmBytesMax: UInt64 = 0
    /// The catalog is new or not to be believed: scan everything.
    public var rebuilds = false
    /// Told of what an operator should know. Called on any thread.
    public var report: @Sendable (StoreEvent) -> Void

    public init(
        directory: Descriptor, instance: CatalogInstance, sealKey: [UInt8],
        catalog: any CatalogStorage, capacityBytes: UInt64, volumeBytes: UInt64,
        rebuilds: Bool = false, report: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.directory = directory
        self.instance = instance
        self.sealKey = sealKey
        self.catalog = catalog
        self.capacityBytes = capacityBytes
        self.volumeBytes = volumeBytes
        self.rebuilds = rebuilds
        self.report = report
    }
}

/// What an operator should know, none of it lost.
public enum StoreEvent: Sendable, Equatable {
    /// The volume takes no more writes: until it was tried again with success, or until a restart.
    case volumeFailed(VolumeName, StoreError, isForGood: Bool)
    /// It was tried again, and failed; the next time is so far away.
    case volumeStillFails(VolumeName, nextProbeNanoseconds: UInt64)
    /// The volume takes writes again. So many bytes of it are not used for a while.
    case volumeRecovered(VolumeName, quarantinedBytes: UInt64)
    /// Bytes of the object under this name do not match their checksum.
    case corrupt(name: [UInt8], StoreError)
    /// A batch could not be indexed, and why; it will be tried again.
    case indexingDelayed(String)
    /// Space of a deleted object, or of a record that failed, stays in use: until a restart, or
    /// until its place can be written.
    case cleanupPostponed(StoreError, untilRestart: Bool)
    /// A block of a removal that is finished, or of what it removed, cannot be read. The start went
    /// on without it.
    case removalUnread(StoreError)
    /// The catalog of so many bytes was read into memory, and how long that took.
    case catalogWarmed(bytes: UInt64, milliseconds: UInt64)
    /// The catalog is too large to be read into memory: look-ups may wait for the disk.
    case catalogTooLarge(bytes: UInt64, limitBytes: UInt64)
    /// The catalog could not be read into memory, and why; look-ups may wait for the disk.
    case catalogNotWarmed(String)
    /// Recovery is done: so many segments were scanned, so many records replayed, so many dropped
    /// as unfinished or damaged.
    case recovered(segments: Int, records: Int, dropped: Int)
}
