/// An upload of at most `StoreLimits.smallBytesMax` bytes, in one buffer from the first byte to
/// the disk. Ends with exactly one of `commit` and `abandon`.
///
///     open (its place is reserved) ──commit──▶ claimed ──▶ written ──flush──▶ published
///       └──abandon                   └─ the name is taken: compared, every byte

import Catalog
import Checksums
public import IO
import Loop
import Volumes

public final class SmallUpload {
    public let description: UploadDescription
    /// Where the body is to be received: exactly `description.length` bytes.
    public let dataRegion: Region
    let region: Region
    let place: Packer.Place
    private let store: ObjectStore
    private var isOpen = true

    init(
        _ description: UploadDescription, store: ObjectStore, place: Packer.Place,
        lease: consuming BufferLease, headerByteCount: Int
    ) {
        self.description = description
        self.store = store
        self.place = place
        dataRegion = lease.region.part(
            from: headerByteCount, count: Int(description.length))
        region = lease.detach()
    }

    /// Publishes what lies in `dataRegion`. Fails with `.readOnly`, `.kernel`, `.indexBehind`,
    /// `.index`: then nothing was acknowledged and the upload has ended.
    public func commit(_ durability: Durability) async throws(StoreError) -> PutOutcome {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        return try await store.publish(self, durability)
    }

    /// Gives buffer and space back.
    public func abandon() {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        giveBack()
    }

    /// Nothing of it was written.
    func giveBack() {
        giveBackBuffer()
        store.packer.resolve(place, isUnused: true)
    }

    func giveBackBuffer() { store.memory.giveBack(BufferLease(attaching: region)) }

    deinit { precondition(!isOpen, "an upload was neither committed nor abandoned") }
}

extension ObjectStore {
    /// Reserves space and a buffer for an object of at most `StoreLimits.smallBytesMax` bytes.
    /// Fails with `.noSpace`, `.readOnly`, `.indexBehind`, `.kernel`.
    public func beginSmall(
        _ description: UploadDescription
    ) async throws(StoreError) -> SmallUpload {
        let (blocks, header) = try shape(description)
        let place = try await place(blocks: blocks)
        return SmallUpload(
            description, store: self, place: place,
            lease: await memory.lease(Int(blocks) * VolumeLayout.blockSize),
            headerByteCount: header)
    }

    /// `beginSmall` without a suspension; nil where it needs one.
    public func beginSmallNow(
        _ description: UploadDescription
    ) throws(StoreError) -> SmallUpload? {
        let (blocks, header) = try shape(description)
        guard let place = packer.placeNow(blocks: blocks) else { return nil }
        guard let lease = memory.leaseNow(Int(blocks) * VolumeLayout.blockSize) else {
            packer.resolve(place, isUnused: true)
            return nil
        }
        return SmallUpload(
            description, store: self, place: place, lease: lease, headerByteCount: header)
    }

    /// Blocks of the record, and bytes of its header, of an upload that may begin now.
    private func shape(
        _ description: UploadDescription
    ) throws(StoreError) -> (blocks: UInt32, headerByteCount: Int) {
        precondition(description.length <= StoreLimits.smallBytesMax, "that is a large object")
        try admit()
        return description.withText {
            (
                RecordEncoding.blockCount(smallObjectOf: Int(description.length), $0),
                RecordEncoding.headerByteCount($0)
            )
        }
    }

    /// Refuses uploads while the index has no room or lies too far behind.
    func admit() throws(StoreError) {
        guard state.unindexedCount < StoreLimits.unindexedMax else { throw .indexBehind }
        guard state.catalog.usage.hasRoom(forObjects: state.unindexedCount + 1)
        else { throw .noSpace }
    }

    @inline(__always)
    fileprivate func publish(
        _ upload: SmallUpload, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome {
        let checksum = crc32c(memory.arena.bytes(upload.dataRegion))
        while true {
            let sequence: UInt64?
            do throws(StoreError) {
                sequence = try await claim(upload.description)
                if sequence == nil,
                    let outcome = try await compare(upload, checksum, durability)
                {
                    upload.giveBack()
                    return outcome
                }
            } catch {
                upload.giveBack()
                throw error
            }
            if let sequence {
                let claimed = ClaimedPlace(place: upload.place, sequence: sequence)
                let record = complete(upload, checksum, claimed)
                try await write(record, of: upload, durability)
                return .created(record.object)
            }
        }
    }

    /// Completes the record that the upload's buffer holds the data of.
    private func complete(
        _ upload: SmallUpload, _ checksum: UInt32, _ claimed: ClaimedPlace
    ) -> RecordWrite {
        let description = upload.description
        let extent = claimed.place.extent
        let stamp = stamp(description, extent, claimed.sequence)
        let text = RecordText(
            name: description.name.span.rawBytes, owner: description.owner.span.rawBytes,
            tenant: description.tenant.span.rawBytes,
            mediaType: description.mediaType.span.rawBytes)
        var bytes = memory.arena.mutableBytes(
            upload.region.part(from: 0, count: Int(extent.byteCount)))
        RecordEncoding.encodeSmallObject(
            into: &bytes, stamp: stamp, text: text, length: Int(description.length),
            checksum: checksum, seal: seal)
        let object = StoredObject(
            length: description.length, sequence: claimed.sequence,
            modified: description.modified, kind: .small, record: extent)
        return RecordWrite(
            name: description.name, claimed: claimed, object: object, data: [],
            mark: state.health.mark)
    }

    /// Brings the record to the disk, gives the buffer back, and publishes, now or soon.
    @inline(__always)
    private func write(
        _ record: RecordWrite, of upload: SmallUpload, _ durability: Durability
    ) async throws(StoreError) {
        let isEarly = durability == .written || state.faults.contains(.earlyAcknowledgement)
        let place = record.claimed.place.extent
        do throws(StoreError) {
            defer { upload.giveBackBuffer() }
            let source = upload.region.part(from: 0, count: Int(place.byteCount))
            let file = try await file(place.volume)
            if isEarly {
                try await write(record: source, to: place, in: file, since: record.mark)
            } else {
                try await writeDurably(record: source, to: place, in: file)
            }
        } catch {
            await withdraw(record)
            throw error
        }
        count {
            $0.puts += 1
            $0.bytesWritten += record.object.length
        }
        if isEarly {
            state.provide(record.name, record.object.entry)
            finishInBackground { [self] in try? await finish(record) }
        } else {
            await conclude(record)
        }
    }
}
