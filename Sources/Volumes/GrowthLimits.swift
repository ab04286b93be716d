/// How far the volumes of one class may grow.
public struct GrowthLimits: Equatable, Sendable {
    /// Blocks of one volume, whole segments.
    public let volumeBlocksMax: UInt32
    /// Blocks of all volumes of the class, reserved ones included.
    public var capacityBlocks: UInt64
    /// Blocks that a volume grows by at least, while it and the capacity can.
    public let stepBlocks: UInt32

    /// The default step, 256 MiB: seldom enough, and no burden when little is stored.
    public static let stepBytesDefault: UInt64 = 256 << 20

    /// Sizes in bytes. Volume and step are rounded down to whole segments, of which they have one
    /// at least.
    public init(
        volumeBytesMax: UInt64, capacityBytes: UInt64, stepBytes: UInt64 = stepBytesDefault
    ) {
        volumeBlocksMax = GrowthLimits.wholeSegments(volumeBytesMax)
        capacityBlocks = capacityBytes / UInt64(VolumeLayout.blockSize)
        stepBlocks = GrowthLimits.wholeSegments(stepBytes)
    }

    private static func wholeSegments(_ bytes: UInt64) -> UInt32 {
        let most = UInt64(VolumeLayout.volumeBlocksMax / VolumeLayout.segmentBlocks)
        let segments = min(max(1, bytes / UInt64(VolumeLayout.segmentSize)), most)
        return UInt32(segments) * VolumeLayout.segmentBlocks
    }

    /// How to make room for `wanted` more blocks: the first of `volumes` that can grow by `unit`,
    /// else a new one. `total` counts the blocks of all volumes, also of those that may not grow.
    func growth(
        for wanted: UInt64, total: UInt64, volumes: [(id: VolumeID, blockCount: UInt32)],
        unit: UInt32
    ) -> Growth? {
        guard capacityBlocks >= total else { return nil }
        let candidate = volumes.first {
            $0.blockCount < volumeBlocksMax && volumeBlocksMax - $0.blockCount >= unit
        }
        let current = candidate?.blockCount ?? 0
        let reserved = candidate == nil ? UInt64(VolumeLayout.reservedBlocks) : 0
        let unit = UInt64(unit)
        let most = min(capacityBlocks - total, UInt64(volumeBlocksMax - current)) / unit * unit
        let enough = max(wanted + reserved, UInt64(stepBlocks))
        let new = min(most, (enough + unit - 1) / unit * unit)
        guard new > reserved else { return nil }
        return Growth(
            volume: candidate?.id, blockCount: current + UInt32(new), newBlocks: UInt32(new))
    }
}
