// Goal:   pipes go round in the order in which they were asked for.
// Method: the filler on a simulated core.

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Store

@Suite struct `A pipe that comes back` {
    @Test func `is for who waits, not for who has just had it`() throws {
        let world = World(
            try World.hardware(), catalog: MemoryCatalog(instance: World.instance))
        let (loop, memory) = (world.machine.cores[0].loop, world.machine.cores[0].memory)
        let filler = PageFiller(loop: loop, memory: memory)
        let waiter = World.Handle<Bool>()
        let (count, wasEarly, isServed) = world.run {
            var held: [PageFiller.Pipe] = []
            while let pipe = await filler.takeSpare() { held.append(pipe) }
            let count = held.count
            loop.inBackground {
                guard let pipe = await filler.take() else { return }
                await filler.giveBack(pipe, isClean: true)
                waiter.answer = true
            }
            _ = await loop.perform(.nop)
            let wasEarly = waiter.answer != nil
            await filler.giveBack(held.removeLast(), isClean: true)
            let spare = await filler.takeSpare()
            let isServed = spare == nil
            for pipe in held { await filler.giveBack(pipe, isClean: true) }
            return (count, wasEarly, isServed)
        }
        world.settle()
        #expect(count == 8)
        #expect(!wasEarly)
        #expect(isServed)
        #expect(waiter.answer == true)
        world.run { await filler.close() }
    }
}
