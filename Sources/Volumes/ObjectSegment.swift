/// A run of an object's bytes that starts with a block, and a unit of checksums, of its own: what
/// an upload of any length is of the object that it was put into, without a byte being moved.
///
/// An object has none, and is read as one run, or two at least. Of those every one but the last
/// ends within a unit: behind a whole one the next run's units go on, so both are one.
public struct ObjectSegment: Equatable, Sendable {
    /// Bytes.
    public let length: UInt64
    /// So many of the object's extents hold it, and they have exactly its blocks.
    public let extentCount: Int

    public init(length: UInt64, extentCount: Int) {
        (self.length, self.extentCount) = (length, extentCount)
    }

    public var checksumCount: Int { Int(VolumeLayout.checksumCount(for: length)) }

    /// Whether the next bytes begin a unit of their own anyway.
    var endsWithUnit: Bool { length % UInt64(VolumeLayout.checksumUnit) == 0 }

    /// Bytes of its last block that are not the object's, if it is `blocks` blocks long; nil if it
    /// is not.
    func spareBytes(in blocks: UInt64) -> UInt64? {
        guard length > 0, VolumeLayout.blocks(for: length) == blocks else { return nil }
        return blocks * UInt64(VolumeLayout.blockSize) - length
    }
}

/// What the last four bytes of an extent in a record's table say: 0, or that a segment ends here.
enum SegmentMark {
    private static let end: UInt32 = 1 << 31
    private static let spareMask = UInt32(VolumeLayout.blockSize - 1)

    /// - Parameter spareBytes: less than a block.
    static func end(spareBytes: UInt64) -> UInt32 { end | UInt32(spareBytes) }

    /// Nil for what is no mark.
    static func spareBytes(_ mark: UInt32) -> UInt64? {
        mark & ~spareMask == end ? UInt64(mark & spareMask) : nil
    }
}

extension [ObjectSegment] {
    /// The marks of an object's extents; empty if it has no segments.
    func marks(_ extents: Span<Extent>) -> [UInt32] {
        guard !isEmpty else { return [] }
        var marks = [UInt32](repeating: 0, count: extents.count)
        var next = 0
        for segment in self {
            precondition(segment.extentCount > 0, "a segment without an extent")
            let end = next + segment.extentCount
            precondition(end <= extents.count, "segments with more extents than the object has")
            var blocks: UInt64 = 0
            for index in next..<end { blocks += UInt64(extents[index].count) }
            guard let spare = segment.spareBytes(in: blocks) else {
                preconditionFailure("a segment has exactly its blocks")
            }
            marks[end - 1] = SegmentMark.end(spareBytes: spare)
            next = end
        }
        precondition(next == extents.count, "an extent in no segment")
        return marks
    }

    /// Whether these are the segments of an object of that length, as `JoinedParts` makes them.
    func areSound(length: UInt64) -> Bool {
        guard count >= 2 else { return false }
        return dropLast().allSatisfy { !$0.endsWithUnit }
            && reduce(0) { $0 + $1.length } == length
    }
}
