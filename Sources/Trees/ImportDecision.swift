/// What becomes of a file that is to be imported, given what has its name already.

/// What files and objects are compared by before anything is read.
public struct Facts: Equatable, BitwiseCopyable, Sendable {
    public let byteCount: UInt64
    /// Whole seconds since 1970, UTC.
    public let modified: UInt64

    public init(byteCount: UInt64, modified: UInt64) {
        (self.byteCount, self.modified) = (byteCount, modified)
    }

    /// The last second of the year 9999: HTTP's dates end there.
    static let modifiedMax: UInt64 = 253_402_300_799

    /// Of a file, whose time may be one that objects do not have: then it is the nearest.
    public init(byteCount: UInt64, fileModified seconds: Int64) {
        self.init(
            byteCount: byteCount, modified: min(UInt64(max(seconds, 0)), Facts.modifiedMax))
    }
}

public enum ImportDecision: Equatable, Sendable {
    case put
    /// Length and time are the file's: it was imported before, and is not read again.
    case alreadyThere
    /// As long as the file, but of another time: only its bytes tell.
    case compare
    /// Another object has the name. Objects are never overwritten.
    case conflict

    public init(file: Facts, object: Facts?) {
        guard let object else {
            self = .put
            return
        }
        if object == file {
            self = .alreadyThere
        } else {
            self = object.byteCount == file.byteCount ? .compare : .conflict
        }
    }
}
