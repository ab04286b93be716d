/// How much processor and memory the control groups above this process leave it (cgroups(7)).
///
/// Version 2 has one tree; version 1 has one a controller; a hybrid host has both. A group's limit
/// binds everything beneath it, so the smallest on the way up to the mount point is the one.

public struct ControlGroup: Equatable, Sendable {
    /// Processors' worth of time per period, such as 1.5; nil if there is no quota.
    public var cpus: Double?
    /// Nil if there is no limit.
    public var memoryBytes: Int?

    public init(cpus: Double? = nil, memoryBytes: Int? = nil) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
    }

    /// The limits of this process. What cannot be read limits nothing.
    public static func current() -> ControlGroup { limits { TextFile.read($0) } }

    /// The limits that `read` shows: it answers a path's text, or nil where there is no such file.
    static func limits(read: (String) -> String?) -> ControlGroup {
        let groups = (read("/proc/self/cgroup") ?? "").split(separator: "\n").compactMap {
            Membership(parsing: $0)
        }
        let mounts = (read("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap {
            Mount(parsing: $0)
        }
        var limits = ControlGroup()
        for group in groups {
            for mount in mounts where mount.holds(group) {
                for directory in mount.directories(upFrom: group.path) {
                    limits.tighten(by: ControlGroup(directory: directory, of: group, read: read))
                }
            }
        }
        return limits
    }

    private init(directory: String, of group: Membership, read: (String) -> String?) {
        if group.isUnified {
            cpus = read("\(directory)/cpu.max").flatMap(ControlGroup.quota(unified:))
            memoryBytes = read("\(directory)/memory.max").flatMap(ControlGroup.memory)
            return
        }
        if group.controllers.contains("cpu"),
            let quota = read("\(directory)/cpu.cfs_quota_us"),
            let period = read("\(directory)/cpu.cfs_period_us")
        {
            cpus = ControlGroup.ratio(quota, period)
        }
        if group.controllers.contains("memory") {
            memoryBytes = read("\(directory)/memory.limit_in_bytes").flatMap(ControlGroup.memory)
        }
    }

    private mutating func tighten(by other: ControlGroup) {
        if let others = other.cpus { cpus = min(cpus ?? others, others) }
        if let others = other.memoryBytes { memoryBytes = min(memoryBytes ?? others, others) }
    }

    /// "150000 100000": microseconds a period; "max 100000": no quota.
    static func quota(unified text: String) -> Double? {
        let fields = text.split { $0.isWhitespace }
        guard fields.count == 2 else { return nil }
        return ratio(fields[0], fields[1])
    }

    /// Nil for "max", for version 1's -1, and for what makes no sense.
    static func ratio(_ quota: some StringProtocol, _ period: some StringProtocol) -> Double? {
        guard let quota = Int(quota.trimmed), let period = Int(period.trimmed) else { return nil }
        guard quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// Bytes; nil for "max", and for version 1's "no limit", which is the largest page count
    /// (PAGE_COUNTER_MAX, <linux/page_counter.h>).
    static func memory(_ text: String) -> Int? {
        guard let bytes = Int(text.trimmed), bytes >= 0, bytes < 1 << 62 else { return nil }
        return bytes
    }
}

/// One line of /proc/self/cgroup: "4:memory:/system.slice", or "0::/system.slice" for version 2.
private struct Membership {
    let controllers: [Substring]
    let path: String

    var isUnified: Bool { controllers.isEmpty }

    init?(parsing line: Substring) {
        let fields = line.split(
            separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, fields[2].hasPrefix("/") else { return nil }
        controllers = fields[1].split(separator: ",")
        path = String(fields[2])
    }
}

/// One line of /proc/self/mountinfo (proc(5)) that shows a tree of control groups.
private struct Mount {
    let isUnified: Bool
    let controllers: [Substring]
    /// The group that is seen at `point`; not "/" in a container without a cgroup namespace.
    let root: String
    let point: String

    init?(parsing line: Substring) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 1 else {
            return nil
        }
        let type = fields[dash + 1]
        guard type == "cgroup2" || type == "cgroup" else { return nil }
        isUnified = type == "cgroup2"
        controllers = fields.last.map { $0.split(separator: ",") } ?? []
        root = String(fields[3])
        point = String(fields[4])
    }

    func holds(_ group: Membership) -> Bool {
        if group.isUnified || isUnified { return group.isUnified && isUnified }
        return group.controllers.contains { controllers.contains($0) }
    }

    /// Where `path` and every group above it can be read, the innermost first.
    func directories(upFrom path: String) -> [String] {
        var parts = path.split(separator: "/")
        let rootParts = root.split(separator: "/")
        // Another group's tree, or one from outside the namespace: only its top is ours to see.
        parts = parts.starts(with: rootParts) ? Array(parts.dropFirst(rootParts.count)) : []
        if parts.contains("..") { parts = [] }
        return (0...parts.count).reversed().map { count in
            ([point] + parts.prefix(count).map(String.init)).joined(separator: "/")
        }
    }
}
