/// What the catalog keeps of clients: bytes by a key, of which the store knows no more.

import Catalog
import Loop

/// The value of a client's profile, or nil for no more profile.
public struct ProfileChange: Sendable {
    public let key: [UInt8]
    public let value: [UInt8]?

    public init(key: [UInt8], value: [UInt8]?) {
        (self.key, self.value) = (key, value)
    }
}

extension StoreShared {
    /// Of one call: as much as a full catalog has room for, if they are all dropped.
    public static let profileChangesMax = 1024

    /// Passes what the catalog keeps of clients to `body`, in the order of the keys' bytes.
    public func forEachProfile(
        _ body: (_ key: [UInt8], _ value: [UInt8]) -> Void
    ) throws(StoreError) {
        do throws(CatalogError) {
            try state.catalog.makeReader().forEachProfile(body)
        } catch {
            throw .index("\(error)")
        }
    }

    /// Returns when the catalog durably has all of `changes`, or has refused them, all alike.
    public func save(_ changes: [ProfileChange]) async throws(StoreError) {
        precondition(changes.count <= StoreShared.profileChangesMax, "too many profiles at once")
        let changes = changes.map { change in
            change.value.map { CatalogChange.putProfile(key: change.key, value: $0) }
                ?? .dropProfile(key: change.key)
        }
        // By themselves: what a full catalog refuses of clients must keep no object waiting.
        if let error = await ledger.indexer.apply(changes, applied: 0) { throw .index("\(error)") }
    }
}
