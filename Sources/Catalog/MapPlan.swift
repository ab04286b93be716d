/// Decides how large the catalog's map and file may be.
///
/// Objects are refused when the pages that hold entries would pass `limitBytes`. Map and file go
/// `headroomBytes` beyond that, so removals, which rewrite pages before they free any, always find
/// room: in free pages of the file or beyond its end.
struct MapPlan: Sendable, Equatable {
    let limitBytes: UInt64
    let headroomBytes: UInt64

    /// Whether objects may be added if afterwards entries take `usedBytes`.
    func admitsObjects(usedBytes: UInt64) -> Bool { usedBytes <= limitBytes }

    /// The next size after the map of `mapBytes` was too small. Nil: the catalog is full.
    func sizeToGrowTo(from mapBytes: UInt64) -> UInt64? {
        let end = limitBytes + headroomBytes
        return mapBytes < end ? min(mapBytes * 2, end) : nil
    }

    /// How far the file's disk blocks should be reserved. `reservedBytes` are, and the file itself
    /// reaches to `fileBytes`, of which entries take `usedBytes`. Nil: far enough.
    /// Reserved in steps, so that few commits pay for it.
    func reservation(from reservedBytes: UInt64, fileBytes: UInt64, usedBytes: UInt64) -> UInt64? {
        let reach = max(reservedBytes, fileBytes)
        guard reach < usedBytes + headroomBytes else { return nil }
        return fileBytes + headroomBytes + headroomBytes / 4
    }
}
