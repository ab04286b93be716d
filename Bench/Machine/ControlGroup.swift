/// A share of a CPU for other processes: a control group with a quota (cgroup v2, or v1).

import Glibc
import IO

public struct CPUQuota: Sendable {
    private let directory: String
    /// For a result's head.
    public let words: String

    /// Where groups with a quota can be made.
    enum Hierarchy: Equatable {
        case unified(String)
        case legacy(String)

        /// By the mounts of /proc/self/mounts and what the unified one's root says it controls.
        static func find(mounts: String, controllers: (String) -> String?) -> Hierarchy? {
            for line in mounts.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard words.count >= 4 else { continue }
                if words[2] == "cgroup", words[3].split(separator: ",").contains("cpu") {
                    return .legacy(words[1])
                }
                let told = controllers(words[1] + "/cgroup.subtree_control") ?? ""
                if words[2] == "cgroup2", told.split(whereSeparator: \.isWhitespace).contains("cpu")
                {
                    return .unified(words[1])
                }
            }
            return nil
        }
    }

    /// Fails, in words, where this process may not make one.
    public static func make(
        name: String, quotaMicros: Int, periodMicros: Int
    ) throws(Refusal) -> CPUQuota {
        let mounts = TextFile.read("/proc/self/mounts") ?? ""
        guard let hierarchy = Hierarchy.find(mounts: mounts, controllers: TextFile.read) else {
            throw Refusal(
                description: "no control group hierarchy has a CPU controller here (v2: write +cpu"
                    + " to cgroup.subtree_control)")
        }
        switch hierarchy {
        case .unified(let root):
            return try make(
                "\(root)/\(name)", "cgroup v2", quotaMicros, periodMicros,
                [("cpu.max", "\(quotaMicros) \(periodMicros)")])
        case .legacy(let root):
            return try make(
                "\(root)/\(name)", "cgroup v1", quotaMicros, periodMicros,
                [("cpu.cfs_period_us", "\(periodMicros)"), ("cpu.cfs_quota_us", "\(quotaMicros)")])
        }
    }

    private static func make(
        _ directory: String, _ version: String, _ quotaMicros: Int, _ periodMicros: Int,
        _ settings: [(file: String, value: String)]
    ) throws(Refusal) -> CPUQuota {
        guard unsafe mkdir(directory, 0o755) == 0 else {
            throw Refusal(description: "cannot make \(directory): errno \(errno); root is needed")
        }
        for (file, value) in settings {
            do { try TextFile.write(value, to: "\(directory)/\(file)") } catch {
                unsafe rmdir(directory)
                throw Refusal(
                    description: "\(directory)/\(file) takes no \(value): errno \(error.code)")
            }
        }
        return CPUQuota(
            directory: directory,
            words: "\(quotaMicros) of every \(periodMicros) µs of one CPU (\(version))")
    }

    /// From now on that process, with all its threads, has no more than this.
    public func add(_ pid: Int32) throws(Refusal) {
        do { try TextFile.write("\(pid)", to: directory + "/cgroup.procs") } catch {
            throw Refusal(description: "process \(pid) cannot be limited: errno \(error.code)")
        }
    }

    /// Once its processes have ended.
    public func remove() { unsafe rmdir(directory) }

    public struct Refusal: Error, Equatable, CustomStringConvertible {
        public let description: String
    }
}
