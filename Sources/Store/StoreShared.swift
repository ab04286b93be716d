import IO
public import Volumes

/// What all cores share of one open store; made by `StoreOpening.open`.
public final class StoreShared: Sendable {
    let state: StoreState
    let ledger: Ledger
    let directory: Descriptor

    init(state: StoreState, ledger: Ledger, directory: Descriptor) {
        self.state = state
        self.ledger = ledger
        self.directory = directory
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

    /// Changes that the index does not have yet.
    public var unindexedCount: Int { state.unindexedCount }

    /// Volumes that take no writes until a restart.
    public var failedVolumes: [VolumeName] { state.failedVolumes.map { VolumeName($0) } }
}
