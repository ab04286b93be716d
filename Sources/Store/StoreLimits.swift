/// The store's limits, each named once.
public enum StoreLimits {
    /// Longer objects are large ones.
    public static let smallBytesMax = 64 << 10
    /// A checksum covers this many bytes of a large object; the last one covers what is left.
    public static let unitBytes = 64 << 10
    /// Bytes that one `read` brings, and that one buffer of an upload may hold.
    public static let transferBytesMax = 1 << 20
    /// As many as checksums fit into a record of 1 MiB.
    public static let objectBytesMax: UInt64 = 15 << 30
    public static let nameBytesMax = 480
    public static let mediaTypeBytesMax = 255
    /// Writes of one upload that may be on their way to the disk.
    public static let uploadWritesMax = 8
    /// Descriptions of large objects that one core keeps.
    public static let describedMax = 64
    /// Changes that may wait for the index before new uploads are refused.
    public static let unindexedMax = 65_536
    /// Changes of one index transaction.
    public static let batchChangesMax = 4096
    /// How far the index may lie behind, in nanoseconds.
    public static let indexDelayNanoseconds: UInt64 = 200_000_000
    /// Lines of one listing.
    public static let listingMax = 1000
}
