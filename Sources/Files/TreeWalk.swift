// A walk over all that lies below a directory, in the order of names, that no link leads astray.
//
// Each directory is opened relative to the one above it and only if it is none that a link leads
// to, so that what is renamed or replaced meanwhile cannot lead out of the tree.

internal import Glibc

/// What a walk comes by. Paths are below the directory that it began at, without leading slash.
public enum TreeEntry: Equatable, Sendable {
    /// To be opened with `openEntry`, if at all, before the next entry is asked for.
    case file(path: [UInt8], FileStamp)
    /// Entered with the next entry, unless `skipDirectory` is called before.
    case directory(path: [UInt8], FileIdentity)
    /// Neither file nor directory.
    case other(path: [UInt8], FileKind)
    /// Cannot be looked at, or entered.
    case failed(path: [UInt8], FileError)
}

public final class TreeWalk {
    private struct Level {
        let directory: OpenFile
        let path: [UInt8]
        /// Those that are still to come, the next one last.
        var names: [[UInt8]]
    }

    private let root: String
    private var levels: [Level] = []
    /// The last entry's name; what it is in is the last level.
    private var name: [UInt8] = []
    /// The last entry's path, if it is a directory to be entered.
    private var pending: [UInt8]?

    /// `root` may be a link to a directory: it is what the caller named.
    public init(_ root: String) throws(FileError) {
        self.root = root
        let descriptor = try openFile(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "open")
        try push(OpenFile(descriptor, path: root), path: [])
    }

    /// Nil behind the last one.
    public func next() -> TreeEntry? {
        if let path = pending.take() {
            do throws(FileError) {
                let above = levels[levels.count - 1].directory
                try push(above.openDirectory(name, path: full(path)), path: path)
            } catch {
                return .failed(path: path, error)
            }
        }
        while !levels.isEmpty {
            if let next = levels[levels.count - 1].names.popLast() {
                // Whatever has gone meanwhile was not there.
                if let entry = examine(next) { return entry }
            } else {
                levels.removeLast()
            }
        }
        return nil
    }

    public func skipDirectory() { pending = nil }

    /// Opens the file that was the last entry.
    public func openEntry() throws(FileError) -> OpenFile {
        let level = levels[levels.count - 1]
        return try level.directory.openRegular(
            name, path: full(TreeWalk.join(level.path, name)))
    }

    private func push(_ directory: OpenFile, path: [UInt8]) throws(FileError) {
        let names = try directory.names().sorted { $1.lexicographicallyPrecedes($0) }
        levels.append(Level(directory: directory, path: path, names: names))
    }

    private func examine(_ next: [UInt8]) -> TreeEntry? {
        name = next
        let (directory, above) = (levels[levels.count - 1].directory, levels[levels.count - 1].path)
        let path = TreeWalk.join(above, next)
        do throws(FileError) {
            guard let kind = try directory.kind(of: next, path: full(path)) else { return nil }
            switch kind {
            case .regular(let stamp): return .file(path: path, stamp)
            case .directory(let identity):
                pending = path
                return .directory(path: path, identity)
            case .link, .pipe, .socket, .device: return .other(path: path, kind)
            }
        } catch {
            return .failed(path: path, error)
        }
    }

    private func full(_ path: [UInt8]) -> String { root + "/" + shown(path) }

    private static func join(_ above: [UInt8], _ name: [UInt8]) -> [UInt8] {
        above.isEmpty ? name : above + [UInt8(ascii: "/")] + name
    }
}
