/// What `millrace topology` tells: the machine as a server with these settings would use it.
///
/// A value without behaviour: `MachineReport+Text.swift` renders it, the command encodes it as
/// JSON. What is nil is not known, or not there.

public struct MachineReport: Equatable, Sendable, Encodable {
    public var kernel: String
    /// Processors' worth of time that control groups grant.
    public var quota: Double?
    public var processors: [Processor]
    public var nodes: [Node]
    public var storage: Storage
    public var network: [NetworkDevice]
    public var arenas: [ArenaPlace]
    public var ring: RingReport
    /// What a start would warn of.
    public var warnings: [String]

    public struct Processor: Equatable, Sendable, Encodable {
        public var cpu: Int
        public var node: Int?
        /// The position of the core that runs there.
        public var core: Int?
        public var choice: Choice
    }

    /// Why a processor has a core, or has none.
    public enum Choice: String, Sendable, Encodable {
        case allowed = "allowed, and no cores are named"
        case named = "named in server.cores"
        case notNamed = "not named in server.cores"
        case notAllowed = "not allowed to this process (affinity mask, cpuset)"
        case overQuota = "allowed, but the control group's quota keeps no more cores busy"
        case overLimit = "allowed, but there are as many cores as there can be"
    }

    public struct Node: Equatable, Sendable, Encodable {
        public var number: Int
        public var cpus: String
        public var memoryBytes: Int?
        public var freeBytes: Int?
    }

    public struct Storage: Equatable, Sendable, Encodable {
        public var path: String
        public var fileSystem: String
        public var device: BlockDevice?
        /// Positions of the cores on the device's node; nil if that is not known.
        public var coresOnItsNode: [Int]?
    }

    public struct ArenaPlace: Equatable, Sendable, Encodable {
        public var core: Int
        public var bytes: Int
        /// Where it is asked to lie; nil: anywhere.
        public var node: Int?
        /// Locked in memory and registered with the core's ring.
        public var isLocked: Bool
    }

    public struct RingReport: Equatable, Sendable, Encodable {
        /// Why there can be none; the rest is empty then.
        public var refusal: String?
        public var submissionEntries = 0
        public var completionEntries = 0
        public var setupFlags: [String] = []
        public var features: [String] = []
        public var featuresMissing: [String] = []
        public var operationsMissing: [String] = []
        /// Sends can leave without a copy.
        public var hasZeroCopy = false
    }
}

extension MachineReport.Processor {
    /// Every processor that is online, in order.
    static func all(
        _ topology: Topology, _ places: [CorePlace], areNamed: Bool
    ) -> [MachineReport.Processor] {
        topology.online.cpus.map { cpu in
            let core = places.firstIndex { $0.cpu == cpu }
            return MachineReport.Processor(
                cpu: cpu, node: topology.node(of: cpu), core: core,
                choice: choice(cpu, isCore: core != nil, topology, places, areNamed: areNamed))
        }
    }

    private static func choice(
        _ cpu: Int, isCore: Bool, _ topology: Topology, _ places: [CorePlace], areNamed: Bool
    ) -> MachineReport.Choice {
        if isCore { return areNamed ? .named : .allowed }
        if !topology.allowed.contains(cpu) { return .notAllowed }
        if areNamed { return .notNamed }
        return places.count == Topology.coresMax ? .overLimit : .overQuota
    }
}

extension MachineReport.Node {
    static func all(_ topology: Topology, _ files: SystemFiles) -> [MachineReport.Node] {
        topology.nodes.map { node in
            let path = "/sys/devices/system/node/node\(node.number)/meminfo"
            let facts = files.read(path) ?? ""
            return MachineReport.Node(
                number: node.number, cpus: "\(node.cpus)",
                memoryBytes: bytes("MemTotal:", in: facts),
                freeBytes: bytes("MemFree:", in: facts))
        }
    }

    /// Of a line such as "Node 0 MemTotal:  16384 kB".
    private static func bytes(_ key: Substring, in facts: String) -> Int? {
        for line in facts.split(separator: "\n") {
            let words = line.split { $0.isWhitespace }
            guard let position = words.firstIndex(of: key), words.count > position + 1 else {
                continue
            }
            return Int(words[position + 1]).map { $0 << 10 }
        }
        return nil
    }
}
