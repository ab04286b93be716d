// A directory that files are brought into, each whole and durable before it has its name.
//
//     begin ──write…──▶ unfinished file ──fsync──▶ linked to its name ──▶ directories synced,
//       └──discard                                                        a batch at a time
//
// Unfinished files lie in a directory of their own below the root, whose name no object can have:
// whatever is found there is left over from a run that was cut short. No link is followed anywhere
// below the root, and nothing is written to what has a name already.

internal import Glibc
internal import Synchronization

/// A file that has no name of its own yet. Ends with one of `TreeTarget.place` and `discard`.
public final class UnfinishedFile: Sendable {
    public let file: OpenFile
    fileprivate let name: [UInt8]

    fileprivate init(_ file: OpenFile, name: [UInt8]) { (self.file, self.name) = (file, name) }
}

public final class TreeTarget: Sendable {
    /// Below the root.
    public static let unfinishedName = ".millrace-export"
    /// Files that have their name and whose directory may not be synced.
    private static let batchMax = 256
    private static let directoriesMax = 64

    private struct Known {
        let file: OpenFile
        /// Its own name is durable, or is going to be.
        let isNoted: Bool
    }

    private struct Directories {
        /// Those opened last, by path.
        var open: [[UInt8]: Known] = [:]
        /// Those with entries that a power cut could take.
        var unsynced: [[UInt8]: OpenFile] = [:]
        var placed = 0
        var begun: UInt64 = 0
    }

    private let path: String
    private let root: OpenFile
    /// Nil for who only looks.
    private let unfinished: OpenFile?
    private let forbidden: FileIdentity?
    private let directories = Mutex(Directories())

    /// Makes `path`, or takes what is there, and keeps others like us out; unless it is only looked
    /// at. `forbidden` is a directory into which nothing is to be written.
    public init(_ path: String, forbidden: FileIdentity?, writes: Bool) throws(FileError) {
        (self.path, self.forbidden) = (path, forbidden)
        if writes { try makeDirectory(path) }
        root = OpenFile(
            try openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "open"), path: path)
        if let forbidden, try root.isWithin(forbidden) { throw .forbidden(path: path) }
        guard writes else {
            unfinished = nil
            return
        }
        guard flock(root.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK ? .inUse(path: path) : root.failure("lock")
        }
        let name = Array(TreeTarget.unfinishedName.utf8)
        let room = try TreeTarget.enter(
            name, of: root, path: path + "/" + shown(name), makes: true)
        unfinished = room
        for left in try room.names() { try remove(left) }
    }

    private var room: OpenFile {
        guard let unfinished else { preconditionFailure("who only looks makes no file") }
        return unfinished
    }

    private func remove(_ name: [UInt8]) throws(FileError) {
        guard unsafe unlinkat(room.descriptor, terminated(name), 0) == 0 else {
            let file = "\(path)/\(TreeTarget.unfinishedName)/\(shown(name))"
            throw .system(verb: "remove", path: file, code: errno)
        }
    }

    private static func check(_ file: OpenFile, _ forbidden: FileIdentity?) throws(FileError) {
        if case .directory(let identity) = try file.kind(), identity == forbidden {
            throw .forbidden(path: file.path)
        }
    }

    // MARK: What is there

    /// What has that path; nil if nothing does. Fails where its directory is none.
    public func kind(of path: [UInt8]) throws(FileError) -> FileKind? {
        let (above, name) = TreeTarget.split(path)
        guard let directory = try directory(above, makes: false) else { return nil }
        return try directory.kind(of: name, path: full(path))
    }

    /// A file that is there, for reading.
    public func open(_ path: [UInt8]) throws(FileError) -> OpenFile {
        let (above, name) = TreeTarget.split(path)
        guard let directory = try directory(above, makes: false) else {
            throw .system(verb: "open", path: full(path), code: ENOENT)
        }
        return try directory.openRegular(name, path: full(path))
    }

    // MARK: What comes

    public func begin() throws(FileError) -> UnfinishedFile {
        let number = directories.withLock { directories in
            directories.begun += 1
            return directories.begun
        }
        let name = Array(String(number).utf8)
        let path = "\(path)/\(TreeTarget.unfinishedName)/\(number)"
        let file = try room.open(
            name, O_RDWR | O_CREAT | O_EXCL, mode: 0o666, path: path)
        return UnfinishedFile(file, name: name)
    }

    public func discard(_ file: UnfinishedFile) {
        // What stays is removed by the next run.
        _ = try? remove(file.name)
    }

    /// Gives the file its time and its name, durably once `sync` has returned. What has the name
    /// already stays, with `EEXIST`, unless it is to be replaced.
    public func place(
        _ file: UnfinishedFile, at path: [UInt8], modifiedSeconds: Int64, replaces: Bool
    ) throws(FileError) {
        let (above, name) = TreeTarget.split(path)
        do throws(FileError) {
            try file.file.setModified(seconds: modifiedSeconds)
            try file.file.sync()
            guard let directory = try directory(above, makes: true) else {
                throw .system(verb: "make", path: full(above), code: ENOENT)
            }
            try link(file, to: name, of: directory, path: full(path), replaces: replaces)
            try entered(directory, above)
        } catch {
            discard(file)
            throw error
        }
    }

    private func link(
        _ file: UnfinishedFile, to name: [UInt8], of directory: OpenFile, path: String,
        replaces: Bool
    ) throws(FileError) {
        let (from, to) = (terminated(file.name), terminated(name))
        let status =
            if replaces {
                unsafe renameat(room.descriptor, from, directory.descriptor, to)
            } else {
                // Unlike rename(2), takes nothing away.
                unsafe linkat(room.descriptor, from, directory.descriptor, to, 0)
            }
        guard status == 0 else { throw .system(verb: "name", path: path, code: errno) }
        if !replaces { try remove(file.name) }
    }

    /// Every file that was placed survives a power cut from now on.
    public func sync() throws(FileError) {
        let unsynced = directories.withLock { directories in
            directories.placed = 0
            defer { directories.unsynced = [:] }
            return directories.unsynced
        }
        for directory in unsynced.values { try directory.sync() }
    }

    /// Syncs, and leaves nothing of its own behind.
    public func finish() throws(FileError) {
        guard unfinished != nil else { return }
        try sync()
        let name = terminated(Array(TreeTarget.unfinishedName.utf8))
        _ = unsafe unlinkat(root.descriptor, name, AT_REMOVEDIR)
        try root.sync()
    }

    private func entered(_ directory: OpenFile, _ path: [UInt8]) throws(FileError) {
        let isFull = directories.withLock { directories in
            directories.unsynced[path] = directory
            directories.placed += 1
            return directories.placed >= TreeTarget.batchMax
                || directories.unsynced.count >= TreeTarget.directoriesMax
        }
        if isFull { try sync() }
    }

    // MARK: Directories

    /// Nil if it is not there and is not to be made.
    private func directory(_ path: [UInt8], makes: Bool) throws(FileError) -> OpenFile? {
        if path.isEmpty { return root }
        let known = directories.withLock { $0.open[path] }
        if let known, known.isNoted || !makes { return known.file }
        let (above, name) = TreeTarget.split(path)
        guard let parent = try directory(above, makes: makes) else { return nil }
        do throws(FileError) {
            let opened: OpenFile
            if let known {
                opened = known.file
            } else {
                opened = try TreeTarget.enter(name, of: parent, path: full(path), makes: makes)
            }
            try TreeTarget.check(opened, forbidden)
            directories.withLock { directories in
                if directories.open.count >= TreeTarget.directoriesMax { directories.open = [:] }
                directories.open[path] = Known(file: opened, isNoted: makes)
                // It may be new, by us or by a run that was cut short.
                if makes { directories.unsynced[above] = parent }
            }
            return opened
        } catch {
            if !makes, error.isMissing { return nil }
            throw error
        }
    }

    private static func enter(
        _ name: [UInt8], of parent: OpenFile, path: String, makes: Bool
    ) throws(FileError) -> OpenFile {
        if makes, unsafe mkdirat(parent.descriptor, terminated(name), 0o777) != 0, errno != EEXIST {
            throw .system(verb: "make", path: path, code: errno)
        }
        do throws(FileError) {
            return try parent.openDirectory(name, path: path)
        } catch {
            guard case .system(_, _, ENOTDIR) = error else { throw error }
            // A link is none either: whatever it leads to is not ours to write to.
            throw .notDirectory(path: path)
        }
    }

    private static func split(_ path: [UInt8]) -> (above: [UInt8], name: [UInt8]) {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return ([], path) }
        return (Array(path[..<slash]), Array(path[(slash + 1)...]))
    }

    private func full(_ path: [UInt8]) -> String { self.path + "/" + shown(path) }
}
