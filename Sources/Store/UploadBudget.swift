/// How many uploads may lie unfinished, in all and for each owner, and how much space they may
/// have: for what has come of them, and reserved for what is under way.

/// Decides. Invariant: `heldBy` has nobody who holds nothing, and `all` is the sum of it.
struct UploadBudget: Sendable, Equatable {
    struct Holding: Sendable, Equatable {
        var count = 0
        var bytes: UInt64 = 0
    }

    let countMax: Int
    let countPerOwnerMax: Int
    let bytesMax: UInt64
    let bytesPerOwnerMax: UInt64
    private(set) var all = Holding()
    private(set) var heldBy: [[UInt8]: Holding] = [:]

    init(
        countMax: Int, countPerOwnerMax: Int, bytesMax: UInt64 = .max,
        bytesPerOwnerMax: UInt64 = .max
    ) {
        self.countMax = countMax
        self.countPerOwnerMax = countPerOwnerMax
        self.bytesMax = bytesMax
        self.bytesPerOwnerMax = bytesPerOwnerMax
    }

    /// What one upload may have at most, in whole blocks of so many bytes: alone it always may.
    func bytesPerUploadMax(blockBytes: UInt64) -> UInt64 {
        let most = min(bytesMax, bytesPerOwnerMax)
        return most - most % blockBytes
    }

    /// One more of that owner, which has so much space already; else which limit is in the way.
    mutating func begin(_ owner: [UInt8], holding bytes: UInt64 = 0) -> UploadLimit? {
        if all.count >= countMax { return .total(countMax) }
        if heldBy[owner, default: Holding()].count >= countPerOwnerMax {
            return .perOwner(countPerOwnerMax)
        }
        if let limit = limit(before: bytes, of: owner) { return limit }
        recall(owner, holding: bytes)
        return nil
    }

    /// One that was begun earlier, whatever the limits are now.
    mutating func recall(_ owner: [UInt8], holding bytes: UInt64) {
        heldBy[owner, default: Holding()].count += 1
        all.count += 1
        add(bytes, to: owner)
    }

    /// Space for an upload of that owner; else which limit is in the way.
    mutating func take(_ bytes: UInt64, for owner: [UInt8]) -> UploadLimit? {
        if let limit = limit(before: bytes, of: owner) { return limit }
        add(bytes, to: owner)
        return nil
    }

    /// Space that an upload of that owner had and has no more.
    mutating func giveBack(_ bytes: UInt64, of owner: [UInt8]) {
        guard bytes > 0 else { return }
        guard let present = heldBy[owner], present.bytes >= bytes else {
            preconditionFailure("space is given back that nobody had")
        }
        heldBy[owner]?.bytes -= bytes
        all.bytes -= bytes
    }

    /// An upload is none any more: finished, given up, or out of time.
    mutating func end(_ owner: [UInt8], holding bytes: UInt64) {
        giveBack(bytes, of: owner)
        guard let present = heldBy[owner] else {
            preconditionFailure("an upload ended that never began")
        }
        precondition(present.count > 1 || present.bytes == 0, "the last upload left space behind")
        heldBy[owner] =
            present.count > 1
            ? Holding(count: present.count - 1, bytes: present.bytes) : nil
        all.count -= 1
    }

    private func limit(before bytes: UInt64, of owner: [UInt8]) -> UploadLimit? {
        if bytes > bytesMax - min(bytesMax, all.bytes) { return .bytes(bytesMax) }
        let held = heldBy[owner]?.bytes ?? 0
        if bytes > bytesPerOwnerMax - min(bytesPerOwnerMax, held) {
            return .bytesPerOwner(bytesPerOwnerMax)
        }
        return nil
    }

    private mutating func add(_ bytes: UInt64, to owner: [UInt8]) {
        guard bytes > 0 else { return }
        heldBy[owner]?.bytes += bytes
        all.bytes += bytes
    }
}
