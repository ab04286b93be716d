/// What can go wrong in the store, as whoever answers a client or an operator must tell it apart.

public import IO

public enum StoreError: Error, Equatable, Sendable {
    /// The configured capacity, the disk or the catalog is full: 507.
    case noSpace
    /// No volume of the needed class takes writes, or what was written has failed with its volume:
    /// 503.
    case readOnly
    /// The index lies too far behind to accept more changes: 503.
    case indexBehind
    /// Large uploads have announced more than may be missing at once: 503.
    case tooMuchReserved
    /// The object is longer than `StoreLimits.objectBytesMax`: 413.
    case tooLarge
    /// Stored bytes do not match their checksums: 500, and nothing of them is served.
    case corrupt(volume: VolumeName, offset: UInt64)
    /// The kernel could not read them: 500.
    case unreadable(volume: VolumeName, offset: UInt64, error: KernelError)
    /// The kernel refused to write, or what else is asked of it; nothing was acknowledged: 500.
    case kernel(operation: StoreOperation, path: String, error: KernelError)
    /// The index could not be asked or changed; the text says why: 500.
    case index(String)
    /// A digest that a client asked for cannot be made here; the text says why: 500.
    case noDigest(String)

    /// The file system takes no O_DIRECT; the store cannot run on it.
    case noDirectAccess(path: String)
    /// A volume written by a newer version of this program.
    case newerFormat(path: String, version: UInt32)
    /// A volume of another installation.
    case otherInstance(path: String)
    /// A volume whose superblock does not read as one.
    case notAVolume(path: String)
    /// A file in a volume's place that is larger than any volume.
    case volumeTooLarge(path: String)
}

/// What was asked of the kernel when it refused.
public enum StoreOperation: String, Sendable {
    case open, measure, allocate, write, sync, close
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noSpace: "no space is left for objects"
        case .readOnly: "no volume takes writes since one failed"
        case .indexBehind: "the index is too far behind to take more changes"
        case .tooMuchReserved: "too much space is reserved for uploads that are under way"
        case .tooLarge: "the object is longer than \(StoreLimits.objectBytesMax) bytes"
        case .corrupt(let volume, let offset):
            "corrupt bytes in \(volume) at offset \(offset)"
        case .unreadable(let volume, let offset, let error):
            "could not read \(volume) at offset \(offset): errno \(error.code)"
        case .kernel(let operation, let path, let error):
            "could not \(operation.rawValue) \(path): errno \(error.code)"
        case .index(let reason): "the index failed: \(reason)"
        case .noDigest(let reason): "no digest can be made: \(reason)"
        case .noDirectAccess(let path):
            "\(path): this file system takes no direct I/O (O_DIRECT); put the data on ext4 or xfs"
        case .newerFormat(let path, let version):
            "\(path) has format \(version), which is newer than this program: upgrade it"
        case .otherInstance(let path): "\(path) belongs to another installation"
        case .notAVolume(let path): "\(path) is not a volume, or its first block is damaged"
        case .volumeTooLarge(let path):
            "\(path) is larger than a volume can be: \(StoreLimits.volumeBytesMax) bytes"
        }
    }
}
