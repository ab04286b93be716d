// What can go wrong with a file at start, in words an operator can act on.

internal import Glibc

/// A file could not be used. The text names the file and never its contents.
public enum FileError: Error, Equatable, Sendable {
    /// `verb` is what was tried ("open", "create", …), `code` the errno that answered.
    case system(verb: String, path: String, code: Int32)
    case tooLarge(path: String, byteCountMax: Int)
    /// Someone besides the owner may read or write it. `mode` holds the permission bits.
    case exposed(path: String, mode: UInt32)
    /// A file, or a link, stands where a directory is needed.
    case notDirectory(path: String)
    /// Somebody else writes to that directory.
    case inUse(path: String)
    /// Nothing may be written to that directory.
    case forbidden(path: String)

    public var isMissing: Bool {
        if case .system(_, _, ENOENT) = self { true } else { false }
    }

    /// Something has that name already.
    public var isTaken: Bool {
        if case .system(_, _, EEXIST) = self { true } else { false }
    }

    /// Whatever is tried next in that place will fail, too.
    public var isLasting: Bool {
        switch self {
        case .system(_, _, let code): [ENOSPC, EDQUOT, EROFS, EIO].contains(code)
        case .tooLarge, .exposed, .notDirectory, .inUse, .forbidden: false
        }
    }
}

extension FileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let verb, let path, let code):
            "cannot \(verb) \(path): \(systemMessage(code))"
        case .tooLarge(let path, let byteCountMax):
            "\(path) is larger than \(byteCountMax) bytes, which cannot be right"
        case .exposed(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)): others may use it; run chmod 600 on it"
        case .notDirectory(let path): "\(path) is no directory (links are not followed)"
        case .inUse(let path): "\(path) is being written to by another millrace process"
        case .forbidden(let path): "\(path) is the data directory, or in it"
        }
    }
}

/// The system's words for an errno.
public func systemMessage(_ code: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    let status = unsafe text.withUnsafeMutableBytes { buffer in
        unsafe strerror_r(code, buffer.baseAddress!, buffer.count)
    }
    guard status == 0 else { return "error \(code)" }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
}
