/// What several uploads become when their bytes are to follow each other: the extents, checksums
/// and segments of one object. Nothing is moved, and nothing is checksummed again.
///
/// Invariant: `extents` have exactly the blocks of every run, and `checksums` one for each of its
/// units.
public struct JoinedParts: Equatable, Sendable {
    /// Bytes of all.
    public private(set) var length: UInt64 = 0
    public private(set) var extents: [Extent] = []
    public private(set) var checksums: [UInt32] = []
    private var runs: [ObjectSegment] = []

    public init() {}

    /// None if all of it is read as one run: every part but the last was whole units.
    public var segments: [ObjectSegment] { runs.count > 1 ? runs : [] }

    /// Adds what comes behind the others. A part of no bytes adds nothing.
    public mutating func append(length: UInt64, extents: [Extent], checksums: [UInt32]) {
        let blocks = extents.reduce(0 as UInt64) { $0 + UInt64($1.count) }
        precondition(blocks == VolumeLayout.blocks(for: length), "a part has exactly its blocks")
        precondition(UInt64(checksums.count) == VolumeLayout.checksumCount(for: length))
        guard length > 0 else { return }
        self.length += length
        self.extents += extents
        self.checksums += checksums
        if let last = runs.last, last.endsWithUnit {
            runs[runs.count - 1] = ObjectSegment(
                length: last.length + length, extentCount: last.extentCount + extents.count)
        } else {
            runs.append(ObjectSegment(length: length, extentCount: extents.count))
        }
    }
}
