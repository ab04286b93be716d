/// What other processes may take of a CPU or a disk: a control group (cgroup v2, or v1).

import Glibc
import IO

public struct ControlGroup: Sendable {
    public enum Limit: Equatable, Sendable {
        /// Of one CPU, in every period.
        case processor(micros: Int, periodMicros: Int)
        /// Bytes a second, of the disk with that `major:minor`. The kernel looks after them in
        /// slices of a tenth of a second.
        case writes(bytesPerSecond: Int, device: String)
    }

    private let directory: String
    /// For a result's head.
    public let words: String

    /// Where groups with such a limit can be made.
    enum Hierarchy: Equatable {
        case unified(String)
        case legacy(String)

        /// By the mounts of /proc/self/mounts and what the unified one's root says it controls.
        static func find(
            _ limit: Limit, mounts: String, controllers: (String) -> String?
        ) -> Hierarchy? {
            for line in mounts.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard words.count >= 4 else { continue }
                let options = words[3].split(separator: ",")
                if words[2] == "cgroup", options.contains(limit.legacyController[...]) {
                    return .legacy(words[1])
                }
                let told = controllers(words[1] + "/cgroup.subtree_control") ?? ""
                let all = told.split(whereSeparator: \.isWhitespace)
                if words[2] == "cgroup2", all.contains(limit.controller[...]) {
                    return .unified(words[1])
                }
            }
            return nil
        }
    }

    /// Fails, in words, where this process may not make one.
    public static func make(name: String, _ limit: Limit) throws(Refusal) -> ControlGroup {
        let mounts = TextFile.read("/proc/self/mounts") ?? ""
        guard let hierarchy = Hierarchy.find(limit, mounts: mounts, controllers: TextFile.read)
        else {
            throw Refusal(
                description: "no control group hierarchy has the controller \(limit.controller)"
                    + " here (v2: write +\(limit.controller) to cgroup.subtree_control)")
        }
        return switch hierarchy {
        case .unified(let root): try make("\(root)/\(name)", limit, "v2", limit.settings)
        case .legacy(let root): try make("\(root)/\(name)", limit, "v1", limit.legacySettings)
        }
    }

    private static func make(
        _ directory: String, _ limit: Limit, _ version: String,
        _ settings: [(file: String, value: String)]
    ) throws(Refusal) -> ControlGroup {
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
        return ControlGroup(
            directory: directory, words: "\(limit.words) (cgroup \(version))")
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

extension ControlGroup.Limit {
    fileprivate var controller: String {
        switch self {
        case .processor: "cpu"
        case .writes: "io"
        }
    }

    fileprivate var legacyController: String {
        switch self {
        case .processor: "cpu"
        case .writes: "blkio"
        }
    }

    fileprivate var settings: [(file: String, value: String)] {
        switch self {
        case .processor(let micros, let period): [("cpu.max", "\(micros) \(period)")]
        case .writes(let bytes, let device): [("io.max", "\(device) wbps=\(bytes)")]
        }
    }

    fileprivate var legacySettings: [(file: String, value: String)] {
        switch self {
        case .processor(let micros, let period):
            [("cpu.cfs_period_us", "\(period)"), ("cpu.cfs_quota_us", "\(micros)")]
        case .writes(let bytes, let device):
            [("blkio.throttle.write_bps_device", "\(device) \(bytes)")]
        }
    }

    fileprivate var words: String {
        switch self {
        case .processor(let micros, let period): "\(micros) of every \(period) µs of one CPU"
        case .writes(let bytes, _): "\(bytes >> 20) MiB/s of writes"
        }
    }
}
