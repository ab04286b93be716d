/// What has become of the files of one run, and the words for it.

/// Which way files go.
public enum TransferKind: Sendable {
    case importing, exporting

    /// `imported`
    public var past: String { self == .importing ? "imported" : "exported" }
}

/// What became of one file.
public enum FileEnd: Equatable, Sendable {
    case transferred(bytes: UInt64)
    case alreadyThere(bytes: UInt64)
    /// It is none that can be transferred.
    case skipped
    /// Something else has its name.
    case conflict(bytes: UInt64)
    case failed(bytes: UInt64)
}

public struct TransferCounts: Equatable, Sendable {
    public private(set) var transferred = 0
    public private(set) var bytesTransferred: UInt64 = 0
    public private(set) var alreadyThere = 0
    public private(set) var skipped = 0
    public private(set) var conflicts = 0
    public private(set) var failed = 0
    /// Of all files that are done with, however they ended.
    public private(set) var bytesDone: UInt64 = 0

    public init() {}

    public mutating func add(_ end: FileEnd) {
        switch end {
        case .transferred(let bytes):
            transferred += 1
            bytesTransferred += bytes
            bytesDone += bytes
        case .alreadyThere(let bytes):
            alreadyThere += 1
            bytesDone += bytes
        case .skipped: skipped += 1
        case .conflict(let bytes):
            conflicts += 1
            bytesDone += bytes
        case .failed(let bytes):
            failed += 1
            bytesDone += bytes
        }
    }

    public var filesDone: Int { transferred + alreadyThere + conflicts + failed }

    /// Nothing was left out.
    public var isClean: Bool { skipped == 0 && conflicts == 0 && failed == 0 }

    /// `imported 3 files (1.5 MiB), 2 already there, 0 skipped, 1 in conflict, 0 failed`
    public func summary(_ kind: TransferKind, isDry: Bool) -> String {
        let files = "\(transferred) \(transferred == 1 ? "file" : "files")"
        return "\(isDry ? "would have " : "")\(kind.past) \(files)"
            + " (\(Quantity.bytes(bytesTransferred))), \(alreadyThere) already there,"
            + " \(skipped) skipped, \(conflicts) in conflict, \(failed) failed"
    }
}
