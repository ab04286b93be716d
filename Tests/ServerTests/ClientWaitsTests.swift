// Goal:   while a core sheds, a request that asks its client for more counts until it is clear that
//         it is the client who is waited for.
// Method: the list of waits by itself; then an upload under overload (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `Waits for clients` {
    @Test func `are told of once, at the second probe after they began`() {
        var waits = ClientWaits()
        func age() -> [Int] {
            var slots: [Int] = []
            waits.age { slot, number in
                #expect(number > 0)
                slots.append(slot)
            }
            return slots
        }
        #expect(age() == [])
        let first = waits.begin(7)
        let second = waits.begin(8)
        #expect(first != second)
        #expect(age() == [])
        _ = waits.begin(9)
        #expect(age() == [7, 8])
        #expect(age() == [9])
        #expect(age() == [])
    }

    @Test func `count for a while under overload, and not without`() throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog) { bed in
            let waiting = try bed.connectWaiting()
            #expect(bed.pressing == 0)
            bed.overload()
            bed.front.slowness = 0
            bed.front.pass(milliseconds: 5)
            #expect(bed.isShedding)
            let client = bed.front.connect()
            bed.send(client, try bed.signed("late", 3000))
            #expect(bed.pressing == 1, "its bytes may have come already")
            bed.front.pass(milliseconds: 10)
            #expect(bed.isShedding)
            #expect(bed.pressing == 0, "it waits for its client")
            for client in waiting + [client] { client.send(noise(3000, seed: 1)) }
            bed.front.settle()
            #expect(client.statuses == [201])
            #expect(bed.pressing == 0)
            for client in waiting + [client] { client.endSending() }
            bed.front.settle()
            bed.front.pass(milliseconds: 300)
            try bed.expectNothingLeft("after overload")
        }
    }
}
