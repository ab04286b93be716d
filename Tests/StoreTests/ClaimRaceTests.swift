// Goal:   requests of two cores for one name, at the same time, are told one after the other what
//         is so, also when both have come to the ledger before either has an answer.
// Method: removals that take more or fewer turns to get there, all ways round.

import IO
import Simulator
import Testing

@testable import Store

@Suite struct `One name on two cores` {
    @Test func `is removed once, whoever asks when`() throws {
        let hardware = try World.hardware(cores: 2)
        for (first, second) in (0..<5).flatMap({ first in (0..<5).map { (first, $0) } }) {
            let world = World(hardware, seed: 1)
            try world.open()
            _ = try world.put("a", content(3000, seed: 1)).get()
            world.settle()
            let delays = [first, second]
            let removals = (0..<2).map { index in
                let (core, other) = (world.cores[index], world.cores[1 - index])
                return world.start(on: index) {
                    for _ in 0..<delays[index] { _ = await other.bytesFree }
                    return try? await core.remove("a")
                }
            }
            world.settle()
            #expect(removals.count { $0.answer == .some(true) } == 1, "\(delays)")
            #expect(removals.count { $0.answer == .some(false) } == 1, "\(delays)")
            #expect(try world.get("a").get() == nil)
            #expect(world.close() == nil)
        }
    }
}
