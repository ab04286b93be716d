import IO
public import Volumes

/// What all cores share of one open store; made by `StoreOpening.open`.
public final class StoreShared: Sendable {
    let state: StoreState
    let ledger: Ledger
    let directory: Descriptor
    /// Nil while memory holds the catalog.
    let coldLookups: ColdLookups?

    init(
        state: StoreState, ledger: Ledger, directory: Descriptor, coldLookups: ColdLookups?
    ) {
        self.state = state
        self.ledger = ledger
        self.directory = directory
        self.coldLookups = coldLookups
    }

    /// Before any core serves: all of them, so that a removal reaches each.
    public func join(_ core: any StoreCore) { state.join(core) }

    /// Indexes what is published and marks the catalog clean. Every `ObjectStore` is closed.
    public func close() async throws(StoreError) { try await ledger.close() }

    /// Blocks of the small and of the large volumes: in all, free, used. What cores have leased of
    /// small volumes counts as used.
    public func space() async -> (small: SpaceStatistics, large: SpaceStatistics) {
        await ledger.space
    }

    /// The same for small and large volumes in bytes, without what only allocators care for.
    public func volumeSpace() async -> (small: VolumeSpace, large: VolumeSpace) {
        let (small, large) = await ledger.space
        return (VolumeSpace(small), VolumeSpace(large))
    }

    /// What all volumes together may grow to.
    public var capacityBytes: UInt64 {
        ledger.capacityBlocks * UInt64(VolumeLayout.blockSize)
    }

    /// Changes that the index does not have yet.
    public var unindexedCount: Int { state.unindexedCount }

    /// What large uploads that are under way have announced and not yet sent.
    public var bytesReserved: UInt64 { state.bytesReserved }

    /// Uploads that may be gone on with.
    public var unfinishedUploads: Int { state.unfinishedCount }

    /// The space that those have.
    public var unfinishedBytes: UInt64 { state.unfinishedBytes }

    /// No upload that may be resumed may be longer.
    public var uploadBytesMax: UInt64 { state.uploadBytesMax }

    /// Volumes that take no writes at the moment.
    public var failedVolumes: [VolumeName] { state.failedVolumes.map { VolumeName($0) } }
}

/// Bytes of the volumes of one class as they are now; they may still grow.
public struct VolumeSpace: Equatable, Sendable {
    public let totalBytes: UInt64
    public let freeBytes: UInt64

    public init(totalBytes: UInt64, freeBytes: UInt64) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
    }

    init(_ statistics: SpaceStatistics) {
        let blockSize = UInt64(VolumeLayout.blockSize)
        self.init(
            totalBytes: statistics.volumeBlocks * blockSize,
            freeBytes: statistics.freeBlocks * blockSize)
    }
}
