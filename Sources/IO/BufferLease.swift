/// The right to use one buffer of the arena, until it is given back to its pool.
///
/// A lease cannot be copied, so a buffer never has two users. It cannot be forgotten either:
/// dropping one traps. Where a lease must rest in plain data (a connection's slot, a queue of
/// writes in flight) it is detached there and attached again on the way out.
public struct BufferLease: ~Copyable {
    public let region: Region

    init(_ region: Region) { self.region = region }

    /// Takes up again what `detach` laid down.
    public init(attaching region: Region) { self.region = region }

    /// Lays the lease down as plain data; whoever keeps the region must attach it once.
    public consuming func detach() -> Region {
        let region = region
        discard self
        return region
    }

    deinit { precondition(false, "a buffer was dropped; give it back to its pool") }
}
