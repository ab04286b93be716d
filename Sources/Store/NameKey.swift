/// An object's name as a key of tables that clients can fill: hashed once, with a secret.

struct NameKey: Hashable, Sendable {
    let bytes: [UInt8]
    /// Of `StoreState`'s own `NameHash`.
    let hash: UInt64

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    static func == (left: NameKey, right: NameKey) -> Bool {
        left.hash == right.hash && left.bytes == right.bytes
    }
}

/// That a name was looked up and no object had it, at a certain state of the catalog.
///
/// The catalog changes only by batches, which are counted before the overlay lets go of their
/// names. So while the count is the same, what is not in the overlay is still not in the catalog.
public struct NameAbsence: Equatable, Sendable {
    let batchCount: UInt64
}

/// What a look-up found.
public enum Finding: Sendable {
    /// Pinned until `ObjectStore.release`.
    case present(Pinned)
    case absent(NameAbsence)
}
