/// Objects being read: a small one in its buffer, a large one by its description.

import Checksums
public import IO
public import Loop
import Volumes

/// A small object in memory, verified: seal, name, sequence and checksum match.
public struct SmallObject: ~Copyable {
    public let mediaType: [UInt8]
    /// CRC32C of the data.
    public let checksum: UInt32
    /// Where the object's bytes lie in the arena, for as long as the lease is held.
    public let data: Region
    let lease: BufferLease

    /// Hands over the buffer that `data` lies in; give it back to the core's memory.
    public consuming func takeLease() -> BufferLease { lease }
}

/// What a core knows of a large object while it is being read. Stays valid while it is pinned.
public final class LargeObject {
    public let object: StoredObject
    public let mediaType: [UInt8]
    /// CRC32C over the units' checksums: one number for the whole content.
    public let checksum: UInt32
    /// Of all its bytes, if that was ever made; 32 bytes.
    public let sha256: [UInt8]?
    /// CRC32C of all its bytes.
    public private(set) lazy var crc32c = segments.reduce(0 as UInt32) { sum, segment in
        combineCRC32C(sum, segment.crc32c, secondByteCount: segment.length)
    }
    /// One, if the object was not put together from uploads.
    public let segments: [LargeSegment]

    init(_ object: StoredObject, _ manifest: Manifest) {
        self.object = object
        mediaType = manifest.mediaType
        checksum = manifest.checksum
        sha256 = manifest.sha256
        segments = manifest.segments(length: object.length)
    }

    /// Bytes that are no object yet, to be read like one: nobody finds them by a record.
    convenience init(unpublished manifest: Manifest, length: UInt64) {
        self.init(
            StoredObject(
                length: length, sequence: 0, modified: 0, kind: .large,
                record: Extent(volume: VolumeID(0), start: 0, count: 1)),
            manifest)
    }

    /// The first piece of bytes `offset` to `end`, which is behind the last: as many of them as one
    /// segment holds.
    @inline(__always)
    public func piece(from offset: UInt64, before end: UInt64) -> LargePiece {
        precondition(offset < end && end <= object.length, "the object has no such bytes")
        let segment = segments.count == 1 ? segments[0] : self.segment(holding: offset)
        let last = min(end, segment.start + segment.length) - 1
        return LargePiece(
            segment: segment, range: offset - segment.start...last - segment.start)
    }

    private func segment(holding offset: UInt64) -> LargeSegment {
        var (lower, upper) = (0, segments.count)
        while upper - lower > 1 {
            let middle = (lower + upper) / 2
            if segments[middle].start <= offset { lower = middle } else { upper = middle }
        }
        return segments[lower]
    }
}

/// Bytes of a large object that lie in one of its segments.
public struct LargePiece {
    public let segment: LargeSegment
    /// In the segment.
    public let range: ClosedRange<UInt64>
}

/// A run of a large object's bytes with a map and checksums of its own: what is read of the object
/// is read of one of its segments, at offsets that count from the segment's start.
public final class LargeSegment {
    /// Its first byte in the object.
    public let start: UInt64
    public let length: UInt64
    let map: DataMap
    /// CRC32C of each unit.
    let checksums: [UInt32]
    /// CRC32C of all its bytes.
    var crc32c: UInt32 { ObjectDigests.crc32c(checksums, length: length) }
    /// Whether this core has read and verified the unit since start.
    private var verified: [Bool]
    var windows: CachedWindows

    init(start: UInt64, length: UInt64, _ extents: [Extent], _ checksums: [UInt32]) {
        self.start = start
        self.length = length
        self.checksums = checksums
        map = DataMap(extents)
        verified = Array(repeating: false, count: checksums.count)
        windows = CachedWindows(objectBytes: length)
    }

    /// The first byte from `offset` on, and before `end`, whose unit is not verified; else `end`.
    func verifiedEnd(from offset: UInt64, before end: UInt64) -> UInt64 {
        let unit = UInt64(StoreLimits.unitBytes)
        var position = offset / unit * unit
        while position < end, verified[Int(position / unit)] { position += unit }
        return max(offset, min(position, end))
    }

    /// The window of 2 MiB around `offset`, by which `ObjectStore.fileRange` goes.
    public func window(of offset: UInt64) -> Range<UInt64> { windows.window(of: offset) }

    /// The first byte from `offset` on, and before `end`, whose unit is verified; else `end`.
    public func verifiedStart(from offset: UInt64, before end: UInt64) -> UInt64 {
        let unit = UInt64(StoreLimits.unitBytes)
        var start = offset / unit * unit
        while start < end, !verified[Int(start / unit)] { start += unit }
        return max(offset, min(start, end))
    }

    func markVerified(unit: Int) { verified[unit] = true }
}

/// Bytes of a large object on their way into memory. Ends with one call of
/// `ObjectStore.finishRead`; until then the kernel owns the buffer.
public struct LargeRead {
    /// In its segment; a multiple of `StoreLimits.unitBytes`.
    public let offset: UInt64
    /// Bytes of the object that will lie at the front of `target`.
    public let count: Int
    /// As leased.
    public let target: Region
    let segment: LargeSegment
    let pieces: [Piece]

    struct Piece {
        let file: VolumeFile
        let ticket: Ticket
        let target: Region
        let fileOffset: UInt64
    }
}

/// The lasting facts of a large object, as its record has them.
struct Manifest: Sendable {
    let mediaType: [UInt8]
    var sha256: [UInt8]?
    let checksum: UInt32
    let extents: [Extent]
    let checksums: [UInt32]
    /// As the record has them: none if all is one run.
    var segments: [ObjectSegment] = []

    /// Each with its part of extents and checksums; one for an object without.
    func segments(length: UInt64) -> [LargeSegment] {
        if segments.isEmpty { return [LargeSegment(start: 0, length: length, extents, checksums)] }
        var (start, extent, unit): (UInt64, Int, Int) = (0, 0, 0)
        return segments.map { segment in
            defer {
                start += segment.length
                extent += segment.extentCount
                unit += segment.checksumCount
            }
            return LargeSegment(
                start: start, length: segment.length,
                Array(extents[extent..<extent + segment.extentCount]),
                Array(checksums[unit..<unit + segment.checksumCount]))
        }
    }
}

/// Bytes of a large object that lie in one piece of a file, verified since start: ready for
/// `Operation.sendFile`.
public struct FileRange: Sendable, Equatable {
    /// Opened for buffered reading.
    public let file: Descriptor
    public let offset: UInt64
    public let count: UInt64
    /// What is to be made sure of before they are sent.
    public let test: ResidencyTest
}

/// What one core's store counts; sum over cores.
public struct StoreStatistics: Sendable, Equatable {
    public var puts: UInt64 = 0
    public var removals: UInt64 = 0
    public var bytesWritten: UInt64 = 0
    public var bytesRead: UInt64 = 0
    /// Entries of the progress log: uploads that were settled without a commit of the catalog.
    public var progressEntries: UInt64 = 0
    /// That SHA-1 or SHA-256 was made of.
    public var bytesHashed: UInt64 = 0
    public var flushes: UInt64 = 0
    /// Requests that those flushes served; divided by `flushes`: the batch size.
    public var flushed: UInt64 = 0
    public var corruptions: UInt64 = 0
    /// Bytes of objects deleted here whose space is not free yet, because somebody reads them or
    /// their clean-up is on its way.
    public var bytesDeletedButPinned: UInt64 = 0
    /// How long requests waited for reads, for writes of a body, for the catalog's pages.
    public var diskWaits = LatencyHistogram()
    /// For a flush; also those that were acknowledged before it.
    public var flushWaits = LatencyHistogram()
    /// For a record to be written; for space, and for the ledger where it did not answer at once.
    public var commitWaits = LatencyHistogram()

    public init() {}
}
