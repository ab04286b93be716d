/// How much memory there is for what only makes things faster.
enum MachineMemory {
    /// The catalog is read into memory at start if it takes at most one part in so many of what is
    /// available: the page cache has objects to hold, too.
    static let catalogParts = 4

    /// Bytes that the catalog may take; 0 where nobody says what is available.
    static func catalogBytesMax() -> UInt64 {
        let facts = TextFile.read("/proc/meminfo") ?? ""
        return catalogBytesMax(facts, limit: ControlGroup.current().memoryBytes)
    }

    /// - Parameters:
    ///   - facts: the text of /proc/meminfo (proc(5)), "MemAvailable:  123 kB".
    ///   - limit: the control groups' in bytes; nil is without limit.
    static func catalogBytesMax(_ facts: String, limit: Int?) -> UInt64 {
        let name = "MemAvailable:"
        guard let line = facts.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let number = line.dropFirst(name.count).split(separator: " ").first,
            let kibibytes = Int(number), kibibytes >= 0, kibibytes < 1 << 50
        else { return 0 }
        return UInt64(min(kibibytes << 10, limit ?? .max) / catalogParts)
    }
}
