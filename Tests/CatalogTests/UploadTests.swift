import Catalog
import Foundation
import Testing

/// What every storage promises about unfinished uploads.
@Suite(.serialized) struct `Uploads in any catalog` {
    private static let longest = CatalogLimits.uploadBytesMax
    private let id = CatalogUploadID.sample(4)

    private func record(of id: CatalogUploadID, in bed: TestBed) throws -> [UInt8]? {
        try bed.storage.makeReader().upload(id)
    }

    /// Around the lengths that rows, pages and leaves of LMDB have.
    @Test(
        arguments: StorageKind.allCases,
        [0, 1, 1990, 2000, 2010, 2020, 4079, 4080, 4081, 8159, 8160, 8161, longest - 1, longest])
    func `keep a record of any length`(_ kind: StorageKind, _ count: Int) throws {
        let bed = try TestBed(kind)
        let value = content(count, seed: 9)
        #expect(try record(of: id, in: bed) == nil)
        try bed.storage.commit([.putUpload(id, value: value)], applied: 1)
        #expect(try record(of: id, in: bed) == value)
        #expect(try record(of: .sample(3), in: bed) == nil)
        #expect(try record(of: .sample(5), in: bed) == nil)
        let before = try Contents(of: bed.storage)
        #expect(before.uploads == [StoredUpload(id: id, value: value, pages: [])])
        try bed.reopen()
        #expect(try Contents(of: bed.storage) == before)
        try bed.storage.commit([.dropUpload(id)], applied: 1)
        #expect(try record(of: id, in: bed) == nil)
        #expect(try Contents(of: bed.storage).uploads.isEmpty)
    }

    @Test(arguments: StorageKind.allCases)
    func `replace a record by longer and shorter ones`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let neighbours = [CatalogUploadID.sample(3), .sample(5)]
        try bed.storage.commit(
            neighbours.map { .putUpload($0, value: content(9000, seed: 1)) }, applied: 1)
        let counts = [10, 9000, 0, `Uploads in any catalog`.longest, 4080, 4081, 50_000, 3]
        for (seed, count) in counts.enumerated() {
            let value = content(count, seed: UInt8(seed))
            try bed.storage.commit([.putUpload(id, value: value)], applied: 1)
            #expect(try record(of: id, in: bed) == value)
            for neighbour in neighbours {
                #expect(try record(of: neighbour, in: bed) == content(9000, seed: 1))
            }
        }
        try bed.storage.commit(
            [
                .putUpload(id, value: content(30_000, seed: 1)),
                .putUpload(id, value: content(20_000, seed: 2)),
            ], applied: 1)
        #expect(try record(of: id, in: bed) == content(20_000, seed: 2))
    }

    @Test(arguments: StorageKind.allCases)
    func `are told apart by all 16 bytes, and walked in their order`(
        _ kind: StorageKind
    ) throws {
        let bed = try TestBed(kind)
        let halves = [0, 1, 255, 256, UInt64.max - 1, UInt64.max]
        let all = halves.flatMap { high in
            halves.map { CatalogUploadID(high: high, low: $0) }
        }
        for (number, id) in all.enumerated().reversed() {
            try bed.storage.commit(
                [.putUpload(id, value: [UInt8(number)]), .putUploadPage(id, page: 7, value: [1])],
                applied: 1)
        }
        var walked: [CatalogUploadID] = []
        try bed.storage.makeReader().forEachUpload { id, value in
            #expect(value == [UInt8(walked.count)])
            walked.append(id)
        }
        #expect(walked == all)
        for (number, id) in all.enumerated() {
            try bed.storage.commit([.dropUpload(id)], applied: 1)
            let reader = try bed.storage.makeReader()
            #expect(try reader.upload(id) == nil)
            #expect(try reader.uploadPages(id).isEmpty)
            for (other, id) in all.enumerated().dropFirst(number + 1) {
                #expect(try reader.upload(id) == [UInt8(other)])
                #expect(try reader.uploadPages(id).count == 1)
            }
        }
    }

    @Test(arguments: StorageKind.allCases)
    func `have pages, by ascending number`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let last = CatalogLimits.uploadPagesMax - 1
        let most = CatalogLimits.uploadPageBytesMax
        var pages = [(0, most), (1, 0), (2, 4080), (100, 4081), (last, 1)].map {
            (page: UInt32, count: Int) in
            CatalogUploadPage(page: page, value: content(count, seed: UInt8(page)))
        }
        try bed.storage.commit(
            pages.reversed().map { .putUploadPage(id, page: $0.page, value: $0.value) }
                + [.putUploadPage(.sample(3), page: 1, value: [3])], applied: 1)
        let reader = try bed.storage.makeReader()
        #expect(try reader.uploadPages(id) == pages)
        #expect(try reader.upload(id) == nil)

        pages[0].value = [1, 2, 3]
        pages[1].value = content(most, seed: 77)
        try bed.storage.commit(
            pages[..<2].map { .putUploadPage(id, page: $0.page, value: $0.value) }, applied: 1)
        #expect(try reader.uploadPages(id) == pages)

        try bed.storage.commit([.putUpload(id, value: [1]), .dropUpload(id)], applied: 1)
        #expect(try reader.uploadPages(id).isEmpty)
        #expect(try reader.uploadPages(.sample(3)) == [CatalogUploadPage(page: 1, value: [3])])
    }

    @Test(arguments: StorageKind.allCases)
    func `may be as large as they can be`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let pages = (0..<CatalogLimits.uploadPagesMax).map {
            let value = content(CatalogLimits.uploadPageBytesMax, seed: UInt8($0))
            return CatalogUploadPage(page: $0, value: value)
        }
        let value = content(`Uploads in any catalog`.longest, seed: 5)
        try bed.storage.commit(
            pages.map { .putUploadPage(id, page: $0.page, value: $0.value) }
                + [.putUpload(id, value: value)], applied: 1)
        let expected = StoredUpload(id: id, value: value, pages: pages)
        #expect(try Contents(of: bed.storage).uploads == [expected])
        try bed.storage.commit([.dropUpload(id)], applied: 1)
        #expect(try Contents(of: bed.storage).uploads.isEmpty)
    }

    @Test(arguments: StorageKind.allCases)
    func `take room, and give it back`(_ kind: StorageKind) throws {
        let bed = try TestBed(kind)
        let empty = bed.storage.usage.usedBytes
        let ids = (0..<20).map(CatalogUploadID.sample)
        try bed.storage.commit(
            ids.map { .putUpload($0, value: content(5000, seed: 1)) }, applied: 1)
        let records = bed.storage.usage.usedBytes
        #expect(records >= empty + 20 * 5000)
        try bed.storage.commit(
            ids.map { .putUploadPage($0, page: 3, value: content(4096, seed: 1)) }, applied: 1)
        #expect(bed.storage.usage.usedBytes >= records + 20 * 4096)
        try bed.storage.commit(ids.map { .dropUpload($0) }, applied: 1)
        #expect(bed.storage.usage.usedBytes == empty)
    }

    /// The lengths of some of their records and pages, and where in the file they happen to lie,
    /// are different each time.
    @Test(arguments: StorageKind.allCases, 1...8 as ClosedRange<UInt64>)
    func `are what was stored last, after any changes`(
        _ kind: StorageKind, _ seed: UInt64
    ) throws {
        let bed = try TestBed(kind)
        var random = Random(seed: seed)
        var model: [CatalogUploadID: StoredUpload] = [:]
        for round in 1...40 {
            let changes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                model.change(using: &random)
            }
            try bed.storage.commit(changes, applied: 1)
            let expected = model.values.sorted { $0.id < $1.id }
            #expect(try Contents(of: bed.storage).uploads == expected, "round \(round)")
            try bed.storage.commit(changes, applied: 1)
            #expect(try Contents(of: bed.storage).uploads == expected, "round \(round), twice")
            for id in CatalogUploadID.samples {
                #expect(try record(of: id, in: bed) == model[id]?.value)
            }
        }
        let before = try Contents(of: bed.storage)
        try bed.reopen()
        #expect(try Contents(of: bed.storage) == before)
    }

    @Test(arguments: StorageKind.allCases)
    func `trap when they are too long`(_ kind: StorageKind) async {
        switch kind {
        case .memory:
            await #expect(processExitsWith: .failure) {
                let value = [UInt8](repeating: 1, count: CatalogLimits.uploadBytesMax + 1)
                try TestBed(.memory).storage.commit(
                    [.putUpload(.sample(1), value: value)], applied: 1)
            }
        case .lmdb:
            await #expect(processExitsWith: .failure) {
                let bed = try TestBed(.lmdb)
                // The trap leaves no time for it.
                try FileManager.default.removeItem(atPath: bed.directory.path)
                let page = [UInt8](repeating: 1, count: CatalogLimits.uploadPageBytesMax + 1)
                try bed.storage.commit(
                    [.putUploadPage(.sample(1), page: 0, value: page)], applied: 1)
            }
        }
    }

    @Test func `trap when a page has an impossible number`() async {
        await #expect(processExitsWith: .failure) {
            let page = CatalogLimits.uploadPagesMax
            try TestBed(.memory).storage.commit(
                [.putUploadPage(.sample(1), page: page, value: [])], applied: 1)
        }
    }
}

extension [CatalogUploadID: StoredUpload] {
    /// Draws a change and applies it.
    fileprivate mutating func change(using random: inout Random) -> CatalogChange {
        let id = CatalogUploadID.samples.randomElement(using: &random) ?? .sample(0)
        let seed = UInt8.random(in: 0...255, using: &random)
        switch Int.random(in: 0...6, using: &random) {
        case 0:
            self[id] = nil
            return .dropUpload(id)
        case 1...3:
            let count = [0, 10, 500, 4080, 9000, 40_000].randomElement(using: &random) ?? 0
            let value = content(count + Int.random(in: 0...100, using: &random), seed: seed)
            self[id, default: StoredUpload(id: id, value: nil, pages: [])].value = value
            return .putUpload(id, value: value)
        default:
            let page = UInt32.random(in: 0...3, using: &random)
            let value = content(Int.random(in: 0...4096, using: &random), seed: seed)
            var upload = self[id] ?? StoredUpload(id: id, value: nil, pages: [])
            upload.pages.removeAll { $0.page == page }
            upload.pages.append(CatalogUploadPage(page: page, value: value))
            upload.pages.sort { $0.page < $1.page }
            self[id] = upload
            return .putUploadPage(id, page: page, value: value)
        }
    }
}
