/// Decides how large the catalog's map should be: it doubles as the catalog grows, up to a limit
/// for objects, and beyond that by the headroom in which removals always find room.
struct MapPlan: Sendable, Equatable {
    let limitBytes: UInt64
    let headroomBytes: UInt64

    /// The next size after the map of `mapBytes` was too small for a commit. Nil: the catalog is full.
    func sizeToGrowTo(from mapBytes: UInt64, addsObjects: Bool) -> UInt64? {
        let end = addsObjects ? limitBytes : limitBytes + headroomBytes
        guard mapBytes < end else { return nil }
        return min(mapBytes * 2, end)
    }

    /// The size to return to before objects are added, so that they do not eat the headroom that an
    /// earlier removal opened. Nil: leave it. The map always covers what the file uses.
    func sizeToShrinkTo(from mapBytes: UInt64, usedFileBytes: UInt64) -> UInt64? {
        let least = max(limitBytes, usedFileBytes)
        return mapBytes > least ? least : nil
    }

    /// How far the file's disk blocks should be reserved, given how far they are. Nil: far enough.
    /// Reserved in steps of the headroom, so that few commits pay for it.
    func reservation(from reservedBytes: UInt64, usedFileBytes: UInt64) -> UInt64? {
        guard reservedBytes < usedFileBytes + headroomBytes else { return nil }
        return usedFileBytes + 2 * headroomBytes
    }
}
