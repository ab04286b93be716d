/// The sizes that the disk format is made of, each named here and nowhere else.
public enum VolumeLayout {
    /// Bytes in a block: what O_DIRECT aligns to and what a record's size is counted in.
    public static let blockSize = 4096
    /// Bytes in a segment: what a core leases of a small volume.
    public static let segmentSize = 64 << 20
    /// Blocks in a segment.
    public static let segmentBlocks: UInt32 = 16_384
    /// Bytes of object data that one checksum covers.
    public static let checksumUnit = 64 << 10
    /// Blocks in 2 MiB: extents at least this long start at a multiple of it.
    public static let alignedBlocks: UInt32 = 512
    /// Blocks at the head of every volume that hold the superblock and nothing else (2 MiB).
    public static let reservedBlocks: UInt32 = 512
    /// Bytes of data of the largest object that shares a record with its header.
    public static let smallObjectBytesMax = 64 << 10
    /// Bytes of the largest object: its checksums then fill a quarter of a segment.
    public static let objectBytesMax: UInt64 = 256 << 30
    /// Pieces that one object may lie in.
    public static let extentsPerObjectMax = 65_536
    /// Blocks of the largest volume, just under 8 TiB: at a start they are counted in 31 bits.
    public static let volumeBlocksMax = UInt32(Int32.max) / segmentBlocks * segmentBlocks

    /// Blocks that hold `bytes` bytes.
    @inline(__always)
    public static func blocks(for bytes: UInt64) -> UInt64 {
        bytes / UInt64(blockSize) + (bytes % UInt64(blockSize) == 0 ? 0 : 1)
    }

    /// Checksums that cover `bytes` bytes of data.
    @inline(__always)
    public static func checksumCount(for bytes: UInt64) -> UInt64 {
        bytes / UInt64(checksumUnit) + (bytes % UInt64(checksumUnit) == 0 ? 0 : 1)
    }
}
