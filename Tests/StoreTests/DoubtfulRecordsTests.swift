// Which removals stay for records that failed: rules one by one.

import Testing
import Volumes

@testable import Store

@Suite struct `Removals that outlive records that failed` {
    private let name = NameKey(bytes: [97], hash: 1)
    private let other = NameKey(bytes: [98], hash: 2)

    /// Of the object of that sequence.
    private func removal(_ sequence: UInt64) -> RemovedObject {
        let place = Extent(volume: VolumeID(0), start: 600 + UInt32(sequence), count: 1)
        return RemovedObject(
            name: name.bytes, sequence: sequence, record: place, data: [], removal: place)
    }

    @Test func `go where nothing older has failed`() {
        var doubts = DoubtfulRecords()
        doubts.failed(other, sequence: 3)
        doubts.failed(name, sequence: 9)
        #expect(doubts.removed(name, removal(5))?.sequence == 5)
        #expect(doubts.settled(name, sequence: 9) == nil)
        #expect(doubts.removed(name, removal(11))?.sequence == 11)
    }

    @Test func `stay until the last older one is settled`() {
        var doubts = DoubtfulRecords()
        doubts.failed(name, sequence: 3)
        doubts.failed(name, sequence: 4)
        #expect(doubts.removed(name, removal(5)) == nil)
        doubts.failed(name, sequence: 7)
        #expect(doubts.settled(name, sequence: 3) == nil)
        #expect(doubts.settled(name, sequence: 4)?.sequence == 5)
        #expect(doubts.settled(name, sequence: 7) == nil)
    }

    /// It is the newest that outlives all.
    @Test(arguments: [false, true]) func `stand for each other`(isReverse: Bool) {
        var doubts = DoubtfulRecords()
        doubts.failed(name, sequence: 3)
        doubts.failed(name, sequence: 7)
        let both = [removal(5), removal(8)]
        #expect(doubts.removed(name, isReverse ? both[1] : both[0]) == nil)
        #expect(doubts.removed(name, isReverse ? both[0] : both[1])?.sequence == 5)
        #expect(doubts.settled(name, sequence: 3) == nil)
        #expect(doubts.settled(name, sequence: 7)?.sequence == 8)
    }
}

extension RemovedObject: Equatable {
    static func == (left: Self, right: Self) -> Bool { left.removal == right.removal }
}
