/// How many uploads may lie unfinished, in all and for each owner.

/// Decides. Invariant: `countOf` has no zeros, and `count` is the sum of it.
struct UploadBudget: Sendable, Equatable {
    let countMax: Int
    let countPerOwnerMax: Int
    private(set) var count = 0
    private var countOf: [[UInt8]: Int] = [:]

    init(countMax: Int, countPerOwnerMax: Int) {
        self.countMax = countMax
        self.countPerOwnerMax = countPerOwnerMax
    }

    /// One more of that owner; else which limit is in the way.
    mutating func begin(_ owner: [UInt8]) -> UploadLimit? {
        if count >= countMax { return .total(countMax) }
        if countOf[owner, default: 0] >= countPerOwnerMax { return .perOwner(countPerOwnerMax) }
        recall(owner)
        return nil
    }

    /// One that was begun earlier, whatever the limits are now.
    mutating func recall(_ owner: [UInt8]) {
        count += 1
        countOf[owner, default: 0] += 1
    }

    mutating func end(_ owner: [UInt8]) {
        guard let present = countOf[owner] else {
            preconditionFailure("an upload ended that never began")
        }
        count -= 1
        countOf[owner] = present > 1 ? present - 1 : nil
    }
}
