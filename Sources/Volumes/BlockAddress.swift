// Places on the volumes: one block, and a run of blocks.

/// One 4 KiB block.
public struct BlockAddress: Hashable, Comparable, Sendable {
    public let volume: VolumeID
    public let block: UInt32

    @inline(__always)
    public init(volume: VolumeID, block: UInt32) { (self.volume, self.block) = (volume, block) }

    /// The volume in bits 32…47, the block in bits 0…31. Never more than 48 bits.
    @inline(__always)
    public var packed: UInt64 { UInt64(volume.number) << 32 | UInt64(block) }

    /// Nil when bits are set that no address sets.
    @inline(__always)
    public init?(packed: UInt64) {
        guard packed >> 48 == 0 else { return nil }
        volume = VolumeID(UInt16(packed >> 32))
        block = UInt32(truncatingIfNeeded: packed)
    }

    /// Where it starts in its volume's file.
    @inline(__always)
    public var byteOffset: UInt64 { UInt64(block) * UInt64(VolumeLayout.blockSize) }

    @inline(__always)
    public static func < (left: BlockAddress, right: BlockAddress) -> Bool {
        left.packed < right.packed
    }
}

/// A run of `count` blocks of one volume, never empty.
public struct Extent: Hashable, Sendable {
    public let volume: VolumeID
    public let start: UInt32
    public let count: UInt32

    @inline(__always)
    public init(volume: VolumeID, start: UInt32, count: UInt32) {
        precondition(count > 0, "an extent without blocks")
        precondition(start <= UInt32.max - count, "an extent beyond the last block")
        (self.volume, self.start, self.count) = (volume, start, count)
    }

    /// The first block behind it.
    @inline(__always) public var end: UInt32 { start + count }
    @inline(__always) public var blocks: Range<UInt32> { start..<end }
    @inline(__always) public var address: BlockAddress {
        BlockAddress(volume: volume, block: start)
    }
    @inline(__always) public var byteOffset: UInt64 { address.byteOffset }
    @inline(__always) public var byteCount: UInt64 {
        UInt64(count) * UInt64(VolumeLayout.blockSize)
    }
}
