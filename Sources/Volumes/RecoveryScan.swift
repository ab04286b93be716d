import Checksums

/// Walks the blocks of a segment and finds every record in it.
///
/// It reads nothing: it is shown windows of the segment and says which blocks it wants to see
/// next. Behind a whole record it goes on at the next free block, so nothing inside of an object's
/// bytes is even looked at; everything else it steps over block by block.
public struct RecoveryScan: Sendable {
    public enum Step: Equatable, Sendable {
        /// A whole record, without its checksum array.
        case record(Record)
        /// The header is ours, what follows is not what it speaks of: a write that was never
        /// finished, or rot. Without extents and checksums.
        case torn(Record)
        /// Ours by its magic, in a format that this program does not know.
        case newerFormat(UInt16, at: BlockAddress)
        /// Show a window that starts with the first of these blocks and holds them at least.
        case needsBlocks(Range<UInt32>)
        /// The range has been seen to its end.
        case finished
    }

    public let volume: VolumeID
    private let instance: InstanceID
    private let end: UInt32
    /// The next block to look at.
    private var cursor: UInt32
    /// Blocks from the cursor on that the next look takes.
    private var wanted: UInt32 = 1

    /// Scans `blocks` of a small volume: `SegmentAllocator.extent(of:in:)`, usually.
    public init(volume: VolumeID, blocks: Range<UInt32>, instance: InstanceID) {
        self.volume = volume
        self.instance = instance
        cursor = blocks.lowerBound
        end = blocks.upperBound
    }

    public init(_ extent: Extent, instance: InstanceID) {
        self.init(volume: extent.volume, blocks: extent.blocks, instance: instance)
    }

    /// Goes on to the next find. `window` holds the volume from block `firstBlock` on; it may be
    /// any window, also one that helps nothing: then the step asks for another.
    public mutating func next(
        in window: RawSpan, firstBlock: UInt32, seal: some RecordSeal
    ) -> Step {
        let windowBlocks = UInt64(window.byteCount / VolumeLayout.blockSize)
        let windowEnd = UInt64(firstBlock) + windowBlocks
        while cursor < end {
            guard cursor >= firstBlock, UInt64(cursor) + UInt64(wanted) <= windowEnd
            else { return .needsBlocks(cursor..<cursor + wanted) }
            let offset = Int(cursor - firstBlock) * VolumeLayout.blockSize
            let rest = window.extracting(offset..<Int(windowBlocks) * VolumeLayout.blockSize)
            guard RecordHeader.looksLikeRecord(rest) else {
                advance(by: 1)
                continue
            }
            if let step = look(at: rest, seal: seal) { return step }
        }
        return .finished
    }

    /// What starts at the cursor; nil when there is nothing to tell.
    private mutating func look(at bytes: RawSpan, seal: some RecordSeal) -> Step? {
        let address = BlockAddress(volume: volume, block: cursor)
        let header: RecordHeader
        do throws(RecordError) {
            header = try RecordHeader.decode(bytes, at: address, instance: instance, seal: seal)
        } catch .newerFormat(let format) {
            advance(by: 1)
            return .newerFormat(format, at: address)
        } catch {
            advance(by: 1)
            return nil
        }
        guard header.blockCount <= end - cursor else {
            // Ours, and yet beyond the segment: no allocator gave it this place.
            advance(by: 1)
            return .torn(Record(header: header, bytes, extents: [], checksums: []))
        }
        do throws(RecordError) {
            let record = try Record.decode(bytes, header, keepingChecksums: false)
            advance(by: header.blockCount)
            return .record(record)
        } catch .truncated(let blocks) {
            wanted = blocks
            return .needsBlocks(cursor..<cursor + blocks)
        } catch {
            // Block by block: a torn header may be older than what lies behind it.
            advance(by: 1)
            return .torn(Record(header: header, bytes, extents: [], checksums: []))
        }
    }

    private mutating func advance(by blocks: UInt32) {
        cursor += blocks
        wanted = 1
    }
}
