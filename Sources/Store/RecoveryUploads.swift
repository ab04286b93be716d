/// Uploads at a start: the catalog may call unfinished what the volumes know as an object.

import Catalog
import Checksums
import Volumes

extension Recovery {
    func unfinishedUploads() throws(StoreError) -> [ObjectID: UploadRecord] {
        var found: [ObjectID: UploadRecord] = [:]
        var failure: StoreError?
        try ask { reader throws(CatalogError) in
            try reader.forEachUpload { key, value in
                do throws(UploadRecordError) {
                    let record = try UploadRecord.decode(value.span.rawBytes)
                    if !record.isFinished { found[UploadID(key).object] = record }
                } catch {
                    failure = .index("an upload's record makes no sense: \(error)")
                }
            }
        }
        if let failure { throw failure }
        return found
    }

    func note(_ record: Record) {
        let id = record.header.stamp.object
        guard record.header.kind == .largeObject, let upload = uploads[id],
            isObject(record, of: upload)
        else { return }
        let reference = record.header.reference
        if let other = publishedUploads[id], other.sequence > reference.sequence { return }
        publishedUploads[id] = reference
    }

    /// An upload that belongs to a name has the number of the one before it. While that one's
    /// record is there its space is its own: a later upload has none of it.
    private func isObject(_ record: Record, of upload: UploadRecord) -> Bool {
        guard !upload.space.isEmpty
        else { return record.header.stamp.modifiedSeconds >= upload.createdSeconds }
        return upload.space.extents.contains { extent in
            record.extents.contains {
                $0.volume == extent.volume && $0.blocks.overlaps(extent.blocks)
            }
        }
    }

    /// The object is there: the upload was finished, and its space is the object's.
    func changesOfUpload(publishedBy record: Record) -> [CatalogChange] {
        let id = record.header.stamp.object
        guard let present = uploads[id], isObject(record, of: present),
            var upload = uploads.removeValue(forKey: id)
        else { return [] }
        // Its last chunk may have been the one that said so.
        upload.length = record.header.length
        return RecordedUpload(UploadID(id), upload)
            .changes(sequence: record.header.stamp.sequence)
    }

    /// Of uploads whose object was published, and removed or replaced again, nothing is left. A
    /// record that was written and given up says nothing: its upload goes on.
    func changesOfDeadUploads(_ plan: ReplayPlan) -> [CatalogChange] {
        let givenUp = Set(plan.settled.map(\.header.stamp.sequence))
        var changes: [CatalogChange] = []
        for (id, reference) in publishedUploads {
            guard !givenUp.contains(reference.sequence),
                let upload = uploads.removeValue(forKey: id)
            else { continue }
            changes += upload.space.extents.map { .dropExtent(address: $0.address.packed) }
            changes.append(.dropUpload(UploadID(id).catalog))
        }
        return changes
    }
}

extension RecordedUpload {
    /// As it was found in the catalog.
    convenience init(_ id: UploadID, _ record: UploadRecord) {
        var ended = record
        ended.received = ExtentMap()
        ended.space = SpaceMap()
        ended.fragments = []
        ended.partialUnits = []
        (ended.expectedSHA256, ended.expectedCRC32C) = (nil, nil)
        self.init(id: id, extents: Set(record.space.extents), record: ended)
    }
}
