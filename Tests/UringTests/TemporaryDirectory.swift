/// A directory on disk for one test, gone with it.

import Glibc
import IO

final class TemporaryDirectory {
    let path: String
    let root: Owned

    init() throws {
        // Not /tmp: where that is memory, there is neither O_DIRECT nor a cold page.
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
        var name = "\(base)/millrace-test-XXXXXX".utf8CString.map { $0 }
        guard unsafe mkdtemp(&name) != nil else { throw KernelError(code: errno) }
        path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        root = try Owned(unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY))
    }

    deinit {
        for name in names { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    private var names: [String] {
        guard let listing = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    func open(_ name: String, _ flags: Int32 = O_RDWR | O_CREAT) throws -> Owned {
        try Owned(unsafe Glibc.open("\(path)/\(name)", flags, mode_t(0o600)))
    }

    /// A file that holds `bytes`, all of them on disk and in the page cache.
    func file(_ name: String, holding bytes: [UInt8]) throws -> Owned {
        let file = try open(name)
        try file.write(bytes)
        guard fsync(file.number) == 0 else { throw KernelError(code: errno) }
        return file
    }
}
