// Which CPUs get a core's thread: "0,1", "0-3,8", or a list of numbers.

/// CPU numbers in the order given, each at most once, never empty.
public struct CoreList: Equatable, Sendable {
    public let indices: [Int]

    /// The kernel's largest CONFIG_NR_CPUS on x86-64 (Linux 6.1): no CPU number reaches it.
    static let indexLimit = 8192

    /// `nil` when empty, out of range, or naming a CPU twice.
    public init?(_ indices: [Int]) {
        guard !indices.isEmpty, Set(indices).count == indices.count,
            indices.allSatisfy({ (0..<CoreList.indexLimit).contains($0) })
        else { return nil }
        self.indices = indices
    }

    /// `nil` unless `text` is numbers and ascending ranges, separated by commas.
    public init?(_ text: String) {
        var indices: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.trimmingSpaces.split(separator: "-", omittingEmptySubsequences: false)
            let numbers = ends.compactMap { CoreList.index($0) }
            guard numbers.count == ends.count, (1...2).contains(ends.count),
                numbers[0] <= numbers[numbers.count - 1]
            else { return nil }
            indices += numbers[0]...numbers[numbers.count - 1]
        }
        self.init(indices)
    }

    /// Digits below the limit, so that "0-99999999999" cannot ask for a list that long.
    private static func index(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), number < indexLimit
        else { return nil }
        return number
    }
}

extension CoreList: CustomStringConvertible {
    public var description: String { indices.map(String.init).joined(separator: ",") }
}

extension Substring {
    /// Without spaces and tabs at either end.
    var trimmingSpaces: Substring {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
