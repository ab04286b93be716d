/// Files and directories by descriptor, as the bench needs them.

import CBench
import Glibc
public import IO

public enum OpenFile {
    /// Opens `path` for reading; `directory` insists that it is one.
    public static func open(_ path: String, directory: Bool = false) throws(KernelError)
        -> Descriptor
    {
        let flags = O_RDONLY | O_CLOEXEC | (directory ? O_DIRECTORY : 0)
        return Descriptor(try answer(unsafe Glibc.open(path, flags)))
    }

    /// Makes an empty file for reading and writing, or empties the one that is there.
    public static func create(_ path: String) throws(KernelError) -> Descriptor {
        let flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC
        return Descriptor(try answer(unsafe Glibc.open(path, flags, 0o644)))
    }

    /// Opens an existing file for reading and writing past the page cache (O_DIRECT).
    public static func openDirect(_ path: String) throws(KernelError) -> Descriptor {
        let opened = unsafe cbench_open_direct(path)
        if let error = KernelError(result: opened) { throw error }
        return Descriptor(opened)
    }

    public static func close(_ file: Descriptor) { _ = Glibc.close(file.number) }

    /// fdatasync(2).
    public static func syncData(_ file: Descriptor) throws(KernelError) {
        _ = try answer(fdatasync(file.number))
    }

    /// fsync(2); of a directory: its entries.
    public static func syncAll(_ file: Descriptor) throws(KernelError) {
        _ = try answer(fsync(file.number))
    }

    /// syncfs(2): everything on the file system that holds `file`.
    public static func syncFileSystem(_ file: Descriptor) throws(KernelError) {
        let status = cbench_sync_file_system(file.number)
        if let error = KernelError(result: status) { throw error }
    }

    /// Copies `count` bytes of `source` from `start` on to the front of `target`.
    public static func copy(
        _ source: Descriptor, from start: Int, count: Int, to target: Descriptor
    ) throws(KernelError) {
        var bytes = [UInt8](repeating: 0, count: min(1 << 20, count))
        var copied = 0
        while copied < count {
            if count - copied < bytes.count { bytes.removeLast(bytes.count - (count - copied)) }
            let step = try read(source, at: start + copied, into: &bytes)
            guard step == bytes.count else { throw .invalid }
            try write(bytes, to: target, at: copied)
            copied += step
        }
    }

    /// Drops the clean pages of `file` from the page cache (posix_fadvise(2)). Answers how many
    /// bytes of it are still there (mincore(2)).
    public static func dropPages(_ file: Descriptor) throws(KernelError) -> Int {
        let status = posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
        guard status == 0 else { throw KernelError(code: status) }
        let left = cbench_resident_bytes(file.number)
        guard left >= 0 else { throw KernelError(code: Int32(-left)) }
        return Int(left)
    }

    /// Reads at `offset` until `target` is full. Answers the count, less only at the file's end.
    public static func read(
        _ file: Descriptor, at offset: Int, into target: inout [UInt8]
    ) throws(KernelError) -> Int {
        var count = 0
        while count < target.count {
            let result = unsafe target.withUnsafeMutableBytes { bytes in
                unsafe pread(
                    file.number, bytes.baseAddress! + count, bytes.count - count, offset + count)
            }
            let step = try answer(result)
            if step == 0 { break }
            count += step
        }
        return count
    }

    /// Writes all of `source` at `offset`.
    public static func write(
        _ source: [UInt8], to file: Descriptor, at offset: Int
    ) throws(KernelError) {
        var count = 0
        while count < source.count {
            let result = unsafe source.withUnsafeBytes { bytes in
                unsafe pwrite(
                    file.number, bytes.baseAddress! + count, bytes.count - count, offset + count)
            }
            count += try answer(result)
        }
    }
}

/// Of socket(2) and socketpair(2).
let streamKind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

/// A result of the C library's kind: the value, or what errno says.
@inline(__always)
func answer<Value: SignedInteger>(_ value: Value) throws(KernelError) -> Value {
    guard value >= 0 else { throw KernelError(code: errno) }
    return value
}
