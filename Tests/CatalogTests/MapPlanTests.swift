import Testing

@testable import Catalog

/// The decisions about the size of map and file, by numbers.
@Suite struct `The map plan` {
    private let plan = MapPlan(limitBytes: 1000, headroomBytes: 100)

    @Test func `admits objects up to its limit`() {
        #expect(plan.admitsObjects(usedBytes: 1000))
        #expect(!plan.admitsObjects(usedBytes: 1001))
    }

    @Test func `doubles the map, up to the end of the headroom`() {
        #expect(plan.sizeToGrowTo(from: 400) == 800)
        #expect(plan.sizeToGrowTo(from: 800) == 1100)
        #expect(plan.sizeToGrowTo(from: 1100) == nil)
        #expect(plan.sizeToGrowTo(from: 2000) == nil)
    }

    @Test func `keeps the headroom reserved on disk, in steps`() {
        #expect(plan.reservation(from: 0, fileBytes: 50, usedBytes: 50) == 175)
        #expect(plan.reservation(from: 175, fileBytes: 75, usedBytes: 75) == nil)
        #expect(plan.reservation(from: 175, fileBytes: 76, usedBytes: 76) == 201)
        #expect(plan.reservation(from: .max, fileBytes: 151, usedBytes: 151) == nil)
    }

    @Test func `counts free pages of the file as headroom`() {
        #expect(plan.reservation(from: 0, fileBytes: 300, usedBytes: 200) == nil)
        #expect(plan.reservation(from: 0, fileBytes: 300, usedBytes: 201) == 425)
    }
}
