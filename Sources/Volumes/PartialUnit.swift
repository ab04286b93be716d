import Checksums

/// A 64 KiB unit of an upload of whose 16 blocks some are there: the CRC32C of each.
public struct PartialUnit: Equatable, Sendable {
    public static let blockCount = VolumeLayout.checksumUnit / VolumeLayout.blockSize

    /// Counted from the upload's start.
    public let unit: Int
    /// Bit n is set when block n of the unit is there.
    public private(set) var mask: UInt16 = 0
    /// One for every block; 0 for those that are not there.
    public private(set) var checksums = InlineArray<16, UInt32>(repeating: 0)

    public init(unit: Int) { self.unit = unit }

    /// Whether all of its blocks are there.
    public var isWhole: Bool { mask == .max }

    /// Adds block `block` of the unit, or replaces what was known of it.
    public mutating func put(block: Int, _ checksum: UInt32) {
        mask |= 1 << UInt16(block)
        checksums[block] = checksum
    }

    /// Forgets the blocks that `kept` does not have.
    public mutating func keep(_ kept: UInt16) {
        mask &= kept
        for block in 0..<PartialUnit.blockCount where mask >> UInt16(block) & 1 == 0 {
            checksums[block] = 0
        }
    }

    /// The checksum of the first `count` blocks as one; nil when one of them is not there.
    func combined(first count: Int) -> UInt32? {
        let wanted = UInt16(truncatingIfNeeded: (UInt32(1) << UInt32(count)) - 1)
        guard mask & wanted == wanted else { return nil }
        var combined: UInt32 = 0
        for block in 0..<count {
            combined = combineCRC32C(
                combined, checksums[block], secondByteCount: UInt64(VolumeLayout.blockSize))
        }
        return combined
    }

    public static func == (left: PartialUnit, right: PartialUnit) -> Bool {
        guard left.unit == right.unit, left.mask == right.mask else { return false }
        return (0..<blockCount).allSatisfy { left.checksums[$0] == right.checksums[$0] }
    }
}
