/// An upload that is put together from others and about to become an object: what of, and what the
/// catalog is to be told then.

import Catalog
import Volumes

struct JoinedUpload {
    let upload: OpenUpload
    let parts: [LentPart]
    let content: JoinedParts
    let description: UploadDescription
    /// What the catalog is to have of it, and no longer of its parts.
    let recorded: RecordedUpload

    init(_ upload: OpenUpload, _ parts: [LentPart], at time: UInt64) {
        self.upload = upload
        self.parts = parts
        var content = JoinedParts()
        for part in parts {
            content.append(
                length: part.length, extents: part.extents, checksums: part.checksums)
        }
        self.content = content
        let terms = upload.terms
        description = UploadDescription(
            name: terms.name, length: content.length, mediaType: terms.mediaType,
            owner: terms.owner, tenant: terms.tenant, modified: time)
        recorded = RecordedUpload(
            id: upload.id, extents: [], record: upload.endRecord(at: time),
            parts: parts.map(\.recorded))
    }

    var isLarge: Bool { content.length > UInt64(StoreLimits.smallBytesMax) }

    /// In more pieces than one object may be, or than one record of it can tell.
    var isTooScattered: Bool {
        guard isLarge else { return false }
        let count = content.extents.count
        guard count <= VolumeLayout.extentsPerObjectMax else { return true }
        // Its digest may turn out to need one more.
        return data.recordBlocks >= StoreLimits.recordBlocksMax
    }

    var data: LargeData {
        LargeData(
            description: description, map: DataMap(content.extents),
            checksums: content.checksums, sha256: upload.digests.sha256,
            segments: content.segments, object: upload.id.object, upload: recorded,
            mark: parts.map(\.mark).min() ?? .start)
    }

    /// As much as the catalog may be told at once.
    var changesMost: [CatalogChange] {
        recorded.changes(sequence: 1)
            + content.extents.map { .addExtent(CatalogExtent(data: $0)) }
    }
}
