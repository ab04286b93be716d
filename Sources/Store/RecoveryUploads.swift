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
        if let removed = record.header.stamp.supersedes { removedRecords.insert(removed) }
        for id in uploads(within: record) {
            let reference = record.header.reference
            if let other = publishedUploads[id], other.sequence > reference.sequence { continue }
            publishedUploads[id] = reference
        }
    }

    /// The uploads that a record is the object of: the one whose number it bears, or all that were
    /// put together. Their space is the object's. An upload that belongs to a name has the number
    /// of the one before it: while that one's record is there, a later upload has none of its
    /// space.
    private func uploads(within record: Record) -> Set<ObjectID> {
        guard record.header.kind == .largeObject else { return [] }
        var found = uploadSpaces.uploads(in: record.extents)
        let id = record.header.stamp.object
        if let upload = uploads[id], upload.space.isEmpty,
            record.header.stamp.modifiedSeconds >= upload.createdSeconds
        {
            found.insert(id)
        }
        return found
    }

    /// The object is there: the upload was finished, and its space is the object's. So are those
    /// that were put together, of which nothing is left.
    func changesOfUploads(publishedBy record: Record) -> [CatalogChange] {
        var changes: [CatalogChange] = []
        for id in uploads(within: record) {
            guard var upload = uploads.removeValue(forKey: id) else { continue }
            guard id == record.header.stamp.object else {
                changes += RecordedPart(UploadID(id), upload).endingChanges
                continue
            }
            // Its last chunk may have been the one that said so.
            upload.length = record.header.length
            changes += RecordedUpload(UploadID(id), upload)
                .changes(sequence: record.header.stamp.sequence)
        }
        return changes
    }

    /// Of uploads whose object was published, and removed again, nothing is left. A record that was
    /// written and given up, whoever has its name now, says nothing: its uploads go on. Nobody
    /// removes an object that was never published, and the removal is on the disk as long as the
    /// dead record is.
    func changesOfDeadUploads() -> [CatalogChange] {
        var changes: [CatalogChange] = []
        for (id, reference) in publishedUploads where removedRecords.contains(reference) {
            guard let upload = uploads.removeValue(forKey: id) else { continue }
            changes += RecordedPart(UploadID(id), upload).endingChanges
        }
        return changes
    }
}

extension RecordedPart {
    /// As it was found in the catalog.
    init(_ id: UploadID, _ record: UploadRecord) {
        self.init(id: id, extents: Set(record.space.extents))
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
