/// Which names have records that failed and may be on a disk all the same, and which removals have
/// to stay for that: the ledger's.
///
/// Invariant: as long as a record of a name that nobody was told of may be on a disk, and that name
/// was put and removed since, the newest removal of it stays: its record on its volume, and its row
/// in the catalog. So a start, which takes in what the catalog's removals say as if it had scanned
/// them, finds for each record that failed the last word on its name: in the catalog, in a segment
/// that it scans, or in such a removal; whatever `applied` says, and also without the catalog,
/// when it scans all. For the highest sequence wins, and one name's sequences rise in the order in
/// which it was claimed.
///
/// What goes first, goes on the disk: a record that failed is durably zeroed before it is `settled`
/// here, and only behind that the removal's block is free and its row dropped.

struct DoubtfulRecords: Sendable {
    /// Of objects, by name: their sequences.
    private var failed: [NameKey: Set<UInt64>] = [:]
    /// Those that are cleaned up but for the removal itself, by name: the newest.
    private var kept: [NameKey: RemovedObject] = [:]

    /// An object's record of that sequence may be on the disk, and nobody was told. Before anybody
    /// else may claim the name.
    mutating func failed(_ name: NameKey, sequence: UInt64) {
        failed[name, default: []].insert(sequence)
    }

    func hasFailed(_ name: NameKey) -> Bool { failed[name] != nil }

    /// Of an object nothing is left but the removal: answers which one need not stay, this one or
    /// an older one that it stands for.
    mutating func removed(_ name: NameKey, _ removal: RemovedObject) -> RemovedObject? {
        guard isNeeded(removal, name) else { return removal }
        guard let other = kept[name] else {
            kept[name] = removal
            return nil
        }
        let (newer, older) =
            other.sequence < removal.sequence ? (removal, other) : (other, removal)
        kept[name] = newer
        return older
    }

    /// That record is durably no more: answers the removal that need not stay any longer.
    mutating func settled(_ name: NameKey, sequence: UInt64) -> RemovedObject? {
        failed[name]?.remove(sequence)
        if failed[name]?.isEmpty == true { failed[name] = nil }
        guard let removal = kept[name], !isNeeded(removal, name) else { return nil }
        return kept.removeValue(forKey: name)
    }

    private func isNeeded(_ removal: RemovedObject, _ name: NameKey) -> Bool {
        failed[name]?.contains { $0 < removal.sequence } ?? false
    }
}
