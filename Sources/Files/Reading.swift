// Reading a small file whole, blocking: for the time before the rings turn.

internal import Glibc

/// Who may have access to a file that is read.
public enum FileAccess: Sendable {
    case anyone
    /// Refused when the mode lets group or others do anything (`FileError.exposed`).
    case ownerOnly
}

/// The bytes of the file at `path`.
///
/// - Throws: `FileError.tooLarge` beyond `byteCountMax`, so that a wrong path cannot fill memory.
public func readFile(
    _ path: String, byteCountMax: Int, access: FileAccess = .anyone
) throws(FileError) -> [UInt8] {
    let file = try openFile(path, O_RDONLY | O_CLOEXEC, verb: "open")
    defer { close(file) }
    if access == .ownerOnly {
        let mode = try permissions(of: file, path: path)
        guard mode & 0o077 == 0 else { throw .exposed(path: path, mode: mode) }
    }

    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = unsafe block.withUnsafeMutableBytes { buffer in
            unsafe read(file, buffer.baseAddress, buffer.count)
        }
        if count == 0 { return bytes }
        guard count > 0 else {
            if errno == EINTR { continue }
            throw .system(verb: "read", path: path, code: errno)
        }
        guard bytes.count + count <= byteCountMax else {
            throw .tooLarge(path: path, byteCountMax: byteCountMax)
        }
        bytes += block[..<count]
    }
}

/// The permission bits of an open file, without the file type.
private func permissions(of file: Int32, path: String) throws(FileError) -> UInt32 {
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else {
        throw .system(verb: "examine", path: path, code: errno)
    }
    return status.st_mode & 0o7777
}

/// An open descriptor; the caller closes it.
func openFile(
    _ path: String, _ flags: Int32, mode: UInt32 = 0, verb: String
) throws(FileError) -> Int32 {
    let file = unsafe open(path, flags, mode)
    guard file >= 0 else { throw .system(verb: verb, path: path, code: errno) }
    return file
}
