/// A set of processors, by number, in the form the kernel writes it: "0-3,8".

import CMachine
public import IO

public struct CPUSet: Equatable, Sendable, CustomStringConvertible {
    /// The most that Linux can be built for (NR_CPUS on x86-64).
    public static let cpusMax = Int(CMACHINE_CPUS_MAX)

    /// Ascending, each once.
    public private(set) var cpus: [Int]

    public init(_ cpus: some Sequence<Int>) {
        self.cpus = Array(Set(cpus)).sorted()
        precondition(self.cpus.allSatisfy { (0..<CPUSet.cpusMax).contains($0) }, "no such CPU")
    }

    /// Reads a list such as "0-3,8"; a list that is blank is the empty set.
    public init(parsing text: String) throws(CPUListError) {
        self.init(try CPUSet.parseList(text))
    }

    /// The numbers of "3,0-1" in the order and as often as they were written.
    public static func parseList(_ text: String) throws(CPUListError) -> [Int] {
        let text = text.trimmed
        guard !text.isEmpty else { return [] }
        var cpus: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = parseRange(part), range.upperBound < cpusMax else {
                throw CPUListError(part: part.trimmed)
            }
            cpus.append(contentsOf: range)
            guard cpus.count <= cpusMax else { throw CPUListError(part: text) }
        }
        return cpus
    }

    private static func parseRange(_ part: Substring) -> ClosedRange<Int>? {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = ends.compactMap { number($0.trimmed) }
        guard numbers.count == ends.count, (1...2).contains(ends.count) else { return nil }
        guard numbers[0] <= numbers[numbers.count - 1] else { return nil }
        return numbers[0]...numbers[numbers.count - 1]
    }

    /// `Int(_:)` would also take a sign.
    private static func number(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    /// The processors that this process may use (sched_getaffinity(2)): those that are online,
    /// within its affinity mask and its cpuset.
    public static func allowed() throws(KernelError) -> CPUSet {
        var words = [UInt64](repeating: 0, count: cpusMax / 64)
        let status = unsafe words.withUnsafeMutableBufferPointer {
            unsafe cmachine_allowed_cpus($0.baseAddress, $0.count)
        }
        if let error = KernelError(result: status) { throw error }
        return CPUSet((0..<cpusMax).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 })
    }

    public var count: Int { cpus.count }
    public var isEmpty: Bool { cpus.isEmpty }
    public func contains(_ cpu: Int) -> Bool { cpus.contains(cpu) }

    /// The list in its shortest form: "0-3,8"; "" for the empty set.
    public var description: String {
        var parts: [String] = []
        var first = 0
        for index in cpus.indices where index + 1 == cpus.count || cpus[index + 1] > cpus[index] + 1
        {
            let (start, end) = (cpus[first], cpus[index])
            parts.append(start == end ? "\(start)" : "\(start)-\(end)")
            first = index + 1
        }
        return parts.joined(separator: ",")
    }
}

/// A part of a CPU list that is neither a number nor an ascending range.
public struct CPUListError: Error, Equatable, Sendable, CustomStringConvertible {
    public let part: String

    public var description: String {
        "\"\(part)\" is not a CPU list; write numbers and ranges below \(CPUSet.cpusMax),"
            + " such as 0-3,8"
    }
}
