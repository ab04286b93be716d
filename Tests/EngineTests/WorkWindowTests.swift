// Goal:   while a core sheds, as many requests are under way as keep it busy, and hardly more.
// Method: a window that is always full, over a machine that does so many at once, each for so long;
//         then what the window does where that does not hold.

import Testing

@testable import Engine

private let millisecond: UInt64 = 1_000_000
private let interval = 100 * millisecond

/// Does `width` requests at once, each in `time`; the others stand in line.
private struct BusyMachine {
    var width: Int
    let time: UInt64
    /// Of those in line, how many bring another when they are answered: it goes on with something.
    var followers = 0
    /// Of those in line, how many are always there.
    var permanent = 0
    var window = WorkWindow(interval: interval)
    var now: UInt64 = 1_000_000_000
    private(set) var finished = 0
    /// When those that are worked on end, in order.
    private var ends: [UInt64] = []
    private var waiting = 0

    init(width: Int, time: UInt64, underWay: Int = 0) {
        (self.width, self.time, waiting) = (width, time, underWay)
        window.narrow(underWay, of: underWay, at: now)
        begin()
    }

    var underWay: Int { waiting + ends.count }
    var perSecondMax: Double { Double(width) * 1e9 / Double(time) }

    private mutating func begin() {
        while waiting > 0, ends.count < width {
            waiting -= 1
            ends.append(now + time)
        }
    }

    mutating func run(milliseconds: UInt64) {
        let stop = now + milliseconds * millisecond
        while now < stop {
            if underWay < window.limit {
                waiting += 1
                window.changed(to: underWay, at: now)
                begin()
                continue
            }
            now = ends.removeFirst()
            finished += 1
            if followers > 0 {
                followers -= 1
                waiting += 1
            }
            waiting += max(0, permanent - underWay)
            window.changed(to: underWay, at: now)
            window.answered(at: now)
            begin()
        }
    }
}

@Suite struct `A window for work` {
    @Test(arguments: [(1, 200_000 as UInt64), (4, 5_000_000), (20, 10_000_000), (64, 3_000_000)])
    func `comes to be as wide as keeps a machine busy`(width: Int, time: UInt64) {
        var machine = BusyMachine(width: width, time: time)
        machine.run(milliseconds: 6000)
        let before = machine.finished
        machine.run(milliseconds: 4000)
        let share = Double(machine.finished - before) / 4 / machine.perSecondMax
        #expect(share > 0.9, "\(share)")
        #expect(machine.window.limit >= WorkWindow.least)
        #expect(machine.window.limit <= max(WorkWindow.least, 2 * width))
        #expect(machine.window.width == machine.window.limit)
    }

    @Test func `empties a long line first`() {
        var machine = BusyMachine(width: 4, time: 5 * millisecond, underWay: 300)
        #expect(machine.window.limit == WorkWindow.least)
        machine.run(milliseconds: 5000)
        #expect(machine.window.limit <= 8, "it took what the line brought for the window's")
        #expect(machine.underWay <= 8)
    }

    /// An upload is begun, and then its bytes come.
    @Test func `does not take what answers bring for what is always there`() {
        var machine = BusyMachine(width: 4, time: 5 * millisecond, underWay: 300)
        machine.followers = 300
        machine.run(milliseconds: 6000)
        #expect(machine.window.limit <= 8)
        #expect(machine.underWay <= 8)
    }

    @Test func `lets go of what is no longer there`() {
        var machine = BusyMachine(width: 4, time: 5 * millisecond, underWay: 40)
        machine.permanent = 40
        machine.run(milliseconds: 5000)
        #expect(machine.window.limit > 40)
        machine.permanent = 0
        machine.run(milliseconds: 40_000)
        #expect(machine.window.width <= 8)
        machine.permanent = 40
        machine.run(milliseconds: 1000)
        #expect(machine.window.limit > 40, "new requests starve")
    }

    @Test func `does not wait for what nobody may refuse`() {
        var now: UInt64 = 1_000_000_000
        var window = WorkWindow(interval: interval)
        window.narrow(40, of: 40, at: now)
        // Forty are under way all the time: one ends, another goes on.
        for step in 0..<5000 {
            now += millisecond
            window.changed(to: 40, at: now)
            window.answered(at: now)
            if step == 30 { #expect(window.limit == WorkWindow.least) }
        }
        #expect(window.limit > 40, "new requests starve")
        #expect(window.limit <= 48)
    }

    /// All of them are worked on, so none is answered before nearly all are.
    @Test func `waits for a line that ends all at once`() {
        var now: UInt64 = 1_000_000_000
        var window = WorkWindow(interval: interval)
        window.narrow(400, of: 400, at: now)
        for _ in 0..<20 {
            now += 100 * millisecond
            window.changed(to: 400, at: now)
            #expect(window.limit == WorkWindow.least)
        }
        for left in (0..<400).reversed() {
            window.changed(to: left, at: now)
            window.answered(at: now)
        }
        for _ in 0..<2000 {
            now += 10 * millisecond
            window.changed(to: WorkWindow.least, at: now)
            window.answered(at: now)
        }
        #expect(window.limit <= 4)
        // But not for ever.
        window.narrow(400, of: 400, at: now)
        window.changed(to: 400, at: now + 29 * interval)
        #expect(window.limit == WorkWindow.least)
        window.changed(to: 400, at: now + 30 * interval)
        #expect(window.limit == 400 + WorkWindow.least)
    }

    @Test func `follows a machine that comes to do more, or less`() {
        var machine = BusyMachine(width: 16, time: 10 * millisecond)
        machine.run(milliseconds: 4000)
        #expect(machine.window.limit == 16)
        machine.width = 4
        machine.run(milliseconds: 30_000)
        #expect(machine.window.width == 4)
        machine.width = 8
        machine.run(milliseconds: 60_000)
        #expect(machine.window.width == 8)
    }

    @Test func `lets in more for no more than a hundredth of the time`() {
        var machine = BusyMachine(width: 16, time: 10 * millisecond)
        machine.run(milliseconds: 4000)
        var (least, most, steps) = (Int.max, 0, 0)
        for _ in 0..<10_000 {
            machine.run(milliseconds: 10)
            least = min(least, machine.window.limit)
            most = max(most, machine.window.limit)
            if machine.window.limit > 16 { steps += 1 }
            #expect(machine.window.width == 16)
        }
        #expect(least == WorkWindow.least, "it never looked what is always there")
        #expect(most == 32)
        #expect((1...100).contains(steps), "\(steps)")
    }

    @Test func `counts nothing while it is open`() {
        var window = WorkWindow(interval: interval)
        #expect(window.limit == .max)
        window.changed(to: 5, at: 1)
        window.answered(at: 2)
        #expect(window.limit == .max)
        window.narrow(5, of: 5, at: 3)
        #expect(window.limit == WorkWindow.least)
        window.open()
        #expect(window.limit == .max)
        #expect(window.width == 0)
        // Nobody had to be refused any more.
        window.narrow(0, of: 0, at: 4)
        for step in 1...50 { window.answered(at: 4 + UInt64(step) * 10 * millisecond) }
        #expect(window.limit == 2 * WorkWindow.least)
        window.open()
        #expect(window.width == 2 * WorkWindow.least)
    }
}

/// Many are done together, in batches: as one flush is for all who wait for it.
@Suite struct `A window before a disk` {
    /// A batch takes `fixed`, and so much more for each request in it.
    private func width(fixed: UInt64, each: UInt64, milliseconds: UInt64) -> Int {
        var now: UInt64 = 1_000_000_000
        var window = WorkWindow(interval: interval)
        window.narrow(0, of: 0, at: now)
        let stop = now + milliseconds * millisecond
        while now < stop {
            let batch = window.limit
            window.changed(to: batch, at: now)
            now += fixed + UInt64(batch) * each
            for left in (0..<batch).reversed() {
                window.changed(to: left, at: now)
                window.answered(at: now)
            }
        }
        return window.limit
    }

    @Test func `takes so many that hardly more would be done by more`() {
        // Of what could be done at most, n bring n·each / (fixed + n·each).
        for (fixed, each) in [(200_000, 80_000), (10_000_000, 100_000), (1_000_000, 1_000_000)]
            as [(UInt64, UInt64)]
        {
            let count = Double(width(fixed: fixed, each: each, milliseconds: 20_000))
            let share = count * Double(each) / (Double(fixed) + count * Double(each))
            #expect(share > 0.7, "\(count) of \(fixed) and \(each)")
            #expect(share < 0.97, "\(count) of \(fixed) and \(each): they only wait longer")
        }
    }
}

@Suite struct `A watch for futility` {
    private let limits = AdmissionLimits(
        delayTarget: 5 * millisecond, delayInterval: interval)

    /// Whether it has ended within two seconds of such delays.
    private func ends(delays: [UInt64], keeps: Bool) -> Bool {
        var watch = FutilityWatch(limits)
        var now: UInt64 = 1_000_000_000
        watch.begin(at: now)
        for number in 0..<200 {
            now += 10 * millisecond
            let delay = delays[number % delays.count]
            if watch.isInVain(delay, keeps: keeps, at: now) {
                #expect(watch.isResting(at: now + 9_999 * millisecond))
                #expect(!watch.isResting(at: now + 10_000 * millisecond))
                return true
            }
        }
        #expect(!watch.isResting(at: now))
        return false
    }

    @Test func `ends what changes nothing`() {
        #expect(ends(delays: [6 * millisecond], keeps: true))
        #expect(!ends(delays: [5 * millisecond], keeps: true))
        // It is what was begun that is slow: others would make it slower.
        #expect(!ends(delays: [50 * millisecond], keeps: false))
        // Short ones in between: a quota, or bursts.
        let mixed = [1 * millisecond] + Array(repeating: 50 * millisecond, count: 7)
        #expect(!ends(delays: mixed, keeps: true))
    }
}
