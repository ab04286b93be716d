/// What is known of the checksums of 1,024 units in a row (64 MiB of an upload).
///
/// Invariant: a unit is whole, or partial, or nothing is known of it.
struct ChecksumPage: Sendable {
    static let unitCount = 1024

    let number: Int
    /// Those of the units up to the highest that ever was whole; 0 for every one that is not.
    private(set) var checksums: [UInt32] = []
    /// In order.
    private(set) var partialUnits: [PartialUnit] = []
    /// Whether `checksums` are others than those that were taken for the catalog.
    var isDirty = false
    /// One bit a unit.
    private var whole = InlineArray<16, UInt64>(repeating: 0)

    init(number: Int) { self.number = number }

    /// Adds unit `unit`, counted from the upload's start, as a whole.
    mutating func put(unit: Int, _ checksum: UInt32) {
        let slot = slot(of: unit)
        makeRoom(for: slot)
        checksums[slot] = checksum
        setWhole(slot, true)
        isDirty = true
        let index = partialIndex(of: unit)
        if hasPartial(unit, at: index) { partialUnits.remove(at: index) }
    }

    /// Adds one block of `unit`; the last of its 16 makes the unit whole.
    mutating func put(block: Int, of unit: Int, _ checksum: UInt32) {
        reopen(unit)
        let index = partialIndex(of: unit)
        if !hasPartial(unit, at: index) { partialUnits.insert(PartialUnit(unit: unit), at: index) }
        partialUnits[index].put(block: block, checksum)
        if let combined = partialUnits[index].combined(first: PartialUnit.blockCount) {
            put(unit: unit, combined)
        }
    }

    /// Takes over the units of `slots`, counted from the page's start, as they were stored; false
    /// when `stored` has not all of them.
    mutating func restore(_ slots: Range<Int>, from stored: [UInt32]) -> Bool {
        guard !slots.isEmpty else { return true }
        guard slots.upperBound <= stored.count else { return false }
        makeRoom(for: slots.upperBound - 1)
        for slot in slots {
            checksums[slot] = stored[slot]
            setWhole(slot, true)
        }
        return true
    }

    func isWhole(_ unit: Int) -> Bool {
        let slot = slot(of: unit)
        return whole[slot / 64] >> UInt64(slot % 64) & 1 == 1
    }

    /// Whether the first `count` units of the page are whole.
    func isWhole(first count: Int) -> Bool {
        for word in 0..<count / 64 where whole[word] != .max { return false }
        let rest = count % 64
        guard rest > 0 else { return true }
        let wanted = (UInt64(1) << UInt64(rest)) - 1
        return whole[count / 64] & wanted == wanted
    }

    func partialUnit(_ unit: Int) -> PartialUnit? {
        let index = partialIndex(of: unit)
        return hasPartial(unit, at: index) ? partialUnits[index] : nil
    }
}

extension ChecksumPage {
    private func slot(of unit: Int) -> Int { unit - number * ChecksumPage.unitCount }

    private mutating func makeRoom(for slot: Int) {
        guard slot >= checksums.count else { return }
        checksums.append(contentsOf: repeatElement(0, count: slot + 1 - checksums.count))
    }

    private mutating func setWhole(_ slot: Int, _ isWhole: Bool) {
        let bit = UInt64(1) << UInt64(slot % 64)
        if isWhole { whole[slot / 64] |= bit } else { whole[slot / 64] &= ~bit }
    }

    /// Forgets a whole unit: the sums of its other blocks are gone, so nothing is known of them.
    private mutating func reopen(_ unit: Int) {
        guard isWhole(unit) else { return }
        setWhole(slot(of: unit), false)
        checksums[slot(of: unit)] = 0
        isDirty = true
    }

    private func partialIndex(of unit: Int) -> Int {
        partialUnits.partitionIndex { $0.unit >= unit }
    }

    private func hasPartial(_ unit: Int, at index: Int) -> Bool {
        index < partialUnits.count && partialUnits[index].unit == unit
    }
}
