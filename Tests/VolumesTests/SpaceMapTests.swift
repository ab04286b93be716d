// Goal:   every block of an upload is where it was laid, until its place is taken away.
// Method: random adds and removes beside an array of one address a block; the edges by hand.

import Testing

@testable import Volumes

private struct PlaceModel {
    var places: [BlockAddress?]

    /// Maximal runs that go on in the upload and on the volume.
    var pieces: [SpaceMap.Piece] {
        var pieces: [SpaceMap.Piece] = []
        for (block, place) in places.enumerated() {
            guard let place else { continue }
            var first = UInt64(block)
            var extent = Extent(volume: place.volume, start: place.block, count: 1)
            if let last = pieces.last, last.end == first, last.extent.volume == place.volume,
                last.extent.end == place.block
            {
                first = last.firstBlock
                extent = Extent(
                    volume: place.volume, start: last.extent.start, count: last.extent.count + 1)
                pieces.removeLast()
            }
            pieces.append(SpaceMap.Piece(firstBlock: first, extent: extent))
        }
        return pieces
    }

    func missing(in blocks: Range<UInt64>) -> [Range<UInt64>] {
        var model = BoolModel(count: places.count)
        model.bits = places.map { $0 != nil }
        return model.runs(of: false, in: blocks)
    }

    mutating func lay(_ extents: [Extent], at first: UInt64) {
        var block = Int(first)
        for extent in extents {
            for number in extent.blocks {
                places[block] = BlockAddress(volume: extent.volume, block: number)
                block += 1
            }
        }
    }

    mutating func take(_ blocks: Range<UInt64>) -> [BlockAddress] {
        let taken = blocks.compactMap { places[Int($0)] }
        for block in blocks { places[Int(block)] = nil }
        return taken
    }
}

private func extent(_ volume: UInt16, _ start: UInt32, _ count: UInt32) -> Extent {
    Extent(volume: VolumeID(volume), start: start, count: count)
}

@Suite struct `A space map` {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with an array of addresses`(seed: UInt64) {
        var chance = Seeded(seed)
        var wrong = 0
        for _ in 0..<30 {
            let size = UInt64.random(in: 1...250, using: &chance)
            var model = PlaceModel(places: Array(repeating: nil, count: Int(size)))
            var map = SpaceMap()
            for _ in 0..<60 {
                let blocks = chance.range(below: size)
                if Int.random(in: 0..<3, using: &chance) > 0 {
                    for missing in map.missing(in: blocks) {
                        let extents = randomExtents(for: missing, &chance)
                        map.add(at: missing.lowerBound, extents)
                        model.lay(extents, at: missing.lowerBound)
                    }
                } else {
                    let removed = map.remove(blocks).flatMap { extent in
                        extent.blocks.map { BlockAddress(volume: extent.volume, block: $0) }
                    }
                    if removed != model.take(blocks) { wrong += 1 }
                }
                wrong += differences(map, model, chance.range(below: size))
            }
        }
        #expect(wrong == 0)
    }

    /// Often such that they go on where the neighbour in the upload ends.
    private func randomExtents(for blocks: Range<UInt64>, _ chance: inout Seeded) -> [Extent] {
        var extents: [Extent] = []
        var next = blocks.lowerBound
        while next < blocks.upperBound {
            let count = UInt64.random(in: 1...blocks.upperBound - next, using: &chance)
            let shift = UInt32.random(in: 0...2, using: &chance) * 1_000
            extents.append(extent(UInt16(shift / 2_000), UInt32(next) + shift, UInt32(count)))
            next += count
        }
        return extents
    }

    private func differences(
        _ map: SpaceMap, _ model: PlaceModel, _ question: Range<UInt64>
    ) -> Int {
        let missing = model.missing(in: question)
        let pieces = model.pieces
        var answers = [
            map.pieces == pieces, map.extents == pieces.map(\.extent),
            map.blockCount == model.places.count { $0 != nil },
            map.isEmpty == pieces.isEmpty, map.missing(in: question) == missing,
            map.places(of: question).flatMap { piece in
                zip(piece.blocks, piece.extent.blocks).map { "\($0) \(piece.extent.volume) \($1)" }
            }
                == question.compactMap { block in
                    model.places[Int(block)].map { "\(block) \($0.volume) \($0.block)" }
                },
            map.contains(question) == missing.isEmpty, SpaceMap(pieces: map.pieces) == map,
        ]
        for block in question {
            let location = map.location(ofBlock: block)
            let piece = pieces.first { $0.blocks.contains(block) }
            answers += [
                location?.volume == model.places[Int(block)]?.volume,
                location?.fileOffset == model.places[Int(block)]?.byteOffset,
                location?.contiguousBlocks == piece.map { $0.end - block },
            ]
        }
        return answers.count { !$0 }
    }

    @Test func `joins what goes on in the upload and on the volume, and nothing else`() {
        var map = SpaceMap()
        map.add(at: 10, [extent(1, 512, 4), extent(1, 516, 4)])
        #expect(map.pieces == [SpaceMap.Piece(firstBlock: 10, extent: extent(1, 512, 8))])
        map.add(at: 20, [extent(1, 522, 2)])
        map.add(at: 22, [extent(2, 524, 2)])
        #expect(map.extents == [extent(1, 512, 8), extent(1, 522, 2), extent(2, 524, 2)])
        map.add(at: 18, [extent(1, 520, 2)])
        #expect(map.extents == [extent(1, 512, 12), extent(2, 524, 2)])
        #expect(map.blockCount == 14)
        let location = map.location(ofBlock: 13)
        #expect(location?.volume == VolumeID(1) && location?.fileOffset == 515 * 4096)
        #expect(location?.contiguousBlocks == 9)
        #expect(map.location(ofBlock: 9) == nil && map.location(ofBlock: 24) == nil)
    }

    @Test func `cuts pieces where a part is taken out`() {
        var map = SpaceMap()
        map.add(at: 0, [extent(1, 600, 10), extent(3, 700, 10)])
        #expect(map.remove(4..<6) == [extent(1, 604, 2)])
        #expect(map.remove(4..<6).isEmpty)
        #expect(map.extents == [extent(1, 600, 4), extent(1, 606, 4), extent(3, 700, 10)])
        #expect(map.remove(2..<12) == [extent(1, 602, 2), extent(1, 606, 4), extent(3, 700, 2)])
        #expect(map.blockCount == 10 && !map.contains(0..<3) && map.contains(12..<20))
        map.add(at: 2, [extent(1, 602, 8)])
        #expect(map.extents == [extent(1, 600, 10), extent(3, 702, 8)])
        #expect(map.remove(0..<UInt64.max).count == 2)
        #expect(map == SpaceMap())
    }

    @Test func `takes nothing for nothing`() {
        var map = SpaceMap()
        map.add(at: 7, [])
        #expect(map.isEmpty && map.remove(0..<9).isEmpty && map.remove(3..<3).isEmpty)
        map.add(at: 0, [extent(1, 512, 4)])
        #expect(map.remove(2..<2).isEmpty && map.blockCount == 4)
        #expect(map.contains(9..<9) && map.missing(in: 9..<9).isEmpty)
    }

    @Test func `traps when a block would get two places`() async {
        await #expect(processExitsWith: .failure) {
            var map = SpaceMap()
            map.add(at: 10, [Extent(volume: VolumeID(1), start: 512, count: 4)])
            map.add(at: 8, [Extent(volume: VolumeID(1), start: 600, count: 3)])
        }
        await #expect(processExitsWith: .failure) {
            var map = SpaceMap()
            map.add(at: 10, [Extent(volume: VolumeID(1), start: 512, count: 4)])
            map.add(at: 13, [Extent(volume: VolumeID(1), start: 600, count: 1)])
        }
    }

    @Test func `traps on blocks beyond the last number`() async {
        await #expect(processExitsWith: .failure) {
            var map = SpaceMap()
            map.add(at: .max, [Extent(volume: VolumeID(1), start: 512, count: 1)])
        }
    }

    @Test func `is not made of pieces that are none`() {
        let first = SpaceMap.Piece(firstBlock: 4, extent: extent(1, 512, 4))
        for second in [
            SpaceMap.Piece(firstBlock: 7, extent: extent(1, 600, 4)),
            SpaceMap.Piece(firstBlock: 0, extent: extent(1, 600, 4)),
            SpaceMap.Piece(firstBlock: 8, extent: extent(1, 516, 4)),
        ] {
            #expect(SpaceMap(pieces: [first, second]) == nil)
        }
        let apart = SpaceMap.Piece(firstBlock: 9, extent: extent(1, 516, 4))
        #expect(SpaceMap(pieces: [first, apart])?.blockCount == 8)
    }
}
