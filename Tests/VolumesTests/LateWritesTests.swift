// Goal: places of writes that failed are known for as long as something may come there, no longer.

import Testing

@testable import Volumes

@Suite struct `What may still come of writes that failed` {
    private func extent(_ start: UInt32, _ count: UInt32, of volume: UInt16 = 1) -> Extent {
        Extent(volume: VolumeID(volume), start: start, count: count)
    }

    @Test func `comes to the blocks that they were for, until its time is over`() {
        var late = LateWrites(nanosecondsMax: 60, countMax: 8)
        #expect(late.isEmpty && late.end(in: extent(0, 100), at: 0) == nil)
        let noted = [
            late.failed(extent(10, 4), at: 100), late.failed(extent(20, 1), at: 130),
            late.failed(extent(10, 4, of: 2), at: 140),
        ]
        #expect(noted == [true, true, true])
        for (place, end) in [
            (extent(0, 10), nil), (extent(0, 11), 160), (extent(13, 1), 160), (extent(14, 6), nil),
            (extent(12, 9), 190), (extent(20, 1), 190), (extent(21, 9), nil),
            (extent(12, 9, of: 2), 200), (extent(12, 9, of: 3), nil),
        ] as [(Extent, UInt64?)] {
            let found = late.end(in: place, at: 150)
            #expect(found == end, "\(place)")
        }
        let (before, after) = (
            late.end(in: extent(10, 1), at: 159), late.end(in: extent(10, 1), at: 160)
        )
        #expect(before == 160 && after == nil && !late.isEmpty)
        #expect(late.all(at: 190) == [extent(10, 4, of: 2)])
        #expect(late.all(at: 200) == [] && late.isEmpty)
    }

    /// It may fail several times, and then its time begins anew.
    @Test func `is counted from the last time`() {
        var late = LateWrites(nanosecondsMax: 60, countMax: 2)
        let noted = [
            late.failed(extent(1, 1), at: 1000), late.failed(extent(2, 1), at: 1010),
            late.failed(extent(1, 1), at: 1020),
        ]
        #expect(noted == [true, true, true])
        #expect(late.all(at: 1069) == [extent(2, 1), extent(1, 1)])
        #expect(late.end(in: extent(1, 2), at: 1069) == 1080)
        #expect(late.all(at: 1070) == [extent(1, 1)])
    }

    /// Then none is tried again; once time has passed, there is room.
    @Test func `is not more than may be known`() {
        var late = LateWrites(nanosecondsMax: 60, countMax: 2)
        let first = [
            late.failed(extent(1, 1), at: 100), late.failed(extent(2, 1), at: 110),
            late.failed(extent(3, 1), at: 120), late.failed(extent(2, 1), at: 130),
        ]
        #expect(first == [true, true, false, true])
        #expect(late.all(at: 130) == [extent(1, 1), extent(2, 1)])
        let again = [late.failed(extent(3, 1), at: 159), late.failed(extent(3, 1), at: 160)]
        #expect(again == [false, true])
        #expect(late.all(at: 160) == [extent(2, 1), extent(3, 1)])
    }

    /// Of two cores one may be a turn behind; and the machine may just have been switched on.
    @Test func `keeps its order where a clock is behind`() {
        var late = LateWrites(nanosecondsMax: 60, countMax: 8)
        let noted = [late.failed(extent(1, 1), at: 30), late.failed(extent(2, 1), at: 28)]
        #expect(noted == [true, true])
        #expect(late.end(in: extent(2, 1), at: 29) == 90)
        #expect(late.all(at: 5) == [extent(1, 1), extent(2, 1)])
        #expect(late.all(at: 89).count == 2 && late.all(at: 90).isEmpty)
    }

    @Test func `is told part by part`() {
        var late = LateWrites(nanosecondsMax: 60, countMax: 8)
        for place in [extent(40, 10), extent(10, 10), extent(15, 10), extent(12, 2)] {
            let isNoted = late.failed(place, at: 100)
            #expect(isNoted)
        }
        #expect(
            late.parts(of: extent(0, 100), at: 110) == [
                extent(10, 10), extent(20, 5), extent(40, 10),
            ])
        #expect(
            late.parts(of: extent(12, 30), at: 110) == [
                extent(12, 8), extent(20, 5), extent(40, 2),
            ])
        #expect(late.parts(of: extent(25, 15), at: 110) == [])
        #expect(late.parts(of: extent(0, 100), at: 160) == [])
    }
}
