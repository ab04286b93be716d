// Goal:   whatever a crash leaves of the un-flushed writes, recovery finds every acknowledged
//         object, keeps every acknowledged removal, and accounts for every block.
// Method: a small store (CrashModel) is stopped before and after each of its flushes, in all or
//         many subsets of the blocks that may be lost; then it is recovered, interrupted in that,
//         and recovered again. Broken stores must be noticed.

import Testing

@testable import Volumes

@Suite struct `A replay` {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `restores what was acknowledged after every crash`(seed: UInt64) throws {
        var model = try CrashModel(seed: seed)
        for _ in 0..<160 { try model.step() }
        #expect(model.violations == [])
        #expect(model.crashes > 200)
    }

    @Test(arguments: CrashModel.Fault.allCases)
    func `notices a store that breaks the order`(fault: CrashModel.Fault) throws {
        var violations: Set<String> = []
        for seed in 1...4 as ClosedRange<UInt64> {
            var model = try CrashModel(seed: seed, fault: fault)
            for _ in 0..<120 where model.violations.isEmpty { try model.step() }
            violations.formUnion(model.violations)
        }
        #expect(violations.isEmpty == (fault == .none))
    }

    @Test func `lets the highest sequence of a name win, in any order`() {
        let records = [record(1), record(2, .removal, ends: 1), record(3), record(4, ends: 3)]
        for order in permutations(records) {
            var replay = Replay(applied: 0)
            for record in order { replay.add(record) }
            let plan = replay.plan()
            #expect(plan.effects == [.put(records[3])])
            #expect(plan.live == records[3].occupied)
            #expect(plan.dying == [records[0], records[1], records[2]].flatMap(\.occupied))
            #expect(plan.headersToZero == [records[0], records[2]].map(\.header.reference))
            #expect(plan.unseen == [])
            #expect(plan.sequenceMax == 4)
        }
    }

    @Test func `takes the same record twice for one`() {
        var replay = Replay(applied: 0)
        for _ in 0..<2 { replay.add(record(1)) }
        for _ in 0..<2 { replay.addTorn(record(2)) }
        #expect(replay.plan().dying == [])
        #expect(replay.plan().torn == [record(2)])
    }

    @Test func `finishes a removal that the catalog knows already, or was told to pass over`() {
        var replay = Replay(applied: 7)
        replay.add(record(1))
        replay.add(record(2, .removal, ends: 1))
        let plan = replay.plan()
        #expect(plan.effects == [.remove(record(2, .removal, ends: 1))] && plan.live == [])
        #expect(plan.headersToZero == [record(1).header.reference])
        #expect(plan.dying.count == 2)
        #expect(plan.sequenceMax == 7)
    }

    @Test func `names what it did not see`() {
        var replay = Replay(applied: 1)
        let removal = record(2, .removal, ends: 1)
        replay.add(removal)
        let unseen = ReplayPlan.Unseen(
            name: removal.name, subject: record(1).header.reference,
            endedBy: removal.header.reference)
        #expect(replay.plan().unseen == [unseen])
        #expect(replay.plan().effects == [.remove(removal)])
        replay.add(record(1))
        #expect(replay.plan().unseen == [])
    }

    @Test func `leaves what is applied to the catalog`() {
        var replay = Replay(applied: 5)
        replay.add(record(5))
        #expect(replay.plan().settled == [record(5)])
        #expect(replay.plan().effects == [] && replay.plan().live == [])
    }

    @Test func `drops a torn write of the tail, keeps a rotten object, buries a dead one`() {
        var replay = Replay(applied: 5)
        replay.addTorn(record(6, name: "tail"))
        replay.addTorn(record(4, name: "rotten"))
        replay.addTorn(record(3, name: "dead"))
        replay.add(record(7, .removal, ends: 3, name: "dead"))
        let plan = replay.plan()
        #expect(plan.torn == [record(6, name: "tail")])
        #expect(plan.headerExtents.map(\.start) == [1_060])
        #expect(plan.headerExtents.map(\.count) == [1])
        #expect(plan.damaged == [record(4, name: "rotten")])
        #expect(plan.headersToZero == [record(3, name: "dead").header.reference])
        #expect(plan.unseen == [])
        #expect(plan.sequenceMax == 7)
    }

    @Test func `of nothing does nothing`() {
        #expect(Replay(applied: 9).plan() == ReplayPlan(sequenceMax: 9))
    }

    @Test func `tells what a removal that it was not shown would have outlived`() {
        var replay = Replay(applied: 2)
        for found in [
            record(2, name: "applied"), record(3, name: "a"), record(4, name: "b"),
            record(5, .removal, ends: 4, name: "b"), record(6, name: "c"), record(9, name: "d"),
        ] { replay.add(found) }
        let names = replay.objects(before: 9).map { String(decoding: $0.name, as: UTF8.self) }
        #expect(names.sorted() == ["a", "c"])
        #expect(replay.objects(before: 3) == [])
    }

    private func record(
        _ sequence: UInt64, _ kind: RecordKind = .smallObject, ends other: UInt64? = nil,
        name: String = "name"
    ) -> Record {
        let draft = Draft(
            kind: kind, address: place(sequence), sequence: sequence,
            supersedes: other.map { RecordReference(address: place($0), sequence: $0) },
            name: Array(name.utf8))
        switch decode(draft.encoded(), at: draft.address) {
        case .success(let record): return record
        case .failure(let error): preconditionFailure("\(error)")
        }
    }

    private func place(_ sequence: UInt64) -> BlockAddress {
        BlockAddress(volume: VolumeID(3), block: 1_000 + UInt32(sequence) * 10)
    }

    private func permutations(_ records: [Record]) -> [[Record]] {
        guard records.count > 1 else { return [records] }
        return records.indices.flatMap { index in
            var rest = records
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }
}
