/// How large the file system under a path is, how much of it is free, and what it calls itself.

import CMachine
public import IO

public struct FileSystem: Equatable, Sendable {
    public let bytesTotal: Int
    /// Left for unprivileged users.
    public let bytesFree: Int
    /// As in mount(8), such as "ext4"; "0x…" if it is none that we know.
    public let type: String

    /// The file system that holds `path`, which must exist (statfs(2)).
    public static func holding(_ path: String) throws(KernelError) -> FileSystem {
        var facts = cmachine_file_system()
        let status = unsafe cmachine_file_system_of(path, &facts)
        if let error = KernelError(result: status) { throw error }
        return FileSystem(
            bytesTotal: Int(clamping: facts.bytes_total),
            bytesFree: Int(clamping: facts.bytes_free),
            type: name(magic: facts.magic))
    }

    /// `path`, or what of it is there: where it would be made.
    static func existing(above path: String) -> String {
        var path = path
        var facts = cmachine_file_system()
        while unsafe cmachine_file_system_of(path, &facts) == -KernelError.notFound.code {
            guard let slash = path.lastIndex(of: "/") else { return "." }
            if slash == path.startIndex { return "/" }
            path = String(path[..<slash])
        }
        return path
    }

    /// The magic numbers of statfs(2).
    static func name(magic: UInt64) -> String {
        switch magic {
        case 0xef53: "ext4"  // ext2 and ext3 share it, and ext4's driver serves them.
        case 0x5846_5342: "xfs"
        case 0x9123_683e: "btrfs"
        case 0xf2f5_2010: "f2fs"
        case 0x2fc1_2fc1: "zfs"
        case 0xca45_1a4e: "bcachefs"
        case 0x0102_1994: "tmpfs"
        case 0x794c_7630: "overlay"
        case 0x6969: "nfs"
        case 0x6573_5546: "fuse"
        case 0x00c3_6400: "ceph"
        case 0x0102_1997: "9p"
        default: "0x" + String(magic, radix: 16)
        }
    }
}
