/// What the catalog keeps of clients: a value by a key, whose bytes mean nothing to it. They lie
/// nowhere else, and nothing of what is stored depends on them.

extension Transaction {
    borrowing func putProfile(
        _ key: [UInt8], _ value: [UInt8], in tables: Tables
    ) throws(CatalogError) {
        CatalogLimits.check(profileKey: key)
        CatalogLimits.check(profile: value)
        try put(key.span, value.span, in: tables.profiles)
    }

    borrowing func dropProfile(_ key: [UInt8], in tables: Tables) throws(CatalogError) {
        CatalogLimits.check(profileKey: key)
        try delete(key.span, in: tables.profiles)
    }
}

extension LMDBReader {
    func forEachProfile(
        _ body: (_ key: [UInt8], _ value: [UInt8]) -> Void
    ) throws(CatalogError) {
        var start: [UInt8]? = []
        while let first = start {
            let profiles = try gate.withSnapshot { snapshot throws(CatalogError) in
                try snapshot.profiles(in: tables, from: first)
            }
            for profile in profiles { body(profile.key, profile.value) }
            // The next key there can be: the same, and a zero.
            start = profiles.last.map { $0.key + [0] }
        }
    }
}

private struct StoredProfile: Sendable {
    let key: [UInt8]
    let value: [UInt8]
}

extension Transaction {
    /// As many as are read under one snapshot; none if there are no more.
    fileprivate borrowing func profiles(
        in tables: Tables, from first: [UInt8]
    ) throws(CatalogError) -> [StoredProfile] {
        var profiles: [StoredProfile] = []
        try walk(tables.profiles, from: first.span) { key, value throws(CatalogError) in
            profiles.append(StoredProfile(key: key.copied, value: value.copied))
            return profiles.count < CatalogLimits.entriesPerSnapshotMax
        }
        return profiles
    }
}

extension CatalogLimits {
    static func check(profileKey key: [UInt8]) {
        precondition(
            1...profileKeyBytesMax ~= key.count,
            "a profile's key of \(key.count) bytes reached the catalog")
    }

    static func check(profile value: [UInt8]) {
        precondition(
            value.count <= profileBytesMax,
            "a profile of \(value.count) bytes reached the catalog")
    }
}
