/// An upload of more than `StoreLimits.smallBytesMax` bytes, whose space was reserved whole. Ends
/// with exactly one of `commit` and `abandon`, whatever `write` answered.
///
///     open ──write…──▶ all written ──flush──▶ record written ──flush──▶ published
///       └──abandon (after the last write in flight)
///
/// Invariant: the reserved space is given back only when no write to it is in flight and no record
/// that names it was ever handed to the kernel.

import Catalog
import Checksums
import Cryptography
public import IO
import Loop
import Volumes

public final class LargeUpload {
    public let description: UploadDescription
    /// Bytes taken so far.
    public private(set) var received: UInt64 = 0
    let map: DataMap
    private let store: ObjectStore
    /// Before its first write.
    private let mark: VolumeMark
    private(set) var checksums: [UInt32] = []
    private let inFlight: WritesInFlight
    private var failure: StoreError?
    private var isOpen = true
    /// Bytes of the buffer that comes next which are checksummed.
    private var summed = 0
    /// The unit that is not whole yet.
    private var unit: (checksum: UInt32, count: Int) = (0, 0)
    /// Of what has come, if somebody wants that.
    private var digest: RunningDigest?
    /// What that came to.
    private var sha256: [UInt8]?

    init(
        _ description: UploadDescription, store: ObjectStore, extents: [Extent],
        digest: RunningDigest?
    ) {
        self.description = description
        self.digest = digest
        self.store = store
        mark = store.state.health.mark
        inFlight = WritesInFlight(store)
        map = DataMap(extents)
        checksums.reserveCapacity(Int(VolumeLayout.checksumCount(for: description.length)))
    }

    /// Takes the next `count` bytes at the front of `lease`: a multiple of
    /// `StoreLimits.uploadBufferBytesMin` except for the last. The buffer has at least
    /// `StoreLimits.uploadBufferBytesMin` bytes. Returns as soon as another buffer may come; the
    /// lease goes back to its pool by itself, also on failure.
    public func write(_ lease: consuming BufferLease, count: Int) async throws(StoreError) {
        precondition(isOpen, "an upload that has ended takes no more bytes")
        let end = received + UInt64(count)
        precondition(count > 0 && count <= Int(lease.region.count), "more than the buffer holds")
        precondition(end <= description.length, "more than was announced")
        precondition(
            end == description.length || count % StoreLimits.uploadBufferBytesMin == 0,
            "a part of a block")
        if let failure {
            store.memory.giveBack(lease)
            throw failure
        }
        let offset = received
        arrived(lease.region, count: count)
        received = end
        store.state.endReservation(UInt64(count))
        summed = 0
        let source = padded(lease.region, count: count)
        let mark = digest?.add(lease.region.part(from: 0, count: count))
        if mark != nil { store.count { $0.bytesHashed += UInt64(count) } }
        await start(lease.detach(), source, at: offset, mark)
        await inFlight.wait(atMost: StoreLimits.uploadWritesMax - 1)
        if let failure { throw failure }
    }

    /// Publishes the object once every byte of it has come. Fails as `SmallUpload.commit` does.
    public func commit(_ durability: Durability) async throws(StoreError) -> PutOutcome {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        await drain()
        if let failure {
            await abandonDigest()
            endReservation()
            await store.ledger.giveBack(map.extents)
            throw failure
        }
        precondition(received == description.length, "committed before its last byte")
        await finishDigest()
        let data = LargeData(
            description: description, map: map, checksums: checksums, sha256: sha256,
            object: store.newObjectID(), mark: mark)
        return try await store.publish(data, durability)
    }

    /// What all bytes turned out to be, once they have come: CRC32C, and SHA-256 if that was asked
    /// for at the beginning.
    public func digests() async -> ObjectDigests {
        precondition(received == description.length, "asked for before the last byte")
        await finishDigest()
        return ObjectDigests(
            sha256: sha256,
            crc32c: ObjectDigests.crc32c(checksums, length: description.length))
    }

    private func finishDigest() async {
        guard let digest = digest.take() else { return }
        sha256 = await digest.finish()
    }

    private func abandonDigest() async { await digest.take()?.abandon() }

    /// Gives the space back after the last write in flight has ended.
    public func abandon() async {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        await abandonDigest()
        await drain()
        endReservation()
        await store.ledger.giveBack(map.extents)
    }

    /// Ends it like `abandon`, but for what came of whole units: that is flushed, and can be gone
    /// on with under `id` until its time is over.
    public func keep(
        as id: UploadID, _ terms: UploadTerms, secondsToLive: UInt64
    ) async {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        await abandonDigest()
        await drain()
        endReservation()
        let units = Array(checksums.prefix(Int(received / UInt64(StoreLimits.unitBytes))))
        if failure == nil, !units.isEmpty, let owner = store.state.owner(of: id) {
            do throws(UploadError) {
                return try await owner.adopt(
                    id, terms, map.extents, units: units, since: mark,
                    secondsToLive: secondsToLive)
            } catch {
                // There are too many, or the index is full: it is lost, as any other would be.
            }
        }
        await store.ledger.giveBack(map.extents)
    }

    /// What has not arrived never will.
    private func endReservation() {
        store.state.endReservation(description.length - received)
    }

    /// Tells that the next `count` bytes for `write` lie at the front of `buffer`, which may go on
    /// to fill: they are checksummed now, while they are in the processor's cache.
    public func arrived(_ buffer: Region, count: Int) {
        while summed < count {
            let step = min(StoreLimits.unitBytes - unit.count, count - summed)
            let part = store.memory.arena.bytes(buffer.part(from: summed, count: step))
            unit = (crc32c(part, continuing: unit.checksum), unit.count + step)
            summed += step
            let isLast = received + UInt64(summed) == description.length
            if unit.count == StoreLimits.unitBytes || isLast {
                checksums.append(unit.checksum)
                unit = (0, 0)
            }
        }
    }

    /// Whole blocks, with zeros behind the object's last byte.
    private func padded(_ region: Region, count: Int) -> Region {
        let blocks = Int(VolumeLayout.blocks(for: UInt64(count)))
        let whole = region.part(from: 0, count: blocks * VolumeLayout.blockSize)
        store.memory.arena.zero(whole.part(from: count, count: Int(whole.count) - count))
        return whole
    }

    /// Asks for the writes; a task of its own gives the buffer back when the last has ended.
    private func start(
        _ lease: Region, _ source: Region, at offset: UInt64, _ mark: UInt64?
    ) async {
        var writes: [(file: VolumeFile, write: VolumeFile.StartedWrite)] = []
        for piece in map.pieces(from: offset, count: Int(source.count)) {
            do throws(StoreError) {
                let file = try await store.files.file(piece.volume)
                let part = source.part(from: piece.skipped, count: piece.count)
                let write = try file.startWrite(part, at: piece.fileOffset, since: self.mark)
                writes.append((file, write))
            } catch {
                failure = error
                break
            }
        }
        inFlight.began()
        store.loop.inBackground { [self, digest] in
            for (file, write) in writes {
                do throws(StoreError) {
                    try await file.finishWrite(write)
                } catch {
                    failure = error
                }
            }
            if let mark { await digest?.settle(mark) }
            store.memory.giveBack(BufferLease(attaching: lease))
            inFlight.ended()
        }
    }

    private func drain() async { await inFlight.wait(atMost: 0) }

    deinit { precondition(!isOpen, "an upload was neither committed nor abandoned") }
}

extension ObjectStore {
    /// Reserves all space of an object longer than `StoreLimits.smallBytesMax`. Fails with
    /// `.noSpace`, `.tooLarge`, `.tooMuchReserved`, `.readOnly`, `.indexBehind`, `.kernel`,
    /// `.noDigest`. `makesSHA256`: also if the store does not keep that of all objects.
    public func beginLarge(
        _ description: UploadDescription, makesSHA256: Bool = false
    ) async throws(StoreError) -> LargeUpload {
        precondition(description.length > StoreLimits.smallBytesMax, "that is a small object")
        guard description.length <= StoreLimits.objectBytesMax else { throw .tooLarge }
        try admit()
        let extents = try await reserve(description.length)
        do throws(StoreError) {
            // In so many pieces that the record would not fit.
            guard recordBlocksMax(description, extents) <= StoreLimits.recordBlocksMax
            else { throw .noSpace }
            let digest = makesSHA256 || state.keepsSHA256 ? try makeDigest(.sha256) : nil
            return LargeUpload(description, store: self, extents: extents, digest: digest)
        } catch {
            await ledger.giveBack(extents)
            state.endReservation(description.length)
            throw error
        }
    }

    private func reserve(_ bytes: UInt64) async throws(StoreError) -> [Extent] {
        let start = loop.now
        defer { countWait(.commit, since: start) }
        return try await ledger.reserve(bytes)
    }
}
