/// The disk behind a directory: what it is called, which memory is near it, how it keeps data.

import CMachine
import IO

public struct BlockDevice: Equatable, Sendable, Encodable {
    public var name: String
    /// "259:2": that of the partition, if it is one.
    public var number: String
    /// Nil where the kernel knows none.
    public var node: Int?
    public var isRotational: Bool?
    /// Requests that the kernel queues for it.
    public var queueDepth: Int?
    /// Whether a write needs a flush to be durable.
    public var hasWriteCache: Bool?

    /// The device of the file system that holds `path`; nil if that has no block device of its own
    /// (network, memory, overlay) or there is no such path.
    static func holding(_ path: String, _ files: SystemFiles = .real) -> BlockDevice? {
        var (major, minor): (UInt32, UInt32) = (0, 0)
        guard unsafe cmachine_device_of(path, &major, &minor) == 0 else { return nil }
        return read("\(major):\(minor)", files)
    }

    /// `number` is "major:minor" of a disk or a partition.
    static func read(_ number: String, _ files: SystemFiles) -> BlockDevice? {
        let place = "/sys/dev/block/\(number)"
        let isPartition = files.read("\(place)/partition") != nil
        let disk = isPartition ? "\(place)/.." : place
        guard let name = files.read("\(disk)/uevent").flatMap(deviceName) else { return nil }
        return BlockDevice(
            name: name, number: number, node: node(ofDisk: disk, files, levels: 4),
            isRotational: files.flag("\(disk)/queue/rotational"),
            queueDepth: files.number("\(disk)/queue/nr_requests"),
            hasWriteCache: files.read("\(disk)/queue/write_cache").map {
                $0.trimmed == "write back"
            })
    }

    private static func deviceName(_ uevent: String) -> String? {
        let key = "DEVNAME="
        let line = uevent.split(separator: "\n").first { $0.hasPrefix(key) }
        return line.map { String($0.dropFirst(key.count)) }
    }

    /// Of a disk made of others (LVM, RAID), theirs, if all have the same.
    private static func node(ofDisk disk: String, _ files: SystemFiles, levels: Int) -> Int? {
        let parts = files.list("\(disk)/slaves")
        guard !parts.isEmpty, levels > 0 else {
            return files.node(ofDeviceAt: "\(disk)/device")
        }
        let nodes = parts.map { part in
            let place = "\(disk)/slaves/\(part)"
            let isPartition = files.read("\(place)/partition") != nil
            return node(
                ofDisk: isPartition ? "\(place)/.." : place, files, levels: levels - 1)
        }
        return Set(nodes).count == 1 ? nodes[0] : nil
    }
}
