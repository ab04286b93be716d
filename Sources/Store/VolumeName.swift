public import Volumes

/// What a volume file is called: its class, and its number within that class. Ids of small volumes
/// are even, those of large ones odd, so that name and id say the same.
public struct VolumeName: Sendable, Hashable, CustomStringConvertible {
    public let volumeClass: VolumeClass
    public let number: UInt16
    static let numberMax: UInt16 = UInt16.max >> 1

    init(_ volumeClass: VolumeClass, number: UInt16) {
        precondition(number <= VolumeName.numberMax, "no instance has that many volumes")
        (self.volumeClass, self.number) = (volumeClass, number)
    }

    init(_ id: VolumeID) {
        volumeClass = id.number & 1 == 0 ? .small : .large
        number = id.number >> 1
    }

    var id: VolumeID {
        switch volumeClass {
        case .small: VolumeID(number << 1)
        case .large: VolumeID(number << 1 | 1)
        }
    }

    public var description: String {
        let digits = String(number)
        let padding = String(repeating: "0", count: max(0, 4 - digits.count))
        switch volumeClass {
        case .small: return "small-\(padding)\(digits)"
        case .large: return "large-\(padding)\(digits)"
        }
    }

    /// Beneath the data directory.
    var path: String { "volumes/\(self)" }
}
