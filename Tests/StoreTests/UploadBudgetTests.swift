// Goal:   the budget of unfinished uploads counts every byte once, says no exactly where a limit
//         is, and forgets whoever holds nothing.
// Method: random histories beside a list of all uploads; the traps by hand.

import Simulator
import Testing

@testable import Store

@Suite struct `The budget of unfinished uploads` {
    private struct Upload {
        let owner: [UInt8]
        var bytes: UInt64
    }

    /// What the budget has to hold, and whether it may hold more.
    private struct Model {
        var uploads: [Upload] = []
        let countMax = 7
        let countPerOwnerMax = 4
        let bytesMax: UInt64 = 1000
        let bytesPerOwnerMax: UInt64 = 600

        func refusal(_ owner: [UInt8], isNew: Bool, _ bytes: UInt64) -> UploadLimit? {
            let own = uploads.filter { $0.owner == owner }
            if isNew, uploads.count == countMax { return .total(countMax) }
            if isNew, own.count == countPerOwnerMax { return .perOwner(countPerOwnerMax) }
            if sum(uploads) + bytes > bytesMax { return .bytes(bytesMax) }
            if sum(own) + bytes > bytesPerOwnerMax { return .bytesPerOwner(bytesPerOwnerMax) }
            return nil
        }

        private func sum(_ uploads: [Upload]) -> UInt64 { uploads.reduce(0) { $0 + $1.bytes } }

        var heldBy: [[UInt8]: UploadBudget.Holding] {
            uploads.reduce(into: [:]) { held, upload in
                held[upload.owner, default: UploadBudget.Holding()].count += 1
                held[upload.owner]?.bytes += upload.bytes
            }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `is what all uploads hold`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var model = Model()
        var budget = UploadBudget(
            countMax: model.countMax, countPerOwnerMax: model.countPerOwnerMax,
            bytesMax: model.bytesMax, bytesPerOwnerMax: model.bytesPerOwnerMax)
        var refusals: Set<String> = []
        for step in 0..<2000 {
            let index = model.uploads.indices.randomElement(using: &random)
            // By turns many small ones and few large ones.
            let bytes = UInt64.random(in: 0...(step / 100 % 2 == 0 ? 10 : 300), using: &random)
            switch (Int.random(in: 0..<6, using: &random), index) {
            case (3..., _), (_, nil):
                let owner = [UInt8.random(in: 0...2, using: &random)]
                let refusal = budget.begin(owner, holding: bytes)
                #expect(refusal == model.refusal(owner, isNew: true, bytes))
                if refusal == nil { model.uploads.append(Upload(owner: owner, bytes: bytes)) }
                refusal.map { _ = refusals.insert("\($0)") }
            case (1, let index?):
                let owner = model.uploads[index].owner
                let refusal = budget.take(bytes, for: owner)
                #expect(refusal == model.refusal(owner, isNew: false, bytes))
                if refusal == nil { model.uploads[index].bytes += bytes }
                refusal.map { _ = refusals.insert("\($0)") }
            case (2, let index?):
                let part = UInt64.random(in: 0...model.uploads[index].bytes, using: &random)
                budget.giveBack(part, of: model.uploads[index].owner)
                model.uploads[index].bytes -= part
            case (_, let index?):
                let upload = model.uploads.remove(at: index)
                budget.end(upload.owner, holding: upload.bytes)
            }
            #expect(budget.heldBy == model.heldBy)
            #expect(budget.all.count == model.uploads.count)
            #expect(budget.all.bytes == model.heldBy.values.reduce(0) { $0 + $1.bytes })
        }
        #expect(refusals.count == 4, "seed \(seed): \(refusals)")
    }

    /// A limit may have been lowered since.
    @Test func `takes what was begun earlier, and nothing more until there is room`() {
        var budget = UploadBudget(
            countMax: 2, countPerOwnerMax: 2, bytesMax: 100, bytesPerOwnerMax: 50)
        budget.recall([1], holding: 500)
        var refusals = [budget.take(1, for: [1]), budget.take(0, for: [1]), budget.begin([2])]
        #expect(refusals == [.bytes(100), nil, nil])
        budget.giveBack(460, of: [1])
        refusals = [
            budget.take(11, for: [1]), budget.take(10, for: [1]), budget.take(51, for: [2]),
            budget.take(50, for: [2]), budget.take(1, for: [2]),
        ]
        #expect(refusals == [.bytesPerOwner(50), nil, .bytes(100), nil, .bytes(100)])
    }

    @Test func `has no end where there is none`() {
        var budget = UploadBudget(countMax: 2, countPerOwnerMax: 2)
        let refusals = [budget.begin([1], holding: .max - 1), budget.take(1, for: [1])]
        #expect(refusals == [nil, nil])
        #expect(budget.bytesPerUploadMax(blockBytes: 4096) == UInt64.max - 4095)
    }

    @Test func `lets one upload have the smaller of both, in whole blocks`() {
        let sizes =
            [(8192, 4096), (4096, 8192), (5000, 10_000), (8191, 8191)] as [(UInt64, UInt64)]
        for (all, one) in sizes {
            let budget = UploadBudget(
                countMax: 1, countPerOwnerMax: 1, bytesMax: all, bytesPerOwnerMax: one)
            #expect(budget.bytesPerUploadMax(blockBytes: 4096) == 4096)
        }
    }

    @Test func `traps when more is given back than was had`() async {
        await #expect(processExitsWith: .failure) {
            var budget = UploadBudget(countMax: 2, countPerOwnerMax: 2)
            _ = budget.begin([1], holding: 10)
            budget.giveBack(11, of: [1])
        }
        await #expect(processExitsWith: .failure) {
            var budget = UploadBudget(countMax: 2, countPerOwnerMax: 2)
            budget.end([1], holding: 0)
        }
        await #expect(processExitsWith: .failure) {
            var budget = UploadBudget(countMax: 2, countPerOwnerMax: 2)
            _ = budget.begin([1], holding: 10)
            budget.end([1], holding: 9)
        }
    }
}
