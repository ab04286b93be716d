/// Whole text files, those of /proc and /sys included, whose size is not known before the end.

import Glibc
public import IO

public enum TextFile {
    /// Nil if it cannot be read.
    public static func read(_ path: String) -> String? {
        guard let file = try? OpenFile.open(path) else { return nil }
        defer { OpenFile.close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Glibc.read(file.number, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Overwrites an existing file, such as a setting under /proc/sys.
    public static func write(_ text: String, to path: String) throws(KernelError) {
        let file = Descriptor(try answer(unsafe Glibc.open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)))
        defer { OpenFile.close(file) }
        let count = unsafe text.utf8CString.withUnsafeBytes {
            unsafe Glibc.write(file.number, $0.baseAddress, $0.count - 1)
        }
        _ = try answer(count)
    }

    /// The names in a directory, in no order; empty if there is no such directory.
    public static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
