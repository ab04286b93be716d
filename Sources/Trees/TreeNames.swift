/// Which object a file becomes, and which file an object: the path below the directory, byte for
/// byte, behind the prefix.

public import HTTP

/// Why a path below the directory can be no object's.
public enum NameFault: Error, Equatable, Sendable, CustomStringConvertible {
    case name(ObjectName.Fault)
    /// The directory in which an export keeps what is not finished.
    case unfinished

    public var description: String {
        switch self {
        case .name(.refused(let refusal)): refusal.line
        case .name(.reserved(let segment)): "paths that begin with \(segment.text) are the server's"
        case .unfinished: "that is where an export keeps its unfinished files"
        }
    }
}

/// The prefix cannot stand in front of an object's name.
public struct PrefixFault: Error, Equatable, Sendable {
    public let reason: String
}

public struct TreeNames: Equatable, Sendable {
    /// Empty, or ends with a slash.
    public let prefix: [UInt8]
    private let limits: Limits
    private let unfinished: [UInt8]

    /// - Parameters:
    ///   - prefix: as a directory, with or without a slash at its end.
    ///   - unfinished: the first segment that is nobody's.
    public init(
        prefix: String = "", unfinished: String, limits: Limits = Limits()
    ) throws(PrefixFault) {
        var bytes = Array(prefix.utf8)
        if let last = bytes.last, last != TreeNames.slash { bytes.append(TreeNames.slash) }
        self.prefix = bytes
        self.limits = limits
        self.unfinished = Array(unfinished.utf8)
        guard !bytes.isEmpty else { return }
        do throws(ObjectName.Fault) {
            // The shortest name behind it.
            try ObjectName.validate((bytes + [UInt8(ascii: "x")]).span, limits: limits)
        } catch {
            throw PrefixFault(reason: NameFault.name(error).description)
        }
    }

    /// The name of the object that a file becomes.
    public func object(of path: [UInt8]) throws(NameFault) -> [UInt8] {
        guard !isUnfinished(path) else { throw .unfinished }
        let name = prefix + path
        do throws(ObjectName.Fault) {
            try ObjectName.validate(name.span, limits: limits)
        } catch {
            throw .name(error)
        }
        return name
    }

    /// Fails if nothing below a directory can become an object: its files need not be looked at.
    public func enter(_ directory: [UInt8]) throws(NameFault) {
        _ = try object(of: directory + [TreeNames.slash, UInt8(ascii: "x")])
    }

    /// The path of the file that an object becomes. The name begins with the prefix.
    public func path(of object: [UInt8]) throws(NameFault) -> [UInt8] {
        precondition(object.starts(with: prefix), "an object outside of the prefix")
        let path = Array(object.dropFirst(prefix.count))
        guard !isUnfinished(path) else { throw .unfinished }
        return path
    }

    private func isUnfinished(_ path: [UInt8]) -> Bool {
        path.prefix { $0 != TreeNames.slash }.elementsEqual(unfinished)
    }

    private static let slash = UInt8(ascii: "/")
}
