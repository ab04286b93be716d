// Goal:   whichever operation of the disk ends otherwise than it should, and however it does:
//         nothing wrong is read, nobody waits for ever, no buffer is lost, and after a restart no
//         block is.
// Method: a story on two simulated cores, told again and again; each time another operation of a
//         kind goes wrong: some of them, evenly spread, because all of them take minutes.

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Store

@Suite struct `An operation that goes wrong` {
    private static let errors: [FaultPlan.Outcome] = [
        .error(.io), .error(.cancelled), .error(KernelError(code: 4)), .error(.wouldBlock),
        .error(.noMemory),
    ]

    private static let steps: [Step] = [
        .put("a", size: 3000, seed: 1), .put("big", size: 150_000, seed: 2), .settle,
        .remove("a"), .put("big", size: 150_000, seed: 2), .remove("big"), .settle,
        .put("a", size: 5000, seed: 4), .put("big", size: 70_000, seed: 6),
    ]

    /// What prepares the space for all that follows.
    private static let earlier: [Step] = [
        .put("first", size: 3000, seed: 7), .put("first-big", size: 150_000, seed: 8), .settle,
    ]

    @Test(
        arguments: [
            (.read, errors + [.short, .nothing]), (.write, errors + [.error(.noSpace), .short]),
            (.sync, errors), (.allocate, errors + [.error(.noSpace)]), (.open, errors),
        ] as [(OperationKind, [FaultPlan.Outcome])], [false, true])
    func `costs an error at most`(
        fault: (OperationKind, [FaultPlan.Outcome]), isPrepared: Bool
    ) throws {
        let (kind, outcomes) = fault
        let hardware = try World.hardware(cores: 2)
        let earlier = isPrepared ? Self.earlier : []
        let count = try count(kind, earlier, hardware)
        #expect(count > 2 || isPrepared, "\(kind) is hardly ever asked for")
        let wanted = min(count, max(6, outcomes.count))
        for index in 0..<wanted {
            let number = 1 + index * (count - 1) / max(1, wanted - 1)
            try strike(kind, number, outcomes[index % outcomes.count], earlier, hardware)
        }
    }

    /// How many of them the story asks for if it goes well.
    private func count(
        _ kind: OperationKind, _ earlier: [Step], _ hardware: [Hardware]
    ) throws -> Int {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        world.settle()
        let story = Story(world, catalog, seed: 1, cutsPerOperation: 0)
        try story.play(earlier)
        let before = world.disk.plan.counts[kind, default: 0]
        try story.play(Self.steps)
        let count = world.disk.plan.counts[kind, default: 0] - before
        _ = world.close()
        return count
    }

    private func strike(
        _ kind: OperationKind, _ number: Int, _ outcome: FaultPlan.Outcome, _ earlier: [Step],
        _ hardware: [Hardware]
    ) throws {
        let what: Comment = "\(kind) \(number): \(outcome)"
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog, seed: UInt64(number))
        try world.open()
        world.settle()
        let idle = world.machine.cores.map { $0.loop.ticketsOutstanding }
        let story = Story(world, catalog, seed: 1, cutsPerOperation: 0)
        try story.play(earlier)
        world.disk.plan.strike(kind, number: number, with: outcome)
        try story.play(Self.steps)
        let wrong = contradictions(world, story.expectations, checksSpace: false)
        #expect(wrong.filter { !$0.contains("cannot be read") } == [], what)
        #expect(wrong.count <= 1, what)
        world.settle()
        #expect(world.machine.cores.map { $0.loop.ticketsOutstanding } == idle, what)
        for (index, core) in world.machine.cores.enumerated() {
            #expect(core.memory.bytesFree == core.memory.bytesTotal, what)
            // The whole of the nested share is there, or this would wait for ever.
            let memory = Box(core.memory)
            world.run(on: index) {
                memory.value.giveBack(await memory.value.leaseNested(BufferPool.largest))
            }
        }
        world.disk.plan.disarm()
        #expect(world.close() == nil, what)
        let cut = PowerCut(
            image: world.disk.visible, catalog: try CatalogSnapshot(catalog),
            expectations: story.expectations, operation: number)
        #expect(problems(after: cut, hardware: hardware, tryingWrites: true) == [], what)
    }
}
