/// One volume file: its class and its number within that class.
public struct VolumeName: Sendable, Hashable, CustomStringConvertible {
    /// Small volumes hold records, with the bytes of small objects; large volumes hold extents.
    public enum Class: UInt8, Sendable { case small = 0, large = 1 }

    public let volumeClass: Class
    public let number: UInt32

    public var description: String {
        let digits = String(number)
        let padding = String(repeating: "0", count: max(0, 4 - digits.count))
        switch volumeClass {
        case .small: return "small-\(padding)\(digits)"
        case .large: return "large-\(padding)\(digits)"
        }
    }
}
