/// The free blocks of one volume or segment, as maximal runs in order of their start.
///
/// Runs lie in leaves of at most `leafMax`, each of which knows its longest run: every operation
/// touches one leaf and skims the others' summaries, about the square root of the number of runs.
///
/// Invariant: runs ascend, never touch each other, and no leaf is empty.
struct FreeRuns: Equatable, Sendable {
    struct Run: Equatable, Sendable {
        var start: UInt32
        var count: UInt32
        var end: UInt32 { start + count }
    }

    private struct Leaf: Equatable, Sendable {
        var runs: [Run]
        var longest: UInt32

        mutating func summarise() {
            longest = runs.reduce(0) { max($0, $1.count) }
        }
    }

    static let leafMax = 256

    private var leaves: [Leaf] = []
    private(set) var blockCount: UInt64 = 0

    var longest: UInt32 { leaves.reduce(0) { max($0, $1.longest) } }
    var runCount: Int { leaves.reduce(0) { $0 + $1.runs.count } }

    /// Every run, in order. O(n).
    var all: [Run] { leaves.flatMap(\.runs) }

    /// Whether all of `blocks` is free.
    func contains(_ blocks: Range<UInt32>) -> Bool {
        guard let place = place(of: blocks.lowerBound) else { return false }
        return leaves[place.leaf].runs[place.index].end >= blocks.upperBound
    }

    /// What of `blocks` is free, in order. O(leaves and what it answers).
    func parts(of blocks: Range<UInt32>) -> [Range<UInt32>] {
        var parts: [Range<UInt32>] = []
        for leaf in leaves {
            guard let first = leaf.runs.first, let last = leaf.runs.last,
                first.start < blocks.upperBound, last.end > blocks.lowerBound
            else { continue }
            for run in leaf.runs
            where run.start < blocks.upperBound && run.end > blocks.lowerBound {
                parts.append(
                    max(run.start, blocks.lowerBound)..<min(run.end, blocks.upperBound))
            }
        }
        return parts
    }

    /// Adds `blocks`, none of which may be free yet, and joins them with their neighbours.
    mutating func insert(_ blocks: Range<UInt32>) {
        precondition(!blocks.isEmpty)
        var run = Run(start: blocks.lowerBound, count: UInt32(blocks.count))
        blockCount += UInt64(run.count)
        let before = blocks.lowerBound == 0 ? nil : place(of: blocks.lowerBound - 1)
        if let before {
            let left = leaves[before.leaf].runs[before.index]
            precondition(left.end == run.start, "blocks \(blocks) are free already")
            run.start = left.start
            run.count += left.count
            remove(before)
        }
        if let after = firstPlace(from: blocks.lowerBound) {
            let right = leaves[after.leaf].runs[after.index]
            precondition(right.start >= blocks.upperBound, "blocks \(blocks) are free already")
            if right.start == blocks.upperBound {
                run.count += right.count
                remove(after)
            }
        }
        put(run)
    }

    /// Takes `blocks` out, all of which must be free.
    mutating func subtract(_ blocks: Range<UInt32>) {
        guard let place = place(of: blocks.lowerBound) else {
            preconditionFailure("blocks \(blocks) are not free")
        }
        let run = leaves[place.leaf].runs[place.index]
        precondition(run.end >= blocks.upperBound, "blocks \(blocks) are not all free")
        blockCount -= UInt64(blocks.count)
        let left = Run(start: run.start, count: blocks.lowerBound - run.start)
        let right = Run(start: blocks.upperBound, count: run.end - blocks.upperBound)
        switch (left.count > 0, right.count > 0) {
        case (false, false):
            remove(place)
            return
        case (true, false):
            leaves[place.leaf].runs[place.index] = left
        case (false, true):
            leaves[place.leaf].runs[place.index] = right
        case (true, true):
            leaves[place.leaf].runs[place.index] = left
            leaves[place.leaf].runs.insert(right, at: place.index + 1)
        }
        settle(place.leaf, lost: run.count)
    }

    /// The lowest free place for `count` blocks that starts at a multiple of `alignment`.
    func firstFit(_ count: UInt32, alignment: UInt32 = 1) -> UInt32? {
        for leaf in leaves where leaf.longest >= count {
            for run in leaf.runs where run.count >= count {
                let start = aligned(run.start, to: alignment)
                if start + UInt64(count) <= UInt64(run.end) { return UInt32(start) }
            }
        }
        return nil
    }

    /// The longest free run, cut to whole multiples of `alignment` at both ends; the lowest of
    /// several. Nil when nothing is left of any.
    func longestRun(alignment: UInt32 = 1) -> Range<UInt32>? {
        var best: Range<UInt32>?
        for leaf in leaves where leaf.longest > UInt32(best?.count ?? 0) {
            for run in leaf.runs where run.count > UInt32(best?.count ?? 0) {
                let start = aligned(run.start, to: alignment)
                let end = UInt64(run.end / alignment * alignment)
                guard start < end, end - start > UInt64(best?.count ?? 0) else { continue }
                best = UInt32(start)..<UInt32(end)
            }
        }
        return best
    }

    private func aligned(_ start: UInt32, to alignment: UInt32) -> UInt64 {
        (UInt64(start) + UInt64(alignment) - 1) / UInt64(alignment) * UInt64(alignment)
    }
}

// Where runs are, and keeping the leaves in shape.
extension FreeRuns {
    private struct Place {
        let leaf: Int
        let index: Int
    }

    /// The run that holds `block`.
    private func place(of block: UInt32) -> Place? {
        guard let leaf = lastIndex(leaves, startingAtOrBelow: block, start: { $0.runs[0].start })
        else { return nil }
        let runs = leaves[leaf].runs
        guard let index = lastIndex(runs, startingAtOrBelow: block, start: { $0.start }),
            runs[index].end > block
        else { return nil }
        return Place(leaf: leaf, index: index)
    }

    /// The first run that starts at `block` or later.
    private func firstPlace(from block: UInt32) -> Place? {
        let leaf = lastIndex(leaves, startingAtOrBelow: block, start: { $0.runs[0].start })
        guard let leaf else { return leaves.isEmpty ? nil : Place(leaf: 0, index: 0) }
        let runs = leaves[leaf].runs
        guard let index = lastIndex(runs, startingAtOrBelow: block, start: { $0.start })
        else { return Place(leaf: leaf, index: 0) }
        if runs[index].start == block { return Place(leaf: leaf, index: index) }
        if index + 1 < runs.count { return Place(leaf: leaf, index: index + 1) }
        return leaf + 1 < leaves.count ? Place(leaf: leaf + 1, index: 0) : nil
    }

    private func lastIndex<Element>(
        _ elements: [Element], startingAtOrBelow block: UInt32, start: (Element) -> UInt32
    ) -> Int? {
        var lower = 0
        var upper = elements.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if start(elements[middle]) <= block { lower = middle + 1 } else { upper = middle }
        }
        return lower == 0 ? nil : lower - 1
    }

    private mutating func put(_ run: Run) {
        guard !leaves.isEmpty else {
            leaves = [Leaf(runs: [run], longest: run.count)]
            return
        }
        let leaf =
            lastIndex(leaves, startingAtOrBelow: run.start, start: { $0.runs[0].start }) ?? 0
        let before = lastIndex(
            leaves[leaf].runs, startingAtOrBelow: run.start, start: { $0.start })
        leaves[leaf].runs.insert(run, at: before.map { $0 + 1 } ?? 0)
        leaves[leaf].longest = max(leaves[leaf].longest, run.count)
        split(leaf)
    }

    private mutating func remove(_ place: Place) {
        let run = leaves[place.leaf].runs.remove(at: place.index)
        settle(place.leaf, lost: run.count)
    }

    /// Restores the invariant of a leaf that lost (part of) a run of `lost` blocks.
    private mutating func settle(_ leaf: Int, lost: UInt32) {
        if leaves[leaf].runs.isEmpty {
            leaves.remove(at: leaf)
            return
        }
        if lost == leaves[leaf].longest { leaves[leaf].summarise() }
        split(leaf)
    }

    private mutating func split(_ leaf: Int) {
        guard leaves[leaf].runs.count > FreeRuns.leafMax else { return }
        let middle = leaves[leaf].runs.count / 2
        var upper = Leaf(runs: Array(leaves[leaf].runs[middle...]), longest: 0)
        upper.summarise()
        leaves[leaf].runs.removeSubrange(middle...)
        leaves[leaf].summarise()
        leaves.insert(upper, at: leaf + 1)
    }
}
