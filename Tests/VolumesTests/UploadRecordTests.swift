// Goal:   an upload comes back from its record as it was, up to every limit and never beyond.
// Method: random uploads whose parts agree, there and back, and their checksums gone on with to the
//         end; the largest record; every limit passed by one; contradictions made one by one.

import Checksums
import Testing

@testable import Volumes

func decodeUpload(_ bytes: [UInt8]) -> Result<UploadRecord, UploadRecordError> {
    do throws(UploadRecordError) {
        return .success(try UploadRecord.decode(bytes.span.rawBytes))
    } catch {
        return .failure(error)
    }
}

@Suite struct `An upload record` {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `comes back as it was`(seed: UInt64) {
        var chance = Seeded(seed)
        var wrong = 0
        for _ in 0..<150 {
            let record = UploadDraft.random(&chance).record
            let bytes = record.encode()
            if bytes.count != record.encodedByteCount { wrong += 1 }
            if decodeUpload(bytes) != .success(record) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func `of a finished upload comes back as it was`() {
        let record = UploadDraft.finished()
        #expect(record.isFinished)
        #expect(decodeUpload(record.encode()) == .success(record))
        var empty = UploadRecord(
            name: [1], dialect: .signedPut, createdSeconds: 0, expiresSeconds: 0)
        #expect(decodeUpload(empty.encode()) == .success(empty))
        empty.length = 0
        empty.publishedSequence = .max
        #expect(decodeUpload(empty.encode()) == .success(empty))
    }

    @Test func `never changes its format unnoticed`() {
        var record = UploadDraft.finished()
        record.isPartial = true
        record.generation = 3
        record.chunkSize = 4096
        let bytes = record.encode()
        #expect(bytes.count == 84 + 3 + 2 + 16)
        #expect(bytes[0..<4] == [1, 0, 3, 3])
        #expect(bytes[8..<12] == [0x10, 0x27, 0, 0] && bytes[16] == 5 && bytes[24] == 5)
        #expect(bytes[32] == 9 && bytes[40] == 3 && bytes[48] == 77 && bytes[57] == 16)
        #expect(bytes[60] == 3 && bytes[64] == 2 && bytes[68] == 1)
        #expect(bytes[84..<89] == [0x61, 0x2f, 0x62, 0x6d, 0x65])
        #expect(bytes[97..<105] == [0x10, 0x27, 0, 0, 0, 0, 0, 0])
        let sum = crc32c(bytes.span.rawBytes.extracting(0..<4))
        let covered = bytes.span.rawBytes.extracting(8..<105)
        #expect(bytes.span.rawBytes.integer(at: 4) == crc32c(covered, continuing: sum))
    }

    @Test func `is of format 2 when it speaks of a progress log`() {
        var record = UploadDraft.finished()
        let before = record.encode()
        record.progressSequence = 0x0102_0304_0506_0708
        let bytes = record.encode()
        #expect(bytes.count == before.count + 8)
        #expect(bytes[0..<2] == [2, 0] && bytes[3] == before[3] | 32)
        #expect(bytes[89..<97] == [8, 7, 6, 5, 4, 3, 2, 1])
        #expect(decodeUpload(bytes) == .success(record))
    }

    @Test func `has what is expected behind the metadata, and is of format 1 without`() {
        var record = UploadDraft.finished()
        record.metadata = [9]
        #expect(record.encode()[0..<4] == [1, 0, 3, 2])
        record.expectedCRC32C = 0x0102_0304
        let short = record.encode()
        #expect(short[0..<4] == [2, 0, 3, 2 | 8] && short.count == 84 + 3 + 2 + 1 + 4 + 16)
        #expect(short[89..<94] == [9, 4, 3, 2, 1])
        record.expectedSHA256 = Array(100..<132)
        let bytes = record.encode()
        #expect(bytes[0..<4] == [2, 0, 3, 2 | 4 | 8])
        #expect(Array(bytes[89..<126]) == [9] + (100..<132) + [4, 3, 2, 1])
        #expect(decodeUpload(bytes) == .success(record))
        record.expectedCRC32C = nil
        #expect(record.encode()[0..<4] == [2, 0, 3, 2 | 4])
        #expect(decodeUpload(record.encode()) == .success(record))
    }

    @Test func `keeps what it was put together from`() {
        var record = UploadDraft.finished()
        record.parts = [ObjectID(high: 0x0102, low: 3), ObjectID(high: .max, low: 0)]
        let bytes = record.encode()
        #expect(decodeUpload(bytes) == .success(record))
        #expect(bytes.count == 84 + 3 + 2 + 2 + 32 + 16 && bytes.count == record.encodedByteCount)
        #expect(bytes[0..<4] == [2, 0, 3, 18])
        #expect(bytes[89..<95] == [2, 0, 2, 1, 0, 0] && bytes[99] == 3 && bytes[107] == 0xff)
        record.parts = (0..<256).map { ObjectID(high: 5, low: UInt64($0)) }
        #expect(decodeUpload(record.encode()) == .success(record))
        record.parts.append(ObjectID(high: 6, low: 0))
        #expect(record.excess == .parts)
    }

    @Test func `may reach all its limits at once`() {
        let record = UploadDraft.largest()
        #expect(record.fits && record.flaw == nil)
        let bytes = record.encode()
        #expect(bytes.count == UploadRecordLimits.encodedBytesMax)
        #expect(bytes.count <= 768 << 10)
        let isSame = decodeUpload(bytes) == .success(record)
        #expect(isSame)
    }

    @Test func `says which part is too large`() {
        func excess(
            name: Int = 1, owner: Int = 0, tenant: Int = 0, mediaType: Int = 0,
            _ change: (inout UploadRecord) -> Void = { _ in }
        ) -> UploadRecordPart? {
            var record = UploadRecord(
                name: Array(repeating: 1, count: name), owner: Array(repeating: 1, count: owner),
                tenant: Array(repeating: 1, count: tenant),
                mediaType: Array(repeating: 1, count: mediaType), dialect: .tus,
                createdSeconds: 0, expiresSeconds: 0)
            let largest = UploadDraft.largest()
            record.received = largest.received
            record.space = largest.space
            record.fragments = largest.fragments
            record.partialUnits = largest.partialUnits
            change(&record)
            return record.excess
        }
        #expect(excess() == nil)
        #expect(excess(name: 0) == .text && excess(name: 481) == .text)
        #expect(excess(owner: 65) == .text && excess(tenant: 65) == .text)
        #expect(excess(mediaType: 129) == .text)
        #expect(excess { $0.metadata = Array(repeating: 0, count: 4097) } == .metadata)
        #expect(excess { $0.received.insert(1 << 37..<1 << 38) } == .received)
        let extent = Extent(volume: VolumeID(9), start: 512, count: 1)
        #expect(excess { $0.space.add(at: 1 << 25, [extent]) } == .space)
        #expect(excess { $0.partialUnits.append(PartialUnit(unit: 9_999)) } == .partialUnits)
        #expect(excess { $0.fragments.append($0.fragments[0]) } == .fragments)
    }

    @Test func `notices what contradicts itself`() {
        func flaw(_ change: (inout UploadRecord) -> Void) -> UploadRecordPart? {
            var record = UploadDraft.largest()
            change(&record)
            return record.flaw
        }
        let blockSize = UInt64(VolumeLayout.blockSize)
        #expect(flaw { $0.length = $0.received.end } == nil)
        #expect(flaw { $0.length = $0.received.end - 1 } == .received)
        #expect(flaw { $0.length = VolumeLayout.objectBytesMax + 1 } == .length)
        #expect(flaw { $0.received.insert(1 << 38..<1 << 38 + 1) } == .received)
        #expect(flaw { $0.fragments.swapAt(0, 1) } == .fragments)
        #expect(flaw { $0.fragments[1] = $0.fragments[0] } == .fragments)
        #expect(flaw { $0.fragments[0].block = 9 } == .fragments)
        #expect(flaw { $0.fragments[0].block = .max } == .fragments)
        #expect(flaw { $0.fragments[0].offset = 1 } == .fragments)
        #expect(flaw { $0.fragments[0].bytes.removeLast() } == .fragments)
        // A byte more on either side of a run would lie in a block that has no fragment.
        #expect(flaw { $0.received.insert(3 * blockSize - 1..<3 * blockSize) } == .fragments)
        #expect(flaw { $0.received.insert(5 * blockSize..<5 * blockSize + 1) } == .fragments)
        #expect(flaw { $0.received.insert(5 * blockSize..<6 * blockSize) } == .space)
        #expect(flaw { _ = $0.space.remove(3..<4) } == .space)
        #expect(flaw { $0.fragments.removeLast() } == .space)
        let beyond = Extent(volume: VolumeID(9), start: 512, count: 1)
        #expect(flaw { $0.space.add(at: (1 << 26) - 1, [beyond]) } == nil)
        #expect(flaw { $0.space.add(at: 1 << 26, [beyond]) } == .space)
        #expect(flaw { $0.partialUnits.swapAt(0, 1) } == .partialUnits)
        #expect(flaw { $0.partialUnits[0].keep(0) } == .partialUnits)
        #expect(flaw { $0.partialUnits.append(PartialUnit(unit: 1 << 22)) } == .partialUnits)
        #expect(
            flaw { record in
                for block in 0..<16 { record.partialUnits[0].put(block: block, 1) }
            } == .partialUnits)
    }

    @Test func `of an object keeps nothing that is the object's`() {
        func flaw(_ change: (inout UploadRecord) -> Void) -> UploadRecordPart? {
            var record = UploadDraft.finished()
            change(&record)
            return record.flaw
        }
        #expect(flaw { _ in } == nil)
        #expect(flaw { $0.publishedSequence = 0 } == .kind)
        #expect(flaw { $0.length = nil } == .kind)
        let part = ObjectID(high: 1, low: 2)
        #expect(flaw { $0.parts = [part] } == nil)
        #expect(flaw { ($0.parts, $0.isPartial) = ([part], true) } == .parts)
        #expect(flaw { ($0.parts, $0.publishedSequence) = ([part], nil) } == .parts)
        let extent = Extent(volume: VolumeID(9), start: 512, count: 1)
        #expect(flaw { $0.space.add(at: 0, [extent]) } == .kind)
        #expect(flaw { $0.partialUnits = [PartialUnit(unit: 0)] } == .kind)
        #expect(
            flaw { $0.fragments = [UploadFragment(block: 0, offset: 0, bytes: [])] } == .kind)
    }

    @Test func `traps when it should be encoded and cannot`() async {
        await #expect(processExitsWith: .failure) {
            var record = UploadDraft.finished()
            record.metadata = Array(repeating: 0, count: 4097)
            _ = record.encode()
        }
        await #expect(processExitsWith: .failure) {
            var record = UploadDraft.finished()
            record.expectedSHA256 = [1]
            _ = record.encode()
        }
        await #expect(processExitsWith: .failure) {
            var record = UploadDraft.finished()
            record.length = 1
            _ = record.encode()
        }
    }
}

@Suite struct `The checksums of an upload` {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `come back and go on to the end`(seed: UInt64) {
        var chance = Seeded(seed)
        var wrong = 0
        var inPart = 0
        for _ in 0..<100 {
            let draft = UploadDraft.random(&chance)
            guard
                var restored = draft.record.checksums(
                    from: [(page: 0, checksums: draft.checksums.page(0))])
            else {
                wrong += 1
                continue
            }
            if restored.partialUnits != draft.record.partialUnits { wrong += 1 }
            for unit in 0..<4 where restored.isWhole(unit: unit) {
                if !draft.checksums.isWhole(unit: unit) { wrong += 1 }
            }
            inPart += draft.record.partialUnits.count
            finish(&restored, draft)
            if restored.finish(length: UInt64(draft.bytes.count)) != defined(draft.bytes) {
                wrong += 1
            }
        }
        #expect(wrong == 0)
        #expect(inPart > 50)
    }

    /// Adds every block that is in a fragment or has not come.
    private func finish(_ checksums: inout BlockChecksums, _ draft: UploadDraft) {
        let blockSize = VolumeLayout.blockSize
        for start in stride(from: 0, to: draft.bytes.count, by: blockSize) {
            let range = start..<min(draft.bytes.count, start + blockSize)
            let block = UInt64(start / blockSize)
            let has = draft.record.received.contains(UInt64(start)..<UInt64(range.upperBound))
            if has, !draft.record.hasFragment(block) { continue }
            let sum = crc32c(draft.bytes.span.rawBytes.extracting(range))
            checksums.setLast(block: block, checksum: sum, byteCount: range.count)
        }
    }

    private func defined(_ bytes: [UInt8]) -> [UInt32] {
        let unit = VolumeLayout.checksumUnit
        return stride(from: 0, to: bytes.count, by: unit).map {
            crc32c(bytes.span.rawBytes.extracting($0..<min(bytes.count, $0 + unit)))
        }
    }

    @Test func `are not there when a sum is missing`() {
        let largest = UploadDraft.largest()
        #expect(largest.wholeUnits.isEmpty)
        #expect(largest.checksums(from: [])?.partialUnits == largest.partialUnits)
        var without = largest
        without.partialUnits.remove(at: 100)
        #expect(without.checksums(from: []) == nil)
        without = largest
        without.partialUnits[100].keep(0)
        #expect(without.checksums(from: []) == nil)
    }

    @Test func `of bytes that have not come are left out`() {
        var record = UploadDraft.largest()
        let unit = record.partialUnits[70]
        record.partialUnits[70].put(block: 9, 5)
        record.partialUnits.append(PartialUnit(unit: 1 << 21))
        #expect(record.checksums(from: [])?.partialUnits[70] == unit)
        #expect(record.checksums(from: [])?.partialUnits.count == 4096)
    }

    @Test func `are looked for in the pages where units are whole`() {
        var record = UploadRecord(
            name: [1], dialect: .tus, createdSeconds: 0, expiresSeconds: 0)
        record.received.insert(65_536 * 2 - 1..<65_536 * 9)
        record.received.insert(65_536 * 10..<65_536 * 12)
        record.fragments = [
            UploadFragment(block: 31, offset: 4095, bytes: [1]),
            UploadFragment(block: 16 * 5, offset: 0, bytes: Array(repeating: 0, count: 4096)),
        ]
        #expect(record.wholeUnits == [2..<5, 6..<9, 10..<12])
        var partial = PartialUnit(unit: 5)
        for block in 1..<16 { partial.put(block: block, UInt32(block)) }
        record.partialUnits = [partial]
        let page = (0..<12).map { UInt32($0) }
        let checksums = record.checksums(from: [(page: 0, checksums: page)])
        #expect(checksums?.page(0) == [0, 0, 2, 3, 4, 0, 6, 7, 8, 0, 10, 11])
        #expect(checksums?.partialUnits == [partial])
        #expect(record.checksums(from: [(page: 0, checksums: Array(page.dropLast()))]) == nil)
        #expect(record.checksums(from: []) == nil)
    }

    @Test func `of an object are not asked for`() async {
        await #expect(processExitsWith: .failure) {
            _ = UploadDraft.finished().checksums(from: [])
        }
    }
}
