// The directory, and perhaps the file system, that a run has for itself.

import BenchMachine
import BenchMeasure
import Foundation

/// Where a run keeps its files, and what is known about that place.
struct Place {
    /// The run's own directory; removed at the end.
    let directory: String
    /// Where files lie that are no part of the test, such as the upload's source.
    let outside: String

    /// Makes the directory, on a fresh file system in an image if the options ask for one.
    static func make(_ options: Options, repository: String, undo: Undo) throws -> Place {
        let base = options.data ?? repository + "/.build/bench-data"
        let files = FileManager.default
        try files.createDirectory(atPath: base, withIntermediateDirectories: true)
        let outside = try resolved(base) + "/run-\(ProcessInfo.processInfo.processIdentifier)"
        try files.createDirectory(atPath: outside, withIntermediateDirectories: false)
        if options.keepsData {
            say("objects and logs stay in \(outside)")
        } else {
            undo.add { try? FileManager.default.removeItem(atPath: outside) }
        }
        let needed = options.bytesNeeded
        guard try freeBytes(outside) >= needed else {
            throw BenchError(
                "\(base) needs \(needed >> 30) GiB free; see --data, --rows, --pairs, --large")
        }
        guard let system = options.loop else {
            return Place(directory: outside, outside: outside)
        }
        let mounted = try mountImage(system, in: outside, bytes: needed, undo: undo)
        return Place(directory: mounted, outside: outside)
    }

    private static func freeBytes(_ path: String) throws -> Int {
        let facts = try FileManager.default.attributesOfFileSystem(forPath: path)
        return (facts[.systemFreeSize] as? NSNumber)?.intValue ?? 0
    }

    /// Makes, mounts and later unmounts an image. Without direct input and output the image's pages
    /// would be cached twice.
    private static func mountImage(
        _ system: Options.LoopFileSystem, in outside: String, bytes: Int, undo: Undo
    ) throws -> String {
        guard Limits.isRoot else { throw BenchError("--loop mounts an image and so needs root") }
        let (image, point) = (outside + "/image", outside + "/mounted")
        try Command.run("truncate", ["-s", "\(bytes)", image])
        switch system {
        case .ext4:
            let now = "lazy_itable_init=0,lazy_journal_init=0"
            try Command.run("mkfs.ext4", ["-q", "-F", "-O", "has_journal", "-E", now, image])
        }
        let device = try Command.run("losetup", ["--find", "--show", "--direct-io=on", image])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        undo.add { _ = try? Command.run("losetup", ["--detach", device]) }
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: false)
        try Command.run("mount", [device, point])
        undo.add {
            // A bench that was interrupted still has files open there; the kernel waits for it.
            guard (try? Command.run("umount", [point])) == nil else { return }
            _ = try? Command.run("umount", ["--lazy", point])
        }
        return point
    }

    static func resolved(_ path: String) throws -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}

/// What /proc and /sys say about a file system.
struct FileSystemFacts {
    var name = "unknown"
    var journal = "unknown"
    var writeCache = "unknown"
    /// `major:minor` of the whole disk; nil where there is none.
    var disk: String?

    init(of path: String) {
        let mounts = TextFile.read("/proc/self/mountinfo") ?? ""
        guard let mount = ProcessText.mount(of: path, mountInfo: mounts) else { return }
        name = "\(mount.type) on \(mount.source) (\(mount.options))"
        let device = "/sys/dev/block/\(mount.device)"
        // A partition has no queue of its own; its disk does.
        let cache =
            TextFile.read(device + "/queue/write_cache")
            ?? TextFile.read(device + "/../queue/write_cache")
        if let cache { writeCache = cache.trimmingCharacters(in: .whitespacesAndNewlines) }
        // Nor has it limits.
        let whole = TextFile.read(device + "/partition") == nil ? "/dev" : "/../dev"
        disk = TextFile.read(device + whole)?.trimmingCharacters(in: .whitespacesAndNewlines)
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: device)
        let name = link.map { ($0 as NSString).lastPathComponent }
        journal = FileSystemFacts.journal(type: mount.type, disk: name)
    }

    /// A mounted journal has a directory named after its disk and inode, such as vda-8.
    private static func journal(type: String, disk: String?) -> String {
        switch type {
        case "ext3", "ext4":
            let journals = "/proc/fs/jbd2"
            guard let disk, FileManager.default.fileExists(atPath: journals) else {
                return "unknown"
            }
            let names = TextFile.names(in: journals)
            return names.contains { $0.hasPrefix(disk + "-") } ? "yes" : "no"
        case "xfs": return "yes"
        case "btrfs": return "log tree"
        case "tmpfs": return "none, not durable at all"
        default: return "unknown"
        }
    }
}
