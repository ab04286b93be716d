/// Which processors this process may use, on which memory node each lies, and which of them become
/// cores of ours.

public import IO

public struct Topology: Equatable, Sendable {
    /// More than any machine we were asked to run on; bounds every table that has a row a core.
    public static let coresMax = 256

    /// Within the affinity mask and the cpuset.
    public var allowed: CPUSet
    public var online: CPUSet
    /// Empty where the kernel knows no NUMA.
    public var nodes: [MemoryNode]
    /// Processors' worth of time that control groups grant; nil if they do not say.
    public var quota: Double?

    public init(allowed: CPUSet, online: CPUSet, nodes: [MemoryNode], quota: Double? = nil) {
        self.allowed = allowed
        self.online = online
        self.nodes = nodes
        self.quota = quota
    }

    /// This machine as this process sees it. Fails if its affinity cannot be read.
    public static func current() throws(KernelError) -> Topology {
        let allowed = try CPUSet.allowed()
        return read(allowed: allowed, quota: ControlGroup.current().cpus) { TextFile.read($0) }
    }

    /// `read` answers a path's text, or nil where there is no such file.
    static func read(
        allowed: CPUSet, quota: Double?, read: (String) -> String?
    ) -> Topology {
        func list(_ path: String) -> CPUSet? {
            read(path).flatMap { try? CPUSet(parsing: $0) }
        }
        let root = "/sys/devices/system"
        // The node list has the form of a CPU list: "0-1".
        let nodes = (list("\(root)/node/online")?.cpus ?? []).compactMap { number in
            list("\(root)/node/node\(number)/cpulist").map { MemoryNode(number: number, cpus: $0) }
        }
        let online = list("\(root)/cpu/online") ?? allowed
        return Topology(allowed: allowed, online: online, nodes: nodes, quota: quota)
    }

    /// One place a core, in the order asked for. Without a request: every allowed processor, but
    /// no more than the quota can keep busy, lowest first.
    public func plan(requestedCores: [Int]? = nil) throws(TopologyError) -> [CorePlace] {
        let cpus = requestedCores ?? defaultCores
        guard !cpus.isEmpty else { throw .noCores }
        guard cpus.count <= Topology.coresMax else { throw .tooMany(cpus.count) }
        for (index, cpu) in cpus.enumerated() {
            guard !cpus[..<index].contains(cpu) else { throw .duplicate(cpu) }
            guard online.contains(cpu) else { throw .offline(cpu, online: online) }
            guard allowed.contains(cpu) else { throw .notAllowed(cpu, allowed: allowed) }
        }
        return cpus.map { CorePlace(cpu: $0, node: node(of: $0)) }
    }

    private var defaultCores: [Int] {
        let worth = quota.map { $0.rounded(.up) } ?? .infinity
        let count = Int(min(max(worth, 1), Double(min(allowed.count, Topology.coresMax))))
        return Array(allowed.cpus.prefix(count))
    }

    func node(of cpu: Int) -> Int? { nodes.first { $0.cpus.contains(cpu) }?.number }
}

/// Memory and the processors nearest to it.
public struct MemoryNode: Equatable, Sendable {
    public let number: Int
    public let cpus: CPUSet

    public init(number: Int, cpus: CPUSet) { (self.number, self.cpus) = (number, cpus) }
}

/// Where one core runs, and whose memory it should use.
public struct CorePlace: Equatable, Sendable {
    public let cpu: Int
    /// Nil where the kernel knows no NUMA.
    public let node: Int?

    public init(cpu: Int, node: Int?) { (self.cpu, self.node) = (cpu, node) }
}

/// Why the requested cores cannot be had, in one line.
public enum TopologyError: Error, Equatable, Sendable, CustomStringConvertible {
    case noCores
    case tooMany(Int)
    case duplicate(Int)
    case offline(Int, online: CPUSet)
    case notAllowed(Int, allowed: CPUSet)

    public var description: String {
        switch self {
        case .noCores:
            "no core is left to run on; name at least one"
        case .tooMany(let count):
            "\(count) cores are too many; the most is \(Topology.coresMax)"
        case .duplicate(let cpu):
            "core \(cpu) is named twice"
        case .offline(let cpu, let online):
            "core \(cpu) is not online; online are \(online)"
        case .notAllowed(let cpu, let allowed):
            "core \(cpu) is not allowed to this process (affinity mask, cpuset);"
                + " allowed are \(allowed)"
        }
    }
}
