/// Uploads under way: where the bytes go before the object exists.

public import IO

/// An upload of at most `StoreLimits.smallBytesMax` bytes, in one buffer from the first byte to
/// the disk. Ends with exactly one of `commit` and `abandon`.
public final class SmallUpload {
    public let description: UploadDescription
    /// Where the body is to be received: exactly `description.length` bytes.
    public let dataRegion: Region

    init(_ description: UploadDescription, dataRegion: Region) {
        self.description = description
        self.dataRegion = dataRegion
    }

    /// Publishes what lies in `dataRegion`. Fails with `.readOnly`, `.noSpace`, `.kernel`,
    /// `.indexBehind`: then nothing was acknowledged and the upload has ended.
    public func commit(_ durability: Durability) async throws(StoreError) -> PutOutcome {
        throw .noSpace
    }

    /// Gives buffer and space back.
    public func abandon() {}
}

/// An upload of more than `StoreLimits.smallBytesMax` bytes, whose space was reserved whole.
/// Ends with exactly one of `commit` and `abandon`, whatever `write` answered.
public final class LargeUpload {
    public let description: UploadDescription
    /// Bytes taken so far.
    public private(set) var received: UInt64 = 0

    init(_ description: UploadDescription) { self.description = description }

    /// Takes the next `count` bytes at the front of `lease`: a multiple of
    /// `StoreLimits.unitBytes` except for the last. Returns as soon as another buffer may come; the
    /// lease goes back to its pool by itself, also on failure.
    public func write(_ lease: consuming BufferLease, count: Int) async throws(StoreError) {
        _ = lease.detach()
        throw .noSpace
    }

    /// Publishes the object once every byte of it has come.
    public func commit(_ durability: Durability) async throws(StoreError) -> PutOutcome {
        throw .noSpace
    }

    /// Gives the space back after the last write in flight has ended.
    public func abandon() async {}
}
