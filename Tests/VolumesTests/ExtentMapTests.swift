// Goal:   whatever comes in whatever order, the map says exactly which bytes are there.
// Method: thousands of random inserts beside an array of one Bool a byte, every question asked of
//         both after each; the edges by hand.

import Testing

@testable import Volumes

/// One Bool a byte, or a block.
struct BoolModel {
    var bits: [Bool]

    init(count: Int) { bits = Array(repeating: false, count: count) }

    mutating func set(_ range: Range<UInt64>, _ value: Bool = true) {
        for index in range { bits[Int(index)] = value }
    }

    /// The runs of `value` in `range`.
    func runs(of value: Bool, in range: Range<UInt64>) -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        for index in range where bits[Int(index)] == value {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    var all: Range<UInt64> { 0..<UInt64(bits.count) }
    var count: UInt64 { UInt64(bits.count { $0 }) }
}

extension Seeded {
    /// A part of 0..<count, mostly short and now and then empty.
    mutating func range(below count: UInt64) -> Range<UInt64> {
        let lower = UInt64.random(in: 0...count, using: &self)
        let longest = Bool.random(using: &self) ? 12 : count / 4
        return lower..<min(count, lower + UInt64.random(in: 0...longest, using: &self))
    }
}

@Suite struct `An extent map` {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with an array of Bool`(seed: UInt64) {
        var chance = Seeded(seed)
        var wrong = 0
        for _ in 0..<40 {
            let size = UInt64.random(in: 1...400, using: &chance)
            var model = BoolModel(count: Int(size))
            var map = ExtentMap()
            for _ in 0..<60 {
                // Half of them where uploads go on: at the end of what is there.
                var range = chance.range(below: size)
                if Bool.random(using: &chance) {
                    range = map.end..<min(size, map.end + UInt64(range.count))
                }
                map.insert(range)
                model.set(range)
                wrong += differences(map, model, chance.range(below: size))
            }
        }
        #expect(wrong == 0)
    }

    private func differences(
        _ map: ExtentMap, _ model: BoolModel, _ question: Range<UInt64>
    ) -> Int {
        let present = model.runs(of: true, in: question)
        let missing = model.runs(of: false, in: question)
        let all = model.runs(of: true, in: model.all)
        let answers = [
            map.ranges == all, map.byteCount == model.count, map.isEmpty == all.isEmpty,
            map.present(in: question) == present, map.missing(in: question) == missing,
            map.contains(question) == missing.isEmpty, map.overlaps(question) == !present.isEmpty,
            map.end == all.last?.upperBound ?? 0,
            map.firstMissing(in: question) == missing.first?.lowerBound,
            map.prefixEnd == (all.first?.lowerBound == 0 ? all[0].upperBound : 0),
            ExtentMap(ranges: all) == map,
        ]
        return answers.count { !$0 }
    }

    @Test func `holds nothing at first`() {
        let map = ExtentMap()
        #expect(map.ranges.isEmpty && map.isEmpty && map.byteCount == 0)
        #expect(map.end == 0 && map.prefixEnd == 0)
        #expect(map.missing(in: 3..<9) == [3..<9])
        #expect(map.firstMissing(in: 3..<9) == 3 && map.firstMissing(in: 3..<3) == nil)
        #expect(map.present(in: 3..<9).isEmpty && !map.overlaps(3..<9) && !map.contains(3..<9))
    }

    @Test func `takes nothing for nothing`() {
        var map = ExtentMap()
        map.insert(5..<5)
        #expect(map.isEmpty)
        map.insert(0..<4)
        map.insert(2..<2)
        map.insert(4..<4)
        map.insert(9..<9)
        #expect(map.ranges == [0..<4])
        #expect(map.contains(20..<20) && !map.overlaps(2..<2))
        #expect(map.missing(in: 9..<9).isEmpty && map.present(in: 2..<2).isEmpty)
    }

    @Test func `joins what touches on either side`() {
        var map = ExtentMap()
        for range in [0..<10, 20..<30, 40..<50] as [Range<UInt64>] { map.insert(range) }
        map.insert(30..<35)
        #expect(map.ranges == [0..<10, 20..<35, 40..<50])
        map.insert(35..<40)
        #expect(map.ranges == [0..<10, 20..<50])
        map.insert(15..<20)
        map.insert(10..<15)
        #expect(map.ranges == [0..<50])
        #expect(map.byteCount == 50 && map.prefixEnd == 50)
    }

    @Test func `swallows what it covers, and counts every byte once`() {
        var map = ExtentMap()
        for start in stride(from: 100, to: 200, by: 10) as StrideTo<UInt64> {
            map.insert(start..<start + 5)
        }
        map.insert(104..<191)
        #expect(map.ranges == [100..<195])
        #expect(map.byteCount == 95)
        map.insert(120..<130)
        map.insert(100..<195)
        #expect(map.ranges == [100..<195] && map.byteCount == 95)
        map.insert(50..<300)
        #expect(map.ranges == [50..<300] && map.byteCount == 250)
        #expect(map.prefixEnd == 0 && map.end == 300)
    }

    @Test func `reaches to the last number there is`() {
        var map = ExtentMap()
        map.insert(UInt64.max - 1..<UInt64.max)
        map.insert(0..<1)
        #expect(map.missing(in: 0..<UInt64.max) == [1..<UInt64.max - 1])
        map.insert(0..<UInt64.max)
        #expect(map.ranges == [0..<UInt64.max] && map.byteCount == .max)
        #expect(map.contains(0..<UInt64.max) && map.missing(in: 0..<UInt64.max).isEmpty)
    }

    @Test(
        arguments: [
            [3..<3], [0..<4, 4..<6], [0..<4, 3..<6], [5..<6, 0..<1], [0..<4, 6..<6],
        ] as [[Range<UInt64>]])
    func `is not made of runs that are none`(ranges: [Range<UInt64>]) {
        #expect(ExtentMap(ranges: ranges) == nil)
    }
}
