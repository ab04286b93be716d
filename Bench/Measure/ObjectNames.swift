/// The names of a row's objects: `/<folder>/<hh>/<number>`, spread over 256 folders so that no
/// server's directory look-ups decide the result.
public struct ObjectNames: Sendable {
    public static let folderCount = 256
    private let folder: [UInt8]

    /// `folder` is one path segment.
    public init(folder: String) {
        precondition(!folder.utf8.contains(UInt8(ascii: "/")), "one segment")
        self.folder = Array(folder.utf8)
    }

    /// Bytes of every path, the leading slash included.
    public var pathCount: Int { 1 + folder.count + 1 + 2 + 1 + 16 }

    /// Appends the path of object `number`.
    public func append(_ number: UInt64, to target: inout OutputSpan<UInt8>) {
        target.append(UInt8(ascii: "/"))
        for byte in folder { target.append(byte) }
        target.append(UInt8(ascii: "/"))
        ObjectNames.append(number & 0xff, digits: 2, to: &target)
        target.append(UInt8(ascii: "/"))
        ObjectNames.append(number, digits: 16, to: &target)
    }

    public func path(_ number: UInt64) -> String {
        let bytes = [UInt8](capacity: pathCount) { append(number, to: &$0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The folder in which object `number` lies, with its leading slash.
    public func folder(of number: UInt64) -> String {
        let digits = [UInt8](capacity: 2) {
            ObjectNames.append(number & 0xff, digits: 2, to: &$0)
        }
        let (name, last) = (String(decoding: folder, as: UTF8.self), digits)
        return "/\(name)/\(String(decoding: last, as: UTF8.self))"
    }

    private static func append(_ value: UInt64, digits: Int, to target: inout OutputSpan<UInt8>) {
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(place * 4)) & 15
            target.append(digit < 10 ? digit + 48 : digit + 87)
        }
    }
}
