// How many changes go into one commit of the catalog: as many as its headroom can bear.

import Catalog
import Testing

@testable import Store

@Suite struct `The index queue` {
    private let id = CatalogUploadID(high: 1, low: 2)

    private func extents(_ count: Int) -> [CatalogChange] {
        (0..<count).map { .dropExtent(address: UInt64($0)) }
    }

    private func append(_ changes: [CatalogChange], to queue: inout IndexQueue) {
        let number = queue.appended + 1
        queue.append(changes, watermark: number, name: nil, sequence: number)
    }

    @Test func `gathers until a commit is full, by what it may write`() {
        var queue = IndexQueue()
        for _ in 0..<4095 { append(extents(1), to: &queue) }
        #expect(!queue.fillsBatch)
        append(extents(1), to: &queue)
        #expect(queue.fillsBatch)
        #expect(queue.firstBatch().items == 4096)
        append(extents(1), to: &queue)
        let batch = queue.firstBatch()
        #expect(batch.items == 4096)
        #expect(batch.changes.count == 4096)
        #expect(batch.watermark == 4096)
        #expect(queue.removeFirst(4096).count == 4096)
        #expect(!queue.fillsBatch)
        #expect(queue.taken == 4096)
        #expect(queue.firstBatch().items == 1)
    }

    @Test func `counts long records by their length, and drops by what they may free`() {
        var queue = IndexQueue()
        let record = [UInt8](repeating: 1, count: CatalogLimits.uploadBytesMax)
        for _ in 0..<20 { append([.putUpload(id, value: record)], to: &queue) }
        #expect(queue.fillsBatch)
        let batch = queue.firstBatch()
        #expect(batch.items == 15)
        let bytes = batch.changes.reduce(0) { $0 + $1.writtenBytesMax }
        #expect(bytes <= CatalogLimits.commitBytesMax)
        _ = queue.removeFirst(20)
        #expect(!queue.fillsBatch)

        for _ in 0..<200 { append([.dropUpload(id)], to: &queue) }
        #expect(queue.firstBatch().items == 157)
        #expect(queue.fillsBatch)
    }

    @Test func `takes what belongs together into one commit, however much it is`() {
        var queue = IndexQueue()
        append(extents(3000), to: &queue)
        append(extents(3000), to: &queue)
        append(extents(9000), to: &queue)
        append(extents(1), to: &queue)
        for count in [3000, 3000, 9000, 1] {
            let batch = queue.firstBatch()
            #expect(batch.items == 1)
            #expect(batch.changes.count == count)
            _ = queue.removeFirst(1)
        }
        #expect(queue.isEmpty)
    }

    @Test func `cuts a long list of changes into commits`() {
        var rest = (extents(5000) + [.dropUpload(id)] + extents(4096))[...]
        var counts: [Int] = []
        while !rest.isEmpty {
            let batch = rest.firstBatch
            let bytes = batch.reduce(0) { $0 + $1.writtenBytesMax }
            #expect(bytes <= CatalogLimits.commitBytesMax)
            counts.append(batch.count)
            rest = rest.dropFirst(batch.count)
        }
        #expect(counts == [4096, 904 + 1 + 3165, 931])
        #expect(rest.firstBatch.isEmpty)
    }
}
