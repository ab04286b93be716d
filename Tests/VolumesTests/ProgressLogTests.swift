// Goal:   no entry that is needed is ever written over, whatever comes; what is confirmed is so;
//         and room that is free is found.
// Method: random stories beside a model that keeps every block's owner.

import Testing

@testable import Volumes

private func upload(_ number: Int) -> ObjectID { ObjectID(high: 1, low: UInt64(number)) }

/// What the log is to be, block by block.
private struct Model {
    struct Entry {
        let upload: Int
        let place: ProgressLog.Place
        let count: UInt32
        var isConfirmed = false
        var isRecorded = false
        var blocks: Range<UInt32> { place.block..<place.block + count }
    }

    var entries: [Entry] = []

    func isNeeded(_ block: UInt32) -> Bool {
        entries.contains { !$0.isRecorded && $0.blocks.contains(block) }
    }

    /// The highest sequence that may be called confirmed.
    var confirmedMax: UInt64 {
        entries.first { !$0.isConfirmed && !$0.isRecorded }.map { $0.place.sequence - 1 } ?? .max
    }
}

@Suite struct `A progress log` {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `never gives a place away that is needed`(seed: UInt64) {
        var chance = Seeded(seed)
        let blockCount = UInt32.random(in: 16...60, using: &chance)
        var log = ProgressLog(blockCount: blockCount, after: 100)
        var model = Model()
        var (placed, refused) = (0, 0)
        for _ in 0..<3000 {
            let number = Int.random(in: 0..<5, using: &chance)
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<5:
                let count = UInt32.random(in: 1...(seed % 2 == 0 ? 16 : 4), using: &chance)
                guard let place = log.place(count, for: upload(number)) else {
                    refused += 1
                    let isEmpty = model.entries.allSatisfy { $0.isRecorded }
                    #expect(!isEmpty, "an empty log has room")
                    continue
                }
                placed += 1
                #expect(place.block + count <= blockCount)
                let blocks = place.block..<place.block + count
                #expect(!blocks.contains { model.isNeeded($0) })
                #expect(place.sequence == 100 + UInt64(placed))
                #expect(place.confirmed < place.sequence)
                #expect(place.confirmed <= model.confirmedMax)
                model.entries.append(.init(upload: number, place: place, count: count))
            case 5..<8:
                let open = model.entries.indices.filter { !model.entries[$0].isConfirmed }
                guard let index = open.randomElement(using: &chance) else { continue }
                model.entries[index].isConfirmed = true
                log.confirm(model.entries[index].place.sequence)
            default:
                let through = log.lastSequence - UInt64.random(in: 0...3, using: &chance)
                log.recorded(upload(number), through: through)
                for index in model.entries.indices
                where model.entries[index].upload == number
                    && model.entries[index].place.sequence <= through
                {
                    model.entries[index].isRecorded = true
                }
            }
            let oldest = model.entries.first { !$0.isRecorded }
            #expect(log.oldest == oldest.map { upload($0.upload) })
            #expect(log.isEmpty == (oldest == nil))
        }
        #expect(placed > 100 && refused > 20)
    }

    @Test func `gives places one behind the other, and comes round`() {
        var log = ProgressLog(blockCount: 16, after: 0)
        #expect(log.place(6, for: upload(1)) == .init(block: 0, sequence: 1, confirmed: 0))
        #expect(log.place(6, for: upload(2)) == .init(block: 6, sequence: 2, confirmed: 0))
        // Four are left at the end, none at the front.
        #expect(log.place(5, for: upload(3)) == nil)
        log.confirm(2)
        log.confirm(1)
        #expect(log.place(4, for: upload(3)) == .init(block: 12, sequence: 3, confirmed: 2))
        #expect(log.place(1, for: upload(4)) == nil)
        log.recorded(upload(1), through: 1)
        #expect(log.place(7, for: upload(4)) == nil)
        #expect(log.place(6, for: upload(4)) == .init(block: 0, sequence: 4, confirmed: 2))
        #expect(log.place(1, for: upload(4)) == nil)
    }

    @Test func `does not skip what is needed at its end`() {
        var log = ProgressLog(blockCount: 16, after: 0)
        _ = log.place(3, for: upload(1))
        _ = log.place(10, for: upload(2))
        log.recorded(upload(1), through: 1)
        // Three are free at the end and three at the front: no four in a row.
        #expect(log.place(4, for: upload(3)) == nil)
        #expect(log.place(3, for: upload(3))?.block == 13)
        #expect(log.place(3, for: upload(3))?.block == 0)
    }

    @Test func `records no more of an upload than it is told`() {
        var log = ProgressLog(blockCount: 16, after: 0)
        _ = log.place(1, for: upload(1))
        _ = log.place(1, for: upload(1))
        log.recorded(upload(1), through: 1)
        #expect(log.oldest == upload(1))
        log.recorded(upload(1), through: 2)
        #expect(log.isEmpty)
    }

    @Test func `says when less than half of it is free`() {
        var log = ProgressLog(blockCount: 16, after: 0)
        #expect(!log.isFilling)
        _ = log.place(8, for: upload(1))
        #expect(!log.isFilling)
        _ = log.place(1, for: upload(2))
        #expect(log.isFilling)
        log.recorded(upload(1), through: 1)
        #expect(!log.isFilling)
    }
}
