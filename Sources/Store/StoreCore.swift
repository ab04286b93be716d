/// What the store asks of every core when an object is deleted. The server's core actor forwards
/// both calls to its `ObjectStore` and drops its own cached copies in `forget`.
public protocol StoreCore: Actor {
    /// Its loop's.
    nonisolated var index: Int { get }
    /// The object no longer exists: drop cached copies of it, and refuse to cache what an older
    /// look-up of that sequence still brings.
    func forget(name: [UInt8], sequence: UInt64) async
    /// Returns when nobody on this core has the object of that sequence pinned.
    func waitUntilUnpinned(sequence: UInt64) async
    /// A newer request goes on with that upload: whoever receives for it here has to end.
    func cut(_ id: UploadID, writer: UInt64) async
}
