/// The profiles of clients, in memory: found at once, bounded in number, and with what the catalog
/// is still to be told of them.
///
///     update ─▶ unsaved ─takeUnsaved─▶ under way ─┬─saved──▶ in the catalog
///                  ▲                              └─failed─▶ unsaved again
///                  └── evicted, expired, removed: a drop, where the catalog has it
///
/// Invariant: no more profiles than `countMax`, and no more unsaved than twice as many behind a
/// change that failed. A profile that is given out is no older than `secondsKept`.

public struct ProfileTable: Sendable {
    /// About 200 bytes each in memory, as much in the catalog.
    public static let countMaxDefault = 16_384

    private struct Entry {
        var profile: ClientProfile
        /// The catalog has it, or may have.
        var isStored: Bool
    }

    private let countMax: Int
    private let secondsKept: UInt64
    private var entries: [ClientKey: Entry] = [:]
    /// Whose state the catalog does not know.
    private var unsaved: Set<ClientKey> = []

    public init(countMax: Int = ProfileTable.countMaxDefault, secondsKept: UInt64) {
        precondition(countMax > 0, "no profile could be kept")
        self.countMax = countMax
        self.secondsKept = secondsKept
    }

    public var count: Int { entries.count }
    public var unsavedCount: Int { unsaved.count }

    // MARK: One client

    /// Nil for a client that was not seen for too long, by this clock.
    public func profile(of key: ClientKey, now seconds: UInt64) -> ClientProfile? {
        guard let profile = entries[key]?.profile, !isExpired(profile, seconds) else { return nil }
        return profile
    }

    /// Changes the client's profile, a new one if there is none, and notes that it was seen.
    public mutating func update(
        _ key: ClientKey, now seconds: UInt64, _ change: (inout ClientProfile) -> Void
    ) {
        if entries[key] == nil, entries.count >= countMax { makeRoom(seconds) }
        var entry = entries[key] ?? Entry(profile: ClientProfile(), isStored: false)
        if isExpired(entry.profile, seconds) { entry.profile = ClientProfile() }
        change(&entry.profile)
        entry.profile.seenSeconds = seconds
        entries[key] = entry
        unsaved.insert(key)
    }

    /// Changes what is remembered of a client, if anything is. That somebody asked is no visit.
    public mutating func amend(
        _ key: ClientKey, now seconds: UInt64, _ change: (inout ClientProfile) -> Void
    ) {
        guard var profile = profile(of: key, now: seconds) else { return }
        let before = profile
        change(&profile)
        guard profile != before else { return }
        entries[key]?.profile = profile
        unsaved.insert(key)
    }

    /// Whether there was one.
    public mutating func remove(_ key: ClientKey) -> Bool {
        guard let entry = entries.removeValue(forKey: key) else { return false }
        forgot(key, entry)
        return true
    }

    public mutating func removeAll() {
        for (key, entry) in entries { forgot(key, entry) }
        entries = [:]
    }

    private mutating func forgot(_ key: ClientKey, _ entry: Entry) {
        if entry.isStored { unsaved.insert(key) } else { unsaved.remove(key) }
    }

    /// A clock that was set back makes what is from its future as old as what it forgot.
    private func isExpired(_ profile: ClientProfile, _ seconds: UInt64) -> Bool {
        let seen = profile.seenSeconds
        return max(seen, seconds) - min(seen, seconds) > secondsKept
    }

    // MARK: All

    /// Those are gone for good whose time is over.
    public mutating func expire(now seconds: UInt64) {
        for (key, entry) in entries where isExpired(entry.profile, seconds) { _ = remove(key) }
    }

    /// The sixteenth that was not seen for longest goes, so that this is needed seldom.
    private mutating func makeRoom(_ seconds: UInt64) {
        expire(now: seconds)
        guard entries.count >= countMax else { return }
        let oldest = entries.map { (seen: $0.value.profile.seenSeconds, key: $0.key) }
            .sorted { $0.seen < $1.seen }.prefix(max(1, countMax / 16))
        for (_, key) in oldest { _ = remove(key) }
    }

    /// In the order of the keys' bytes, behind `after`.
    public func list(
        after: ClientKey?, limit: Int, now seconds: UInt64
    ) -> [(key: ClientKey, profile: ClientProfile)] {
        let after = after?.bytes ?? []
        return
            entries
            .filter {
                after.lexicographicallyPrecedes($0.key.bytes)
                    && !isExpired($0.value.profile, seconds)
            }
            .sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
            .prefix(limit).map { (key: $0.key, profile: $0.value.profile) }
    }

    // MARK: The catalog

    /// Takes what the catalog has. False, and a drop to be saved, for what is too much, too old or
    /// makes no sense; what has no key at all is for the caller to drop.
    public mutating func load(_ key: ClientKey, _ value: [UInt8], now seconds: UInt64) -> Bool {
        guard entries.count < countMax, let profile = ClientProfile(encoded: value),
            !isExpired(profile, seconds)
        else {
            unsaved.insert(key)
            return false
        }
        entries[key] = Entry(profile: profile, isStored: true)
        return true
    }

    /// What the catalog is to be told: the profile, or nil that there is none any more.
    public struct Change: Equatable, Sendable {
        public let key: ClientKey
        public let value: [UInt8]?
    }

    /// Takes up to `most` of what is unsaved; `saved` or `failed` has to follow.
    public mutating func takeUnsaved(most: Int) -> [Change] {
        let keys = Array(unsaved.prefix(most))
        return keys.map { key in
            unsaved.remove(key)
            // From here on the catalog may have it, whatever it answers.
            entries[key]?.isStored = true
            return Change(key: key, value: entries[key]?.profile.encoded)
        }
    }

    /// The catalog refused `changes`: what has become of those clients since is still to be told.
    public mutating func failed(_ changes: [Change]) {
        for change in changes { unsaved.insert(change.key) }
        // A catalog that takes nothing any more: the next start drops what is too much.
        if unsaved.count > 2 * countMax { unsaved.formIntersection(entries.keys) }
    }
}
