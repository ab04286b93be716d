import Catalog
import Testing

/// What every storage promises about what is kept of clients.
@Suite(.serialized) struct `Profiles in any catalog` {
    private func profiles(_ bed: TestBed) throws -> [StoredProfile] {
        try Contents(of: bed.storage).profiles
    }

    @Test(arguments: StorageKind.allCases)
    func `are kept, replaced and dropped`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        #expect(try profiles(bed).isEmpty)
        let key = content(CatalogLimits.profileKeyBytesMax, seed: 7)
        let value = content(CatalogLimits.profileBytesMax, seed: 9)
        try bed.storage.commit(
            [.putProfile(key: [2], value: []), .putProfile(key: key, value: value)], applied: 1)
        #expect(
            try profiles(bed)
                == [
                    StoredProfile(key: key, value: value), StoredProfile(key: [2], value: []),
                ].sorted { $0.key.lexicographicallyPrecedes($1.key) })
        try bed.storage.commit([.putProfile(key: key, value: [1, 2])], applied: 1)
        try bed.storage.commit(
            [.dropProfile(key: [2]), .dropProfile(key: [3])], applied: 1)
        #expect(try profiles(bed) == [StoredProfile(key: key, value: [1, 2])])
        try bed.reopen()
        #expect(try profiles(bed) == [StoredProfile(key: key, value: [1, 2])])
    }

    /// More than are read under one snapshot, with keys that begin alike.
    @Test(arguments: StorageKind.allCases)
    func `are walked in the order of their keys`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let keys = (1...2500).map {
            [UInt8](repeating: UInt8($0 & 1), count: 1 + $0 % 5)
                + [UInt8($0 >> 8), UInt8($0 & 255)]
        }
        try bed.storage.commit(
            keys.map { .putProfile(key: $0, value: $0.reversed()) }, applied: 1)
        let expected = Set(keys).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(try profiles(bed).map(\.key) == expected)
        #expect(try profiles(bed).allSatisfy { $0.value == $0.key.reversed() })
    }

    /// They are hints: a full catalog keeps its room for removals.
    @Test func `are refused by a full catalog, which drops them all the same`() throws {
        let directory = try TemporaryDirectory()
        var sizes = LMDBSizes.small
        sizes.mapBytesMax = 1 << 20
        sizes.headroomBytes = 512 << 10
        let catalog = try LMDBCatalog.open(
            at: directory.path, instance: instance, sizes: sizes, create: true)
        var number = 0
        let value = content(CatalogLimits.profileBytesMax, seed: 1)
        #expect(throws: CatalogError.full(limitBytes: 1 << 20)) {
            while number < 10_000 {
                let key: [UInt8] = [UInt8(number >> 8), UInt8(number & 255)]
                try catalog.commit([.putProfile(key: key, value: value)], applied: 1)
                number += 1
            }
        }
        #expect(number > 100)
        #expect(try Contents(of: catalog).profiles.count == number)
        try catalog.commit([.dropProfile(key: [0, 0])], applied: 1)
        #expect(try Contents(of: catalog).profiles.count == number - 1)
    }

    @Test(arguments: [0, CatalogLimits.profileKeyBytesMax + 1])
    func `trap for a key of an impossible length`(_ count: Int) async {
        await #expect(processExitsWith: .failure) { [count] in
            let key = [UInt8](repeating: 1, count: count)
            try TestBed(.memory).storage.commit([.putProfile(key: key, value: [])], applied: 1)
        }
        await #expect(processExitsWith: .failure) { [count] in
            let key = [UInt8](repeating: 1, count: count)
            try TestBed(.memory).storage.commit([.dropProfile(key: key)], applied: 1)
        }
    }

    @Test func `trap for a value that is too long`() async {
        await #expect(processExitsWith: .failure) {
            let value = [UInt8](repeating: 1, count: CatalogLimits.profileBytesMax + 1)
            try TestBed(.memory).storage.commit(
                [.putProfile(key: [1], value: value)], applied: 1)
        }
    }
}
