import Catalog
import Foundation
import Testing

/// What every storage promises.
@Suite(.serialized) struct `Any catalog` {
    @Test(arguments: StorageKind.allCases)
    func `begins empty, clean and knowing its instance`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let contents = try Contents(of: bed.storage)
        #expect(contents.listings.isEmpty)
        #expect(contents.extents.isEmpty)
        #expect(contents.leases.isEmpty)
        #expect(contents.removals.isEmpty)
        #expect(contents.uploads.isEmpty)
        let expected = CatalogMetadata(instance: instance, applied: 0, isClean: true)
        #expect(contents.metadata == expected)
        #expect(try bed.find("anything") == nil)
    }

    @Test(arguments: StorageKind.allCases)
    func `finds what was put, also after it was opened again`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit([.put("a/b", 7), .put("a/c", 8)], applied: 8)
        #expect(try bed.find("a/b") == .sample(7))
        #expect(try bed.find("a/c") == .sample(8))
        #expect(try bed.find("a/") == nil)
        #expect(try bed.find("a/bb") == nil)
        let before = try Contents(of: bed.storage)
        try bed.reopen()
        #expect(try Contents(of: bed.storage) == before)
        #expect(try bed.find("a/b") == .sample(7))
    }

    @Test(arguments: StorageKind.allCases)
    func `shows a reader every commit at once`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let reader = try bed.storage.makeReader()
        for sequence in 1...20 as ClosedRange<UInt64> {
            try bed.storage.commit([.put("name", sequence)], applied: sequence)
            let found = try reader.find("name".bytes.span)
            #expect(found == .sample(sequence))
            #expect(try reader.metadata().applied == sequence)
        }
    }

    @Test(arguments: StorageKind.allCases)
    func `keeps the record with the highest sequence`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit([.put("a", 5), .put("a", 4)], applied: 5)
        #expect(try bed.find("a") == .sample(5))
        try bed.storage.commit([.put("a", 3)], applied: 5)
        #expect(try bed.find("a") == .sample(5))
        try bed.storage.commit([.put("a", 6)], applied: 6)
        #expect(try bed.find("a") == .sample(6))
        var moved = CatalogEntry.sample(6)
        moved.recordAddress = 42
        try bed.storage.commit([.put(name: "a".bytes, entry: moved)], applied: 6)
        #expect(try bed.find("a") == moved)
    }

    @Test(arguments: StorageKind.allCases)
    func `removes only what is no newer than the removal`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit([.put("a", 5), .put("b", 5), .put("c", 5)], applied: 5)
        try bed.storage.commit(
            [.remove("a", 4), .remove("b", 5), .remove("c", 6), .remove("d", 7)], applied: 7)
        #expect(try bed.list("") == ["a"])
    }

    @Test(arguments: StorageKind.allCases)
    func `takes names of 1 to 480 bytes, of any bytes`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let names: [[UInt8]] = [
            [0], [0, 0], [255], [0xc3], Array(repeating: 255, count: 480),
            Array(repeating: 0, count: 480), Array(repeating: 7, count: 479),
        ]
        for (index, name) in names.enumerated() {
            let entry = CatalogEntry.sample(UInt64(index))
            try bed.storage.commit([.put(name: name, entry: entry)], applied: UInt64(index))
        }
        let reader = try bed.storage.makeReader()
        for (index, name) in names.enumerated() {
            let found = try reader.find(name.span)
            #expect(found == .sample(UInt64(index)))
        }
        for impossible in [[], Array(repeating: 7 as UInt8, count: 481)] as [[UInt8]] {
            let found = try reader.find(impossible.span)
            #expect(found == nil)
        }
        let listed = try Contents(of: bed.storage).listings.map(\.name)
        #expect(listed == names.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test(arguments: StorageKind.allCases)
    func `keeps leases by volume and segment`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let leases = [(0, 1), (0, UInt32.max), (1, 0), (UInt32.max, UInt32.max)].map {
            CatalogLease(volume: $0.0, segment: $0.1, sequence: UInt64($0.1) + 3)
        }
        try bed.storage.commit(leases.reversed().map { .addLease($0) }, applied: 1)
        #expect(try Contents(of: bed.storage).leases == leases)
        var newer = leases[1]
        newer.sequence = 99
        try bed.storage.commit(
            [
                .addLease(newer), .dropLease(volume: 1, segment: 0),
                .dropLease(volume: 9, segment: 9),
            ],
            applied: 2)
        #expect(try Contents(of: bed.storage).leases == [leases[0], newer, leases[3]])
    }

    @Test(arguments: StorageKind.allCases)
    func `keeps removals by address`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let removals = [1, 256, UInt64.max].map {
            CatalogRemoval(address: $0, removedAddress: ~$0, nameHash: $0 &* 3, sequence: $0 / 2)
        }
        try bed.storage.commit(removals.reversed().map { .addRemoval($0) }, applied: 1)
        #expect(try Contents(of: bed.storage).removals == removals)
        try bed.storage.commit([.dropRemoval(address: 256), .dropRemoval(address: 2)], applied: 2)
        #expect(try Contents(of: bed.storage).removals == [removals[0], removals[2]])
    }

    @Test(arguments: StorageKind.allCases)
    func `never lets the applied sequence go back`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit([], applied: 10)
        try bed.storage.commit([.put("a", 3)], applied: 9)
        #expect(try bed.storage.makeReader().metadata().applied == 10)
        try bed.reopen()
        try bed.storage.commit([], applied: 8)
        #expect(try bed.storage.makeReader().metadata().applied == 10)
    }

    @Test(arguments: StorageKind.allCases)
    func `is clean only while nothing was committed since`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        try bed.storage.commit([.put("a", 3)], applied: 3)
        #expect(try bed.storage.makeReader().metadata().isClean == false)
        try bed.storage.mark(clean: true)
        try bed.reopen()
        let clean = try bed.storage.makeReader().metadata()
        #expect(clean == CatalogMetadata(instance: instance, applied: 3, isClean: true))
        try bed.storage.mark(clean: false)
        try bed.reopen()
        #expect(try bed.storage.makeReader().metadata().isClean == false)
    }

    @Test(arguments: StorageKind.allCases)
    func `tells how much of it is used`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let empty = bed.storage.usage
        let names = (0..<2000).map { "name \($0)" }
        try bed.storage.commit(names.map { .put($0, 1) }, applied: 1)
        let filled = bed.storage.usage
        #expect(filled.usedBytes >= empty.usedBytes + 2000 * 48)
        #expect(filled.limitBytes > filled.usedBytes)
        try bed.storage.commit(names.map { .remove($0, 1) }, applied: 2)
        #expect(bed.storage.usage.usedBytes < filled.usedBytes)
    }

    @Test(arguments: StorageKind.allCases)
    func `traps on a name that is too long or empty`(_ kind: StorageKind) async {
        switch kind {
        case .memory:
            await #expect(processExitsWith: .failure) {
                let name = [UInt8](repeating: 1, count: 481)
                try TestBed(.memory).storage.commit(
                    [.put(name: name, entry: .sample(1))], applied: 1)
            }
        case .lmdb:
            await #expect(processExitsWith: .failure) {
                let bed = try TestBed(.lmdb)
                // The trap leaves no time for it.
                try FileManager.default.removeItem(atPath: bed.directory.path)
                try bed.storage.commit([.remove(name: [], sequence: 1)], applied: 1)
            }
        }
    }
}
