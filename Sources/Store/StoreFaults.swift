/// Mistakes that a test makes on purpose, to see that another test would notice.
struct StoreFaults: OptionSet, Sendable {
    let rawValue: UInt16
    /// Flushes are reported done without being asked for.
    static let noFlush = StoreFaults(rawValue: 1)
    /// A large object's record is written before its data is flushed.
    static let recordBeforeData = StoreFaults(rawValue: 2)
    /// Uploads are acknowledged before their last flush.
    static let earlyAcknowledgement = StoreFaults(rawValue: 4)
    /// Space returns before the removal record is durable and the last reader is gone.
    static let earlyReuse = StoreFaults(rawValue: 8)
    /// No digest can be made, as with an OpenSSL that has none.
    static let noDigest = StoreFaults(rawValue: 16)
    /// A flush that failed is asked for once more, and believed.
    static let retriesFlush = StoreFaults(rawValue: 32)
    /// What was written before a volume failed is flushed after it came back, and believed.
    static let trustsOldWrites = StoreFaults(rawValue: 64)
    /// A volume comes back while cores have writes on their way to it.
    static let comesBackUnfenced = StoreFaults(rawValue: 128)
    /// Space that a volume had handed out when it failed is handed out again.
    static let reusesQuarantine = StoreFaults(rawValue: 256)
    /// Records that failed are given up without being zeroed.
    static let keepsFailedRecords = StoreFaults(rawValue: 512)
    /// A removal goes though a record that it outlives may be on the disk.
    static let forgetsRemovals = StoreFaults(rawValue: 1024)
    /// What failed is believed never to come late.
    static let settlesAtOnce = StoreFaults(rawValue: 2048)
    /// A write that succeeded when it was tried again is believed to come once.
    static let forgetsAttempts = StoreFaults(rawValue: 4096)
}
