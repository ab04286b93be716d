import Catalog
import Testing

/// What every storage promises about reading more than one entry.
@Suite(.serialized) struct `Walking any catalog` {
    @Test(arguments: StorageKind.allCases)
    func `lists by prefix in the order of bytes`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let names = ["a", "b", "b/1", "b/2", "b/2/x", "b/é", "b0", "c"]
        try bed.storage.commit(names.reversed().map { .put($0, 1) }, applied: 1)
        #expect(try bed.list("") == names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
        #expect(try bed.list("b/") == ["b/1", "b/2", "b/2/x", "b/é"])
        #expect(try bed.list("b/2") == ["b/2", "b/2/x"])
        #expect(try bed.list("c") == ["c"])
        #expect(try bed.list("d").isEmpty)
    }

    @Test(arguments: StorageKind.allCases)
    func `goes on after a name, whether it exists or not`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit(["a", "b/1", "b/3", "c"].map { .put($0, 1) }, applied: 1)
        #expect(try bed.list("b/", after: "b/1") == ["b/3"])
        #expect(try bed.list("b/", after: "b/2") == ["b/3"])
        #expect(try bed.list("b/", after: "b/3").isEmpty)
        #expect(try bed.list("b/", after: "a") == ["b/1", "b/3"])
        #expect(try bed.list("b/", after: "c").isEmpty)
        #expect(try bed.list("", after: "") == ["a", "b/1", "b/3", "c"])
        #expect(try bed.list("b/", after: "b/") == ["b/1", "b/3"])
    }

    @Test(arguments: StorageKind.allCases)
    func `takes prefixes and names that no entry could have`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let longest = String(repeating: "x", count: 480)
        try bed.storage.commit([.put("a", 1), .put(longest, 1), .put("y", 1)], applied: 1)
        #expect(try bed.list(longest) == [longest])
        #expect(try bed.list(longest + "x").isEmpty)
        #expect(try bed.list("", after: longest + "x") == ["y"])
        #expect(try bed.list("", after: longest) == ["y"])
        #expect(try bed.list("x", after: String(repeating: "x", count: 9000)).isEmpty)
    }

    @Test(arguments: StorageKind.allCases)
    func `answers no more than asked for, and no more than the limit`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let most = CatalogLimits.listingMax
        try bed.storage.commit((0...most).map { .put("n\($0)", 1) }, applied: 1)
        #expect(try bed.list("", limit: 0).isEmpty)
        #expect(try bed.list("", limit: -1).isEmpty)
        #expect(try bed.list("", limit: 3) == ["n0", "n1", "n10"])
        #expect(try bed.list("", limit: .max).count == most)
        #expect(try Contents(of: bed.storage).listings.count == most + 1)
    }

    /// Around the number of rows that are read under one snapshot.
    @Test(arguments: StorageKind.allCases, [0, 1, 1023, 1024, 1025, 2048, 2049])
    func `passes every extent once, by ascending address`(
        _ kind: StorageKind, _ count: Int
    ) throws {
        let bed = try TestBed(kind)
        var extents = (0..<count).map {
            CatalogExtent(address: UInt64($0) << 40, blocks: UInt32($0) + 1)
        }
        if count > 1 { extents[count - 1].address = .max }
        try bed.storage.commit(extents.reversed().map { .addExtent($0) }, applied: 1)
        #expect(try Contents(of: bed.storage).extents == extents)
        try bed.storage.commit([.dropExtent(address: 0), .dropExtent(address: 1)], applied: 2)
        #expect(try Contents(of: bed.storage).extents == Array(extents.dropFirst()))
    }

    @Test(arguments: StorageKind.allCases, [0, 1, 1023, 1024, 1025, 2048, 2049])
    func `passes every entry once, in the order of names`(
        _ kind: StorageKind, _ count: Int
    ) throws {
        let bed = try TestBed(kind)
        let names = (0..<count).map { "name \(10_000 + $0)" }
        let changes = names.enumerated().map { CatalogChange.put($1, UInt64($0) + 1) }
        try bed.storage.commit(changes.reversed(), applied: 1)
        let reader = try bed.storage.makeReader()
        var entries: [CatalogEntry] = []
        try reader.forEachEntry { entries.append($0) }
        #expect(entries == (0..<count).map { .sample(UInt64($0) + 1) })
    }

    /// Around the number of records, and the bytes of them, that are read under one snapshot.
    @Test(
        arguments: StorageKind.allCases,
        [(0, 9), (1, 9), (1023, 9), (1024, 9), (1025, 9), (2049, 9), (3, 1 << 20), (9, 1 << 20)])
    func `passes every upload once, in the order of their numbers`(
        _ kind: StorageKind, _ records: (count: Int, bytes: Int)
    ) throws {
        let bed = try TestBed(kind)
        let changes = (0..<records.count).map { number in
            let value = content(records.bytes, seed: UInt8(truncatingIfNeeded: number))
            return CatalogChange.putUpload(.sample(UInt64(number)), value: value)
        }
        for change in changes.reversed() { try bed.storage.commit([change], applied: 1) }
        var walked: [CatalogChange] = []
        try bed.storage.makeReader().forEachUpload { walked.append(.putUpload($0, value: $1)) }
        #expect(walked == changes)
    }

    @Test(arguments: StorageKind.allCases)
    func `lets the walker drop the uploads that it is shown`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        for number in 0..<2500 as Range<UInt64> {
            try bed.storage.commit([.putUpload(.sample(number), value: [1])], applied: 1)
        }
        let reader = try bed.storage.makeReader()
        var failures: [any Error] = []
        var count = 0
        try reader.forEachUpload { id, _ in
            count += 1
            do throws(CatalogError) {
                try bed.storage.commit([.dropUpload(id)], applied: 1)
            } catch { failures.append(error) }
        }
        #expect(failures.isEmpty)
        #expect(count == 2500)
        #expect(try Contents(of: bed.storage).uploads.isEmpty)
    }

    @Test(arguments: StorageKind.allCases)
    func `lets the walker look things up meanwhile`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let extent = CatalogExtent(address: 1, blocks: 2)
        try bed.storage.commit([.addExtent(extent), .put("a", 1)], applied: 1)
        let reader = try bed.storage.makeReader()
        var found: [CatalogEntry?] = []
        try reader.forEachExtent { _ in found.append(try? reader.find("a".bytes.span)) }
        #expect(found == [.sample(1)])
    }

    @Test func `is the same for both kinds after any changes`() throws {
        for seed in 1...10 as ClosedRange<UInt64> {
            let memory = try TestBed(.memory)
            let lmdb = try TestBed(.lmdb)
            var random = Random(seed: seed)
            for round in 1...30 as ClosedRange<UInt64> {
                let changes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    CatalogChange.random(using: &random)
                }
                try memory.storage.commit(changes, applied: round)
                try lmdb.storage.commit(changes, applied: round)
                let contents = try Contents(of: lmdb.storage)
                #expect(try contents == Contents(of: memory.storage), "seed \(seed)")

                // Recovery may replay what is already there.
                try lmdb.storage.commit(changes, applied: round)
                try memory.storage.commit(changes, applied: round)
                #expect(try Contents(of: lmdb.storage) == contents, "seed \(seed)")
                #expect(try Contents(of: memory.storage) == contents, "seed \(seed)")
            }
            let before = try Contents(of: lmdb.storage)
            try lmdb.reopen()
            #expect(try Contents(of: lmdb.storage) == before, "seed \(seed)")
        }
    }
}

extension CatalogChange {
    /// Few names and addresses, so that changes meet.
    fileprivate static func random(using random: inout Random) -> CatalogChange {
        let number = UInt64.random(in: 0...15, using: &random)
        let sequence = UInt64.random(in: 1...50, using: &random)
        switch Int.random(in: 0...13, using: &random) {
        case 0, 1: return .put("n\(number)", sequence)
        case 2: return .remove("n\(number)", sequence)
        case 3:
            return .addExtent(CatalogExtent(address: number, blocks: UInt32(sequence)))
        case 4: return .dropExtent(address: number)
        case 5:
            return .addLease(
                CatalogLease(volume: UInt32(number), segment: 0, sequence: sequence))
        case 6: return .dropLease(volume: UInt32(number), segment: 0)
        case 7: return .dropRemoval(address: number)
        case 8: return .dropUpload(.sample(number % 6))
        case 9:
            let value = content(Int(sequence) * 400, seed: UInt8(sequence))
            return .putUpload(.sample(number % 6), value: value)
        case 10:
            let value = content(Int(sequence) * 80, seed: UInt8(sequence))
            return .putUploadPage(.sample(number % 6), page: UInt32(number), value: value)
        case 11:
            let value = content(Int(sequence), seed: UInt8(sequence))
            return .putProfile(key: [UInt8(number)], value: value)
        case 12: return .dropProfile(key: [UInt8(number)])
        default:
            return .addRemoval(
                CatalogRemoval(
                    address: number, removedAddress: sequence, nameHash: 0, sequence: sequence))
        }
    }
}
