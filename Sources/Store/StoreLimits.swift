/// The store's limits, each named once.

import Volumes

public enum StoreLimits {
    /// Longer objects are large ones.
    public static let smallBytesMax = 64 << 10
    /// A checksum covers this many bytes of a large object; the last one covers what is left.
    public static let unitBytes = 64 << 10
    /// Bytes that one `read` brings, and that one buffer of an upload may hold.
    public static let transferBytesMax = 1 << 20
    /// A buffer of an upload holds whole blocks, however few bytes come last.
    public static let uploadBufferBytesMin = VolumeLayout.blockSize
    /// As many as checksums fit into a record of 1 MiB.
    public static let objectBytesMax: UInt64 = 15 << 30
    public static let nameBytesMax = RecordText.nameBytesMax
    public static let mediaTypeBytesMax = RecordText.mediaTypeBytesMax
    public static let ownerBytesMax = RecordText.ownerBytesMax
    public static let tenantBytesMax = RecordText.tenantBytesMax
    /// Bytes of one volume file.
    public static let volumeBytesMax =
        UInt64(VolumeLayout.volumeBlocksMax) * UInt64(VolumeLayout.blockSize)
    /// Writes of one upload that may be on their way to the disk.
    public static let uploadWritesMax = 8
    /// How long is known of a finished upload that it is: its client may have missed the answer.
    static let finishedUploadSeconds: UInt64 = 3600
    /// Space that a body of unknown length gets at a time: as much as it has, within these.
    static let growingSpaceBytesMin: UInt64 = 2 << 20
    static let growingSpaceBytesMax: UInt64 = 64 << 20
    /// Descriptions of large objects that one core keeps.
    public static let describedMax = 64
    /// Changes that may wait for the index before new uploads are refused.
    public static let unindexedMax = 65_536
    /// What an object may add to the catalog: a page that splits, and its share of those above, in
    /// each of two tables (as `CatalogChange.writtenBytesMax` counts).
    static let catalogBytesPerObjectMax: UInt64 = 16 << 10
    /// How far the index may lie behind, in nanoseconds: gathering, and the commit.
    public static let indexDelayNanoseconds: UInt64 = 200_000_000
    /// How long changes are gathered before they are committed.
    static let indexGatherNanoseconds = indexDelayNanoseconds / 4 * 3
    /// Between two tries to index a batch that failed: doubling, from and to.
    static let indexRetryNanosecondsMin: UInt64 = 100_000_000
    static let indexRetryNanosecondsMax: UInt64 = 10_000_000_000
    /// Blocks of the longest record: it is written from, and read into, one buffer.
    static let recordBlocksMax = UInt32(transferBytesMax / VolumeLayout.blockSize)
    /// Deleted objects whose space one core may still have to free once their volume works again;
    /// how many of them it tries each second; and how often the place of one fails before an
    /// operator is told.
    static let cleanupsMax = 4096
    static let cleanupsPerSecond = 64
    static let cleanupFailuresUntold = 3
    /// Lines of one listing.
    public static let listingMax = 1000
}
