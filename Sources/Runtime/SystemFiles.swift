/// The files in which Linux describes devices, as something that tests can stand in for.

import Glibc

struct SystemFiles {
    /// A path's text, or nil where there is no such file.
    let read: (String) -> String?
    /// The names in a directory in order, none where there is no such directory.
    let list: (String) -> [String]

    static var real: SystemFiles {
        SystemFiles(read: { TextFile.read($0) }, list: { names(in: $0) })
    }

    /// A file that holds one number.
    func number(_ path: String) -> Int? { read(path).flatMap { Int($0.trimmed) } }

    /// A file that holds 0 or 1.
    func flag(_ path: String) -> Bool? { number(path).map { $0 != 0 } }

    /// The memory node of what `path` stands for: a device, or a part of one, such as the disk of a
    /// controller. Nil where the kernel knows none (-1).
    func node(ofDeviceAt path: String) -> Int? {
        // A disk's device is at most a few steps below the one on a bus that knows its node.
        for steps in 0..<6 {
            let above = String(repeating: "/..", count: steps)
            if let node = number("\(path)\(above)/numa_node") { return node >= 0 ? node : nil }
        }
        return nil
    }

    private static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            names.append(String(decoding: bytes, as: UTF8.self))
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }
}
