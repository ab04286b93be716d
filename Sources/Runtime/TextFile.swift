/// Reads the small text files in which Linux describes the machine (/proc, /sys).

import Glibc

enum TextFile {
    /// /proc/self/mountinfo of a busy container host is the largest of them.
    static let bytesMax = 4 << 20

    /// The file's text; nil if there is none, it may not be read, or it is larger than `bytesMax`.
    static func read(_ path: String) -> String? {
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe _ = fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count <= bytesMax {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { return unsafe ferror(file) == 0 ? text(bytes) : nil }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        return nil
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension StringProtocol {
    /// Without spaces, tabs and line ends at both ends.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
