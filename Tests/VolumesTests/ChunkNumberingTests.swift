// Goal:   numbered chunks cover an upload's bytes once each, and the missing ones are named.

import Testing

@testable import Volumes

@Suite struct `Numbered chunks` {
    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 101] as [UInt64])
    func `follow one another from the first byte to the last`(length: UInt64) {
        let numbering = ChunkNumbering(length: length, chunkBytes: 10)
        var end: UInt64 = 0
        for chunk in 0..<numbering.count {
            guard let range = numbering.range(of: chunk) else {
                Issue.record("there is no chunk \(chunk)")
                return
            }
            #expect(range.lowerBound == end)
            #expect(chunk == numbering.count - 1 || range.count == 10)
            end = range.upperBound
        }
        #expect(end == length)
        #expect(numbering.range(of: numbering.count) == nil)
        #expect(numbering.range(of: .max) == nil)
    }

    @Test func `of an upload without bytes are one`() {
        let numbering = ChunkNumbering(length: 0, chunkBytes: 10)
        #expect(numbering.count == 1)
        #expect(numbering.range(of: 0) == 0..<0)
        #expect(numbering.missing(from: ExtentMap()) == [0...0])
    }

    @Test(
        arguments: [
            ([], [0...10]), ([0..<105], []), ([0..<104], [10...10]), ([1..<105], [0...0]),
            ([0..<10, 20..<30], [1...1, 3...10]), ([0..<11], [1...10]),
            // Of chunks 1 and 2 parts are there.
            ([0..<15, 18..<25, 30..<105], [1...2]),
            ([0..<15, 16..<17, 18..<105], [1...1]),
        ] as [([Range<UInt64>], [ClosedRange<UInt64>])])
    func `are missing as long as one of their bytes is`(
        received: [Range<UInt64>], missing: [ClosedRange<UInt64>]
    ) {
        var map = ExtentMap()
        for range in received { map.insert(range) }
        let numbering = ChunkNumbering(length: 105, chunkBytes: 10)
        #expect(numbering.missing(from: map) == missing)
    }
}
