import CLMDB

/// What can go wrong with a catalog, each with what to do about it.
public enum CatalogError: Error, Equatable, Sendable {
    /// The directory is not there, or is no directory.
    case noDirectory(path: String)
    /// The directory holds no catalog, and none was to be made.
    case noCatalog(path: String)
    /// A file lies where the catalog should, and it is not one.
    case notACatalog(path: String)
    /// Written by a newer version of the program.
    case newerFormat(found: UInt32, supported: UInt32)
    /// Written by a version of the program that is too old for its catalog to be upgraded.
    case olderFormat(found: UInt32, path: String)
    /// The catalog of other volumes than these.
    case otherInstance(found: CatalogInstance, expected: CatalogInstance)
    /// The index contradicts itself.
    case damaged(String)
    /// The catalog reached its own limit.
    case full(limitBytes: UInt64)
    /// The file system has no room for the catalog to grow.
    case diskFull
    /// An earlier commit failed in a way that leaves its outcome unknown.
    case outOfService
    /// The kernel or LMDB refused. `code` is an errno, or LMDB's own (below -30000).
    case system(operation: String, code: Int32)
}

extension CatalogError: CustomStringConvertible {
    private static let rebuild = "rebuild it from the volumes"

    public var description: String {
        switch self {
        case .noDirectory(let path):
            "the catalog's directory \(path) does not exist"
        case .noCatalog(let path):
            "there is no catalog in \(path)"
        case .notACatalog(let path):
            "data.mdb in \(path) is not a catalog; move it away, then \(CatalogError.rebuild)"
        case .newerFormat(let found, let supported):
            "the catalog has format \(found), this program reads up to \(supported): upgrade it"
        case .olderFormat(let found, let path):
            "the catalog in \(path) has the earlier format \(found): move its files away, and the"
                + " next start rebuilds it from the volumes"
        case .otherInstance(let found, let expected):
            "the catalog belongs to instance \(found), the volumes to \(expected)"
        case .damaged(let what):
            "the catalog is damaged (\(what)): \(CatalogError.rebuild)"
        case .full(let limitBytes):
            "the catalog reached its limit of \(limitBytes) bytes"
        case .diskFull:
            "the catalog's file system is full"
        case .outOfService:
            "the catalog takes no more changes since one failed; restart"
        case .system(let operation, let code):
            "the catalog could not \(operation): \(unsafe String(cString: clmdb_text(code)))"
        }
    }
}

extension CatalogError {
    /// Throws what `status` means, unless it is 0. `operation` completes "could not …".
    static func check(
        _ status: Int32, _ operation: @autoclosure () -> String
    ) throws(CatalogError) {
        guard status != 0 else { return }
        if clmdb_means_disk_full(status) { throw .diskFull }
        if status == CLMDB_DAMAGED_PAGE { throw .damaged("LMDB could not \(operation())") }
        throw .system(operation: operation(), code: status)
    }

    /// Nothing was stored, and storing less may work.
    var leavesCatalogInService: Bool {
        switch self {
        case .full, .diskFull: true
        case .noDirectory, .noCatalog, .notACatalog, .newerFormat, .olderFormat, .otherInstance,
            .damaged, .outOfService, .system:
            false
        }
    }

    /// A larger map and another attempt may help.
    var isMapFull: Bool {
        guard case .system(_, let code) = self else { return false }
        return code == CLMDB_MAP_FULL
    }
}

extension CatalogInstance: CustomStringConvertible {
    /// As a UUID is written (RFC 9562 §4).
    public var description: String {
        let digits = [high, low].map { half in
            let text = String(half, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
