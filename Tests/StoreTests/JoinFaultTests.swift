// Goal:   whatever breaks while uploads are put together, and whenever: an error at most, and after
//         a restart the object is whole or its parts are as they were; no block or buffer is lost,
//         and nobody waits for ever.
// Method: the tale of one object's parts, told again and again; each time another operation of the
//         disk, or commit of the catalog, goes wrong.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Uploads that are put together when something breaks` {
    private static let errors: [FaultPlan.Outcome] = [.error(.io), .error(.cancelled)]

    @Test(
        arguments: [
            (.read, errors + [.short, .nothing]), (.write, errors + [.error(.noSpace), .short]),
            (.sync, errors),
        ] as [(OperationKind, [FaultPlan.Outcome])], [false, true])
    func `cost an error at most`(fault: (OperationKind, [FaultPlan.Outcome]), isSmall: Bool) throws
    {
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware)
        try world.open()
        world.settle()
        let before = world.disk.plan.counts[fault.0, default: 0]
        let tale = JoinTale(isSmall ? .small : .odd)
        tale.tell(world)
        #expect(tale.failures == [])
        let count = world.disk.plan.counts[fault.0, default: 0] - before
        #expect(world.close() == nil)
        for number in stride(from: 1, through: count, by: 1) {
            try strike(fault.0, number, fault.1[number % fault.1.count], isSmall, hardware)
        }
    }

    private func strike(
        _ kind: OperationKind, _ number: Int, _ outcome: FaultPlan.Outcome, _ isSmall: Bool,
        _ hardware: [Hardware]
    ) throws {
        let what: Comment = "\(kind) \(number): \(outcome)"
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog, seed: UInt64(number))
        try world.open()
        world.settle()
        let idle = world.machine.cores.map { $0.loop.ticketsOutstanding }
        world.disk.plan.strike(kind, number: number, with: outcome)
        let tale = JoinTale(isSmall ? .small : .odd)
        tale.tell(world)
        world.disk.plan.disarm()
        #expect(world.machine.cores.map { $0.loop.ticketsOutstanding } == idle, what)
        for core in world.machine.cores {
            #expect(core.memory.bytesFree == core.memory.bytesTotal, what)
        }
        #expect(world.shared?.bytesReserved == 0, what)
        #expect(world.close() == nil, what)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(tale.state.problems(in: again) == [], what)
        #expect(again.close() == nil, what)
    }

    /// Nothing is stored, and the next try succeeds: nothing needs a restart.
    @Test(arguments: [false, true])
    func `go on after a commit of the catalog that failed`(isSmall: Bool) throws {
        let hardware = try World.hardware(cores: 2)
        var struck = 0
        for number in 1...30 {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = World(hardware, catalog: catalog, seed: UInt64(number))
            try world.open()
            world.settle()
            catalog.fail(commit: number, .before(.diskFull))
            let tale = JoinTale(isSmall ? .small : .odd)
            tale.tell(world)
            // It struck, or it never will.
            catalog.crash()
            for error in tale.failures {
                struck += 1
                switch error {
                // Not heard of, or heard of too late.
                case .store(.indexBehind), .notJoinable(.isUnfinished), .notFound,
                    .refused(.wrongOffset):
                    break
                default: Issue.record("commit \(number): \(error)")
                }
            }
            #expect(tale.state.problems(in: world) == [], "commit \(number)")
            #expect(world.close() == nil)
        }
        #expect(struck > 5)
    }

    /// The process dies with the commit: stored, or not, and nobody was told.
    @Test(arguments: [false, true])
    func `survive a process that dies in a commit`(isStored: Bool) throws {
        for number in 12...30 {
            let catalog = MemoryCatalog(instance: World.instance)
            let error = CatalogError.system(operation: "commit", code: 5)
            // Its loops are left with what waits in them for ever.
            let world = World(try World.hardware(), catalog: catalog, seed: UInt64(number))
            try world.open()
            catalog.fail(commit: number, isStored ? .afterDurable(error) : .before(error))
            let tale = JoinTale(.odd)
            tale.tell(world, settles: false)
            catalog.crash()
            let again = World(
                try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
            try again.open()
            #expect(tale.state.problems(in: again) == [], "commit \(number)")
            #expect(again.close() == nil)
        }
    }
}
