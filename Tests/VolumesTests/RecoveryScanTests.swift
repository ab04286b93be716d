// Goal:   a scan finds every record of ours, and nothing that only looks like one.
// Method: images of a few dozen blocks, shown in windows of every size.

import Checksums
import Testing

@testable import Volumes

private let volume = VolumeID(3)
private let first: UInt32 = 1_000

/// A piece of a small volume, from block `first` on.
private struct Image {
    var bytes: [UInt8]

    init(blocks: Int) { bytes = Array(repeating: 0, count: blocks * VolumeLayout.blockSize) }

    mutating func place(_ record: [UInt8], at block: Int) {
        bytes.replaceSubrange(block * 4096..<block * 4096 + record.count, with: record)
    }

    /// Everything that the scan tells, with windows of `windowBlocks` and of what it asks for.
    func steps(windowBlocks: Int, instance: InstanceID = ours) -> [RecoveryScan.Step] {
        let end = first + UInt32(bytes.count / 4096)
        var scan = RecoveryScan(volume: volume, blocks: first..<end, instance: instance)
        var window = first..<first
        var steps: [RecoveryScan.Step] = []
        while true {
            let lower = Int(window.lowerBound - first) * 4096
            let upper = Int(window.upperBound - first) * 4096
            let shown = bytes.span.rawBytes.extracting(lower..<upper)
            let step = scan.next(in: shown, firstBlock: window.lowerBound, seal: TestSeal())
            switch step {
            case .needsBlocks(let wanted):
                let count = max(wanted.count, windowBlocks)
                window = wanted.lowerBound..<min(end, wanted.lowerBound + UInt32(count))
            case .finished:
                return steps
            case .record, .torn, .newerFormat:
                steps.append(step)
            }
        }
    }

    func sequences(windowBlocks: Int) -> [UInt64] {
        steps(windowBlocks: windowBlocks).compactMap { step in
            switch step {
            case .record(let record): record.header.stamp.sequence
            case .torn, .newerFormat, .needsBlocks, .finished: nil
            }
        }
    }
}

private func draft(_ sequence: UInt64, at block: Int, data: Int = 10) -> Draft {
    Draft(
        address: BlockAddress(volume: volume, block: first + UInt32(block)), sequence: sequence,
        data: [UInt8](repeating: 7, count: data))
}

@Suite struct `A recovery scan` {
    @Test(arguments: 1...40) func `finds all records through windows of any size`(window: Int) {
        var image = Image(blocks: 40)
        image.place(draft(1, at: 0).encoded(), at: 0)
        image.place(draft(2, at: 1, data: 60_000).encoded(), at: 1)
        image.place(draft(3, at: 16, data: 4096).encoded(), at: 16)
        image.place(draft(4, at: 30).encoded(), at: 30)
        image.place(draft(5, at: 39).encoded(), at: 39)
        #expect(image.sequences(windowBlocks: window) == [1, 2, 3, 4, 5])
    }

    @Test func `finds nothing in nothing`() {
        #expect(Image(blocks: 20).steps(windowBlocks: 4) == [])
    }

    @Test func `leaves out the checksums of large objects, but not their extents`() {
        var chance = Seeded(4)
        var large = Draft.random(.largeObject, &chance)
        large.address = BlockAddress(volume: volume, block: first + 2)
        large.length = 60_000 * 65_536
        large.checksums = (0..<60_000).map { UInt32($0) }
        large.extents = [Extent(volume: VolumeID(1), start: 512, count: 960_000)]
        var image = Image(blocks: 70)
        image.place(large.encoded(), at: 2)
        for window in [1, 3, 70] {
            let steps = image.steps(windowBlocks: window)
            guard case .record(let record) = steps.first else {
                Issue.record("\(steps.count) steps, and none a record")
                return
            }
            #expect(record.extents == large.extents && record.checksums.isEmpty)
        }
    }

    @Test func `looks at nothing inside of an object`() {
        // Even a record with the right seal, at its own address, is data when it lies in data.
        let inner = draft(9, at: 3).encoded()
        var outer = draft(1, at: 2)
        let padding = [UInt8](repeating: 0, count: 4096 - outer.headerByteCount)
        outer.data = padding + inner + [1]
        var image = Image(blocks: 8)
        image.place(outer.encoded(), at: 2)
        #expect(image.sequences(windowBlocks: 8) == [1])
        image.place(inner, at: 3)
        #expect(image.sequences(windowBlocks: 8) == [1])
    }

    @Test func `believes no forgery that a dead object leaves behind`() {
        let place = BlockAddress(volume: volume, block: first + 3)
        let elsewhere = BlockAddress(volume: volume, block: first + 4)
        let forgeries = [
            Draft(address: place, data: [1]).encoded(by: TestSeal(key: 1)),
            Draft(address: elsewhere, data: [1]).encoded(),
            Draft(address: place, instance: InstanceID(high: 1, low: 1)).encoded(),
        ]
        for forgery in forgeries {
            var image = Image(blocks: 8)
            image.place(forgery, at: 3)
            image.place(draft(5, at: 5).encoded(), at: 5)
            #expect(image.sequences(windowBlocks: 8) == [5])
            #expect(image.steps(windowBlocks: 8).count == 1)
        }
    }

    @Test func `tells of a torn write and sees what lies in it`() {
        var image = Image(blocks: 24)
        image.place(draft(1, at: 2, data: 60_000).encoded(), at: 2)
        image.place(draft(2, at: 9).encoded(), at: 9)  // Newer than the torn header.
        image.place([UInt8](repeating: 0, count: 4096), at: 12)
        let steps = image.steps(windowBlocks: 6)
        #expect(steps.count == 2)
        guard case .torn(let torn) = steps.first else {
            Issue.record("the torn write was not told of")
            return
        }
        #expect(torn.header.stamp.sequence == 1 && torn.name == Draft().name)
        #expect(image.sequences(windowBlocks: 6) == [2])
    }

    @Test func `takes a record beyond the segment's end for torn`() {
        var image = Image(blocks: 4)
        let record = draft(1, at: 2, data: 60_000).encoded()
        image.place(Array(record[..<8192]), at: 2)
        let steps = image.steps(windowBlocks: 4)
        #expect(steps.count == 1)
        #expect(image.sequences(windowBlocks: 4) == [])
    }

    @Test func `tells of records in a newer format`() {
        var image = Image(blocks: 4)
        var record = draft(1, at: 1).encoded()
        record[24] = 3
        image.place(record, at: 1)
        let place = BlockAddress(volume: volume, block: first + 1)
        #expect(image.steps(windowBlocks: 1) == [.newerFormat(3, at: place)])
    }
}
