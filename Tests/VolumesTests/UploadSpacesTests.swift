// Goal:   of any extents it is told whose they are, and no block is anybody else's.
// Method: uploads in pieces at random, and extents across them, compared block by block.

import Testing

@testable import Volumes

@Suite struct `The space of uploads` {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `tells whose blocks an object has`(seed: UInt64) {
        var chance = Seeded(seed)
        var owners: [BlockAddress: ObjectID] = [:]
        var uploads: [ObjectID: [Extent]] = [:]
        for volume in 1...2 as ClosedRange<UInt16> {
            var block = UInt32.random(in: 0...5, using: &chance)
            while block < 120 {
                let count = UInt32.random(in: 1...6, using: &chance)
                let id = ObjectID(high: 1, low: UInt64.random(in: 0..<9, using: &chance))
                let extent = Extent(volume: VolumeID(volume), start: block, count: count)
                uploads[id, default: []].append(extent)
                for block in extent.blocks {
                    owners[BlockAddress(volume: VolumeID(volume), block: block)] = id
                }
                block = extent.end + UInt32.random(in: 0...4, using: &chance)
            }
        }
        let spaces = UploadSpaces(uploads.map { (id: $0.key, space: $0.value) })
        var wrong = 0
        for _ in 0..<300 {
            let asked = (0..<Int.random(in: 0...3, using: &chance)).map { _ in
                Extent(
                    volume: VolumeID(UInt16.random(in: 0...3, using: &chance)),
                    start: .random(in: 0...130, using: &chance),
                    count: .random(in: 1...20, using: &chance))
            }
            let expected = asked.flatMap { extent in
                extent.blocks.compactMap {
                    owners[BlockAddress(volume: extent.volume, block: $0)]
                }
            }
            if spaces.uploads(in: asked) != Set(expected) { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(UploadSpaces([]).uploads(in: uploads.values.flatMap { $0 }).isEmpty)
    }
}
