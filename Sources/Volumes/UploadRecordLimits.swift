// How much one upload record may hold: whoever takes in bytes asks before, and refuses what the
// record could not say any more.

/// The limits of an upload record. All of them reached at once still fit into 768 KiB.
public enum UploadRecordLimits {
    public static let metadataBytesMax = 4096
    /// Uploads that one was put together from.
    public static let partsMax = 256
    /// Runs of bytes that have come with gaps between them.
    public static let rangesMax = 4096
    /// Pieces that the blocks of an unfinished upload may lie in.
    public static let piecesMax = 4096
    public static let partialUnitsMax = 4096
    /// Blocks of which a part has come: two for every run that starts and ends within one.
    public static let fragmentsMax = 64

    /// Bytes of the largest record. One with a list of parts is finished, and has little else.
    public static let encodedBytesMax =
        UploadRecordShape.fixedByteCount + RecordText.nameBytesMax + RecordText.ownerBytesMax
        + RecordText.tenantBytesMax + RecordText.mediaTypeBytesMax + metadataBytesMax
        + UploadRecordShape.progressByteCount
        + UploadRecordShape.sha256ByteCount + UploadRecordShape.crc32cByteCount
        + rangesMax * UploadRecordShape.rangeByteCount
        + piecesMax * UploadRecordShape.pieceByteCount
        + partialUnitsMax * UploadRecordShape.partialUnitByteCount
        + fragmentsMax * (UploadRecordShape.fragmentByteCount + VolumeLayout.blockSize)
}

extension UploadRecord {
    /// The first part that is larger than a record may hold; nil when the record can be encoded.
    public var excess: UploadRecordPart? { UploadRecordShape(self).excess }

    public var fits: Bool { excess == nil }
}
