/// What all cores share of one open store; made by `StoreOpening.open`.
public final class StoreShared: Sendable {
    /// Before any core serves: all of them, so that a removal reaches each.
    public func join(_ core: any StoreCore) {}

    /// Indexes what is published and marks the catalog clean. Nothing may be in progress.
    public func close() async throws(StoreError) {}
}
