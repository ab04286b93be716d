// Creating what must exist exactly once and must never be seen half-written.

internal import Glibc

/// Creates the directory at `path` and what is missing above it, mode 0700 under the umask.
/// A directory that is already there is left as it is.
public func makeDirectory(_ path: String) throws(FileError) {
    precondition(!path.isEmpty, "a directory needs a name")
    if unsafe mkdir(path, 0o700) == 0 { return }
    let code = errno
    switch code {
    case EEXIST:
        let directory = try openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "use")
        close(directory)
    case ENOENT:
        let parent = parentDirectory(of: path)
        // Only an empty or a relative root can be its own parent, and neither lacks existence.
        guard parent != path else { throw .system(verb: "create", path: path, code: code) }
        try makeDirectory(parent)
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .system(verb: "create", path: path, code: errno)
        }
    default:
        throw .system(verb: "create", path: path, code: code)
    }
}

/// Makes `bytes` appear at `path` with mode 0600, whole and durable, unless something is there.
///
/// The bytes are written and synced under `path` + "." + `suffix` and then linked into place, so a
/// crash leaves either nothing at `path` or all of it, and of two starting processes one wins.
///
/// - Parameter suffix: a name no other process chooses (random).
/// - Returns: whether this call created the file; `false` when it already existed.
public func createPrivateFile(
    _ path: String, containing bytes: [UInt8], suffix: String
) throws(FileError) -> Bool {
    let draft = path + "." + suffix
    let file = try openFile(
        draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600, verb: "create")
    defer { unsafe unlink(draft) }
    do throws(FileError) {
        try writeAll(bytes, to: file, path: draft)
        guard fsync(file) == 0 else { throw .system(verb: "sync", path: draft, code: errno) }
    } catch {
        close(file)
        throw error
    }
    close(file)

    guard unsafe link(draft, path) == 0 else {
        if errno == EEXIST { return false }
        throw .system(verb: "create", path: path, code: errno)
    }
    try syncDirectory(parentDirectory(of: path))
    return true
}

/// Everything before the last "/", "/" for a name in the root, "." for a bare name.
public func parentDirectory(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    var parent = trimmed[..<slash]
    while parent.last == "/" { parent.removeLast() }
    return parent.isEmpty ? "/" : String(parent)
}

private func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(file, buffer.baseAddress! + done, buffer.count - done)
        }
        if count < 0 {
            if errno == EINTR { continue }
            throw .system(verb: "write", path: path, code: errno)
        }
        done += count
    }
}

private func syncDirectory(_ path: String) throws(FileError) {
    let directory = try openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "open")
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw .system(verb: "sync", path: path, code: errno) }
}
