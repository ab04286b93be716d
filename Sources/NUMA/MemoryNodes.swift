import CNUMA

/// The machine's memory nodes: which there are, which one is near a CPU, and how to place memory.
///
/// A machine (or container) without NUMA looks like one with the single node 0, where placing
/// memory does nothing.
public struct MemoryNodes: Sendable, Equatable {
    /// The nodes this process may take memory from, ascending, never empty.
    public let nodes: [Int]
    private let hasPolicy: Bool

    /// Asks the kernel. The answer does not change while the process runs.
    public static func discover() -> MemoryNodes {
        guard cnuma_is_available() else { return .single }
        let usable = (0...cnuma_highest_node()).filter { cnuma_may_use_node($0) }
        guard !usable.isEmpty else { return .single }
        return MemoryNodes(nodes: usable.map(Int.init), hasPolicy: true)
    }

    static let single = MemoryNodes(nodes: [0], hasPolicy: false)

    private init(nodes: [Int], hasPolicy: Bool) {
        self.nodes = nodes
        self.hasPolicy = hasPolicy
    }

    public var count: Int { nodes.count }

    /// The node whose memory is nearest to `cpu`; for a CPU that is not there, or whose own node is
    /// closed to this process, the first usable one.
    public func node(ofCPU cpu: Int) -> Int {
        guard hasPolicy, let number = Int32(exactly: cpu), number >= 0 else { return nodes[0] }
        let node = Int(cnuma_node_of_cpu(number))
        return nodes.contains(node) ? node : nodes[0]
    }

    /// Asks for the pages of `memory` (which starts on a page) to lie on `node`, moving those that
    /// lie elsewhere. Best effort: a full node means slower memory, not a failure.
    ///
    /// Answers nil when the kernel agreed or there is nothing to choose, else its errno, for a
    /// warning (containers often refuse mbind with EPERM). The memory is usable either way.
    @unsafe public func place(_ memory: UnsafeMutableRawBufferPointer, on node: Int) -> Int32? {
        guard hasPolicy, let start = memory.baseAddress else { return nil }
        precondition(nodes.contains(node), "node \(node) is not one of \(nodes)")
        let code = unsafe cnuma_place(start, memory.count, Int32(node))
        return code == 0 ? nil : code
    }
}
