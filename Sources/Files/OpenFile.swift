// One open file or directory, its bytes from any place on, and what the file system says of it;
// closed when nobody holds it any more.

internal import Glibc

/// Which file it is, whatever its name.
public struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let number: UInt64
}

/// What a regular file is known by without being read.
public struct FileStamp: Equatable, Sendable {
    public let byteCount: UInt64
    /// Since 1970, UTC; negative before.
    public let modifiedSeconds: Int64
    public let modifiedNanoseconds: Int64
    public let identity: FileIdentity
}

/// What stands under a name, links not followed.
public enum FileKind: Equatable, Sendable {
    case regular(FileStamp)
    case directory(FileIdentity)
    case link, pipe, socket, device
}

extension FileKind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .regular: "a file"
        case .directory: "a directory"
        case .link: "a symbolic link"
        case .pipe: "a pipe"
        case .socket: "a socket"
        case .device: "a device"
        }
    }
}

public final class OpenFile: Sendable {
    public let descriptor: Int32
    /// For errors.
    let path: String

    /// Takes `descriptor` over.
    init(_ descriptor: Int32, path: String) { (self.descriptor, self.path) = (descriptor, path) }

    deinit { close(descriptor) }

    public func kind() throws(FileError) -> FileKind {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { throw failure("examine") }
        return FileKind(facts)
    }

    /// Nil if it is no regular file, or cannot be told.
    public var stamp: FileStamp? {
        guard case .regular(let stamp) = try? kind() else { return nil }
        return stamp
    }

    /// Fills the front of `target` from `offset` on; fewer bytes than `count` are those up to the
    /// file's end.
    public func read(
        into target: inout [UInt8], count: Int, at offset: UInt64
    ) throws(FileError) -> Int {
        precondition(count <= target.count, "more than the buffer holds")
        var done = 0
        while done < count {
            let taken = unsafe target.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor, buffer.baseAddress! + done, count - done, Int(offset) + done)
            }
            if taken == 0 { break }
            if taken < 0, errno != EINTR { throw failure("read") }
            done += max(taken, 0)
        }
        return done
    }

    public func write(_ bytes: [UInt8], count: Int, at offset: UInt64) throws(FileError) {
        precondition(count <= bytes.count, "more than there is")
        var done = 0
        while done < count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor, buffer.baseAddress! + done, count - done, Int(offset) + done)
            }
            if written < 0, errno != EINTR { throw failure("write") }
            done += max(written, 0)
        }
    }

    /// What a write that somebody else has made said.
    public func failed(_ code: Int32) -> FileError {
        .system(verb: "write", path: path, code: code)
    }

    /// Makes content, or a directory's entries, durable.
    func sync() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw failure("sync") }
    }

    func setModified(seconds: Int64) throws(FileError) {
        // The time of the last access stays: UTIME_OMIT of utimensat(2).
        let times = [
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), timespec(tv_sec: Int(seconds), tv_nsec: 0),
        ]
        guard unsafe futimens(descriptor, times) == 0 else { throw failure("date") }
    }

    func failure(_ verb: String) -> FileError {
        .system(verb: verb, path: path, code: errno)
    }
}

// MARK: Below a directory

extension OpenFile {
    /// Opens what stands under a name in this directory, which must not be a link.
    func open(
        _ name: [UInt8], _ flags: Int32, mode: UInt32 = 0, path: String
    ) throws(FileError) -> OpenFile {
        let opened = unsafe openat(
            descriptor, terminated(name), flags | O_NOFOLLOW | O_CLOEXEC, mode)
        guard opened >= 0 else { throw .system(verb: "open", path: path, code: errno) }
        return OpenFile(opened, path: path)
    }

    /// A regular file for reading. Should the name be a pipe's, opening it waits for nobody; and
    /// whoever reads the file waits for it, as far as it can be waited for: a ring would answer
    /// EAGAIN on file systems that know no reads that do not wait.
    func openRegular(_ name: [UInt8], path: String) throws(FileError) -> OpenFile {
        let file = try open(name, O_RDONLY | O_NONBLOCK, path: path)
        guard case .regular = try file.kind() else {
            throw .system(verb: "open", path: path, code: ENXIO)
        }
        guard fcntl(file.descriptor, F_SETFL, 0) == 0 else { throw file.failure("open") }
        return file
    }

    func openDirectory(_ name: [UInt8], path: String) throws(FileError) -> OpenFile {
        try open(name, O_RDONLY | O_DIRECTORY, path: path)
    }

    /// Whether this directory is that one, or somewhere below it.
    func isWithin(_ identity: FileIdentity) throws(FileError) -> Bool {
        var directory = self
        while case .directory(let own) = try directory.kind() {
            if own == identity { return true }
            let above = try directory.openDirectory(Array("..".utf8), path: path)
            // Above the root is the root.
            if case .directory(own) = try above.kind() { return false }
            directory = above
        }
        return false
    }

    /// What stands under a name in this directory; nil if nothing does.
    func kind(of name: [UInt8], path: String) throws(FileError) -> FileKind? {
        var facts = stat()
        if unsafe fstatat(descriptor, terminated(name), &facts, AT_SYMLINK_NOFOLLOW) == 0 {
            return FileKind(facts)
        }
        guard errno == ENOENT else {
            throw .system(verb: "examine", path: path, code: errno)
        }
        return nil
    }

    /// The names in this directory, in no order.
    func names() throws(FileError) -> [[UInt8]] {
        // A descriptor of its own, because reading moves it.
        let copy = try openDirectory([UInt8(ascii: ".")], path: path)
        let number = dup(copy.descriptor)
        guard number >= 0 else { throw failure("read") }
        guard let stream = unsafe fdopendir(number) else {
            let error = failure("read")
            close(number)
            throw error
        }
        defer { unsafe _ = closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw failure("read") }
                return names
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            if name != [UInt8(ascii: ".")], name != Array("..".utf8) { names.append(name) }
        }
    }
}

/// What `path` leads to, links followed; nil if nothing is there that can be looked at.
public func fileKind(at path: String) -> FileKind? {
    var facts = stat()
    return unsafe stat(path, &facts) == 0 ? FileKind(facts) : nil
}

/// Whether the directory at `path`, links followed, is that one or somewhere below it.
public func isDirectory(at path: String, within identity: FileIdentity) -> Bool {
    guard let descriptor = try? openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "open")
    else { return false }
    return (try? OpenFile(descriptor, path: path).isWithin(identity)) == true
}

/// A name as system calls take it.
func terminated(_ name: [UInt8]) -> [CChar] {
    precondition(!name.contains(0), "a file's name holds no NUL")
    return name.map { CChar(bitPattern: $0) } + [0]
}

/// For errors; what is no UTF-8 is shown as U+FFFD.
func shown(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

extension FileKind {
    fileprivate init(_ facts: stat) {
        let identity = FileIdentity(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
        switch facts.st_mode & S_IFMT {
        case S_IFREG:
            self = .regular(
                FileStamp(
                    byteCount: UInt64(facts.st_size), modifiedSeconds: Int64(facts.st_mtim.tv_sec),
                    modifiedNanoseconds: Int64(facts.st_mtim.tv_nsec), identity: identity))
        case S_IFDIR: self = .directory(identity)
        case S_IFLNK: self = .link
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        default: self = .device
        }
    }
}
