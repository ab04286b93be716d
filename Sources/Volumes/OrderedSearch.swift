// Binary search in what is kept in order.

extension Array {
    /// The first index whose element is `behind`, in an array that has all such elements at its
    /// end; `count` when none is. O(log n).
    @inline(__always)
    func partitionIndex(where behind: (Element) -> Bool) -> Int {
        var (lower, upper) = (0, count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if behind(self[middle]) { upper = middle } else { lower = middle + 1 }
        }
        return lower
    }
}
