// Goal:   an overload run says what was measured and whether that is enough; requests are counted
//         once each, from when they were due.
// Method: made-up answers and points; the text of /proc and of control groups as kernels write it.

import BenchMeasure
import Foundation
import Testing

@testable import BenchLoad
@testable import BenchMachine
@testable import BenchPlot

private let second: UInt64 = 1_000_000_000

private func outcome(_ status: Int, hasTime: Bool = true, at time: UInt64) throws
    -> OpenLine.Outcome
{
    let text = "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n"
    let head = try #require(try ResponseHead.read(text.utf8.span))
    return OpenLine.Outcome(head, hasTime: hasTime, at: time)
}

private func histogram(_ values: UInt64...) -> Histogram {
    var histogram = Histogram()
    for value in values { histogram.add(value) }
    return histogram
}

private func tally(good: Int, latency: UInt64, refused: Int = 0, broken: Int = 0) -> OpenTally {
    var tally = OpenTally()
    tally.seconds = 2
    tally.goodCount = good
    tally.admitted = histogram(latency, latency)
    for _ in 0..<refused { tally.refused.add(1_000_000) }
    tally.broken = broken
    return tally
}

private func point(_ load: Double, _ tally: OpenTally, hasAdmission: Bool = true) -> OverloadPoint {
    OverloadPoint(
        load: load, hasAdmission: hasAdmission, offered: load * 1000, tally: tally, serverCPU: 0.5)
}

@Suite struct `Requests that leave on a schedule` {
    private func begun() -> OpenCount {
        var count = OpenCount()
        let server = ServedAddress(port: 1, secret: nil, congestionControl: nil)
        let plan = OpenPlan(
            server, connections: 1, perSecond: 10, warmupSeconds: 1, seconds: 2)
        count.begin(at: second, plan)
        return count
    }

    @Test func `count once the warm-up is over, by what became of them`() throws {
        var count = begun()
        count.add(try outcome(201, at: second * 2), due: second)
        #expect(count.tally.goodCount == 1 && count.tally.admitted.count == 0)
        count.add(try outcome(200, at: second * 3), due: second * 2 + 5)
        count.add(try outcome(201, at: second * 9), due: second * 3)
        #expect(count.tally.goodCount == 2, "one came too late to count as done in time")
        #expect(count.tally.admitted.count == 2)
        #expect(count.tally.admitted.greatest == 6 * second)
        count.add(try outcome(503, at: second * 3), due: second * 3 - 7)
        count.add(try outcome(503, hasTime: false, at: second * 3), due: second * 3 - 7)
        count.add(try outcome(503, at: second * 3), due: second)
        #expect(count.tally.refused.count == 2 && count.tally.refused.least == 7)
        #expect(count.tally.refusedWithoutTime == 1)
        count.add(try outcome(500, at: second * 3), due: second * 2)
        count.addBroken(due: second)
        #expect(count.tally.broken == 1)
    }

    @Test func `that could not leave are told`() {
        var count = begun()
        let first = count.takeDue(at: second * 2)
        #expect(first == second)
        #expect(!count.isOver(second * 4 - 1) && count.isOver(second * 4))
        for _ in 0..<3 {
            let late = count.takeDue(at: second * 4)
            #expect(late == nil)
        }
        #expect(count.tally.unsent == 29)
    }
}

@Suite struct `The result of an overload run` {
    private let work = OverloadWork.all[0]

    @Test func `says what is met and what is not`() {
        let unloaded = point(0.1, tally(good: 200, latency: 2_000_000))
        let well = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5,
            points: [unloaded, point(3, tally(good: 1900, latency: 5_900_000, refused: 5))])
        #expect(well.findings.map(\.isMet) == [true, true, true])
        let badly = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5,
            points: [
                unloaded, point(3, tally(good: 1500, latency: 7_000_000, broken: 1)),
                point(3, tally(good: 9000, latency: 1), hasAdmission: false),
            ])
        #expect(badly.peak == 4500)
        #expect(badly.findings.map(\.isMet) == [false, false, false])
        let none = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5,
            points: [unloaded, point(3, OpenTally.empty)])
        #expect(none.findings.map(\.isMet) == [false, false, true])
        let short = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5, points: [unloaded])
        #expect(short.findings.isEmpty)
    }

    @Test(arguments: [
        // CPU at 3×, what one that is refused takes of it (200/s are), what can be done at most.
        (cpu: 0.405, refusal: 25e-6, most: 1700.0 / 1900), (0.5, 500e-6, 0),
        (0.1, 0, 1),
    ])
    func `says what the processor allows`(cpu: Double, refusal: Double, most: Double) throws {
        let loaded = OverloadPoint(
            load: 3, hasAdmission: true, offered: 3000,
            tally: tally(good: 1600, latency: 1, refused: 400), serverCPU: cpu)
        let row = OverloadRow(work: work, capacity: 1000, capacityCPU: 0.5, points: [loaded])
        let arithmetic = try #require(row.arithmetic)
        #expect(abs(arithmetic.service - 500e-6) < 1e-9)
        #expect(abs(arithmetic.refusal - refusal) < 1e-9)
        #expect(abs(arithmetic.goodputMax - most) < 1e-9)
        var run = OverloadRun(facts: [])
        run.overload = [row]
        #expect(run.markdown.contains("A request costs 500.0 µs of the server's CPU"))
        let calm = OverloadRow(work: work, capacity: 1000, capacityCPU: 0.5, points: [])
        #expect(calm.arithmetic == nil)
        let idle = OverloadRow(
            work: work, capacity: 1000, capacityCPU: cpu / 1.2, points: [loaded])
        #expect(idle.arithmetic == nil, "it is not the processor that limits this one")
    }

    @Test func `says what can be done in time at all`() throws {
        func closed(_ clients: Int, _ goodput: Double, p99: UInt64?) -> ClosedPoint {
            let latency = p99.flatMap { Latency(histogram($0)) }
            return ClosedPoint(clients: clients, goodput: goodput, latency: latency)
        }
        let unloaded = point(0.1, tally(good: 200, latency: 2_000_000))
        let row = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5, points: [unloaded],
            closed: [
                closed(1, 400, p99: 1_000_000), closed(2, 700, p99: 5_900_000),
                closed(4, 1250, p99: 6_500_000), closed(8, 1100, p99: nil),
            ])
        #expect(row.peak == 1250)
        #expect(try abs(#require(row.goodputInTime) - 700 / 1250.0) < 1e-9)
        var run = OverloadRun(facts: [])
        run.overload = [row]
        #expect(run.markdown.contains("with nobody to refuse, the server does 0.56 of its peak."))
        #expect(run.markdown.contains("| 8            | 1100      | 0.88    | –  "))
        let look = OverloadRow(work: work, capacity: 1000, capacityCPU: 0.5, points: [unloaded])
        #expect(look.goodputInTime == nil)
    }

    @Test func `is a table with verdicts, and drawings`() throws {
        let row = OverloadRow(
            work: work, capacity: 1000, capacityCPU: 0.5,
            points: [
                point(0.1, tally(good: 200, latency: 2_000_000)),
                point(3, tally(good: 1900, latency: 5_900_000, refused: 8)),
                point(0.1, tally(good: 200, latency: 2_000_000), hasAdmission: false),
                point(3, tally(good: 1900, latency: 90_000_000), hasAdmission: false),
            ])
        var run = OverloadRun(facts: ["date: today", "commit: abc", "kernel: 6.1"])
        run.overload = [row]
        #expect(run.markdown.contains("## put-64k\n"))
        #expect(run.markdown.contains("| 3.00× | on "))
        #expect(run.markdown.contains("| 3.00× | off "))
        #expect(run.markdown.contains("| met "))
        let json = try JSONValue.read(try JSONEncoder().encode(run))
        let charts = try #require(OverloadCharts(json))
        #expect(
            charts.charts.map(\.name) == ["goodput-put-64k", "p99-put-64k", "refusals-put-64k"])
        #expect(charts.notes == [])
        #expect(OverloadCharts(.object([:])) == nil)
        #expect(OverloadCharts(.object(["overload": .list([.null])]))?.notes.count == 1)
    }
}

@Suite struct `An overload run's command line` {
    @Test func `chooses rows and loads`() throws {
        let options = try OverloadOptions([
            "--rows", "put-64k,get-1m", "--loads", "3,0.1", "--quota", "20", "--period", "5000",
            "--key", "queue_delay_target = \"1ms\"", "--disk", "100",
        ])
        #expect(options.works.map(\.name) == ["put-64k", "put-64k-expect", "get-1m"])
        #expect(options.loads == [0.1, 3] && options.quotaMicros == 1000)
        #expect(options.diskBytes == 100 << 20)
        #expect(options.keys.count == 1 && options.directory == nil)
        #expect(try OverloadOptions([]).directory == "perf/runs")
        #expect(try OverloadOptions(["--quick"]).directory == nil)
        #expect(try OverloadOptions(["--quick", "--output", "x"]).directory == "x")
    }

    @Test(arguments: [
        ["--rows", "put-9"], ["--loads", "0"], ["--loads", "a"], ["--quota", "4"], ["--rows"],
        ["--period", "999"], ["--disk", "0"], ["--what"], ["put-64k"],
    ])
    func `says what is wrong`(arguments: [String]) {
        #expect(throws: Options.Mistake.self) { _ = try OverloadOptions(arguments) }
    }
}

@Suite struct `A share of a CPU or a disk` {
    private let legacy =
        "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n"
        + "cgroup /sys/fs/cgroup/cpu cgroup rw,nosuid,cpu,cpuacct 0 0\n"
        + "cgroup /sys/fs/cgroup/blkio cgroup rw,blkio 0 0\n"
        + "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    private let unified = "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n"

    private let cpu = ControlGroup.Limit.processor(micros: 1, periodMicros: 2)
    private let disk = ControlGroup.Limit.writes(bytesPerSecond: 1, device: "254:0")

    private func place(
        _ limit: ControlGroup.Limit, _ mounts: String, _ controllers: String?
    ) -> ControlGroup.Hierarchy? {
        .find(limit, mounts: mounts) { _ in controllers }
    }

    @Test func `is made where there is a controller for it`() {
        #expect(place(cpu, legacy, "") == .legacy("/sys/fs/cgroup/cpu"))
        #expect(place(cpu, unified, "cpuset cpu io memory\n") == .unified("/sys/fs/cgroup"))
        #expect(place(cpu, unified, "cpuset io\n") == nil)
        #expect(place(cpu, unified, nil) == nil)
        #expect(place(cpu, "proc /proc proc rw 0 0", "cpu") == nil)
        #expect(place(disk, legacy, "") == .legacy("/sys/fs/cgroup/blkio"))
        #expect(place(disk, unified, "cpuset io\n") == .unified("/sys/fs/cgroup"))
        #expect(place(disk, unified, "cpu\n") == nil)
    }
}

extension OpenTally {
    fileprivate static var empty: OpenTally {
        var tally = OpenTally()
        tally.seconds = 2
        return tally
    }
}
