/// Where records lie, or may lie, that nobody was told of: their write or flush failed.
///
/// Their places stay taken until a restart, so they may be zeroed at any time.

import Volumes

struct DoubtfulRecords: Sendable {
    /// By place: the object that it removes, if it is a removal.
    private var removed: [BlockAddress: UInt64?] = [:]

    mutating func add(_ place: BlockAddress, removing sequence: UInt64?) {
        removed[place] = .some(sequence)
    }

    func places(on volume: VolumeID) -> [BlockAddress] {
        removed.keys.filter { $0.volume == volume }.sorted()
    }

    /// Answers which objects no record is left to remove.
    mutating func remove(_ places: [BlockAddress]) -> Set<UInt64> {
        var kept: Set<UInt64> = []
        for place in places {
            if case .some(.some(let sequence)) = removed.removeValue(forKey: place) {
                kept.insert(sequence)
            }
        }
        return kept.subtracting(removed.values.compactMap { $0 })
    }
}
