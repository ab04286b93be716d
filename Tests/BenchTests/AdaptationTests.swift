// Goal:   the bench of chunks reads its command line, and says and draws what it found.
// Method: requests in words; a result written out by hand, looked up in its tables and drawings.

import BenchMeasure
import BenchPlot
import Foundation
import LinkLaboratory
import Testing

@testable import BenchAdaptation

@Suite struct `The bench of chunks` {
    @Test func `reads its command line`() throws {
        let whole = try AdaptationCommand.parse([])
        #expect(whole.seeds == UploadContest.heldOutSeeds && whole.directory == "perf/runs")
        let part = try AdaptationCommand.parse(["--training", "--seeds", "3"])
        #expect(part.seeds == 1..<4 && part.directory == nil)
        let named = try AdaptationCommand.parse(["--seeds", "2", "--output", "here"])
        #expect(named.seeds.count == 2 && named.directory == "here")
        for words in [["--seeds"], ["--seeds", "0"], ["--seeds", "31"], ["--output"], ["what"]] {
            #expect(throws: (any Error).self) { try AdaptationCommand.parse(words) }
            #expect(AdaptationCommand.run(words) { "" } == 2)
        }
    }

    private static func cell(_ failures: Double?, adaptive: Double) -> AdaptationRun.Cell {
        AdaptationRun.Cell(
            megabitsPerSecond: 100, roundTripMilliseconds: 80, secondsBetweenFailures: failures,
            oracleBytes: 1 << 20, oracle: 10, fixedBytes: 2 << 20, fixed: 22, adaptive: adaptive,
            predictive: adaptive * 1.02)
    }

    @Test func `says what was reached and what was missed`() {
        var run = AdaptationRun(facts: ["a fact"])
        run.cells = [Self.cell(nil, adaptive: 10.1), Self.cell(60, adaptive: 11.5)]
        run.traces = [
            AdaptationRun.Trace(
                name: "moon", story: "far", oracle: 10, fixed: 20, adaptive: 8, predictive: 7,
                informed: 6, foreseen: 5, adaptiveBySeed: [8, 8, 8],
                predictiveBySeed: [7, 6, 8], foreseenBySeed: [5, 5, 5])
        ]
        #expect(run.missed.count == 1 && run.missed[0].secondsBetweenFailures == 60)
        let (times, saved) = (run.readings[0], run.readings[3])
        #expect((times.adaptive - 22 / 11.5).magnitude < 1e-9 && times.oracle == 2.2)
        #expect(run.readings[1].adaptive == 22 / 11.5 && run.readings[2].adaptive == 22 / 11.5)
        #expect(saved.adaptive == 1 - 11.5 / 22 && saved.oracle == 1 - 10.0 / 22.0)
        #expect((run.worstPredictive - 0.02).magnitude < 1e-9)
        let ratio = run.onTraces()
        #expect(ratio.map { ($0.median - 0.875).magnitude < 1e-9 } ?? false)
        #expect(ratio.map { $0.low < 0.876 && $0.high > 0.874 } ?? false)
        #expect(run.onTraces { $0.foreseenBySeed }?.high == 0.625)
        let text = run.markdown
        #expect(text.contains("0.8750 [0.7500–1.0000] of adaptive's time"))
        #expect(text.contains("no length could make it more than 2.20"))
        #expect(text.contains("cells that miss it: 1"))
        #expect(text.contains("15.00 % over the oracle in the worst cell"))
        #expect(text.contains("- moon: far") && text.contains("- a fact"))
    }

    /// Averages that differ where links do.
    @Test func `reads by how much the tiers are beaten in four ways`() {
        var run = AdaptationRun(facts: [])
        var slow = Self.cell(60, adaptive: 100)
        (slow.oracle, slow.fixed) = (100, 100)
        // Links that do not fail do not count.
        run.cells = [Self.cell(60, adaptive: 11), slow, Self.cell(nil, adaptive: 1)]
        let found = run.readings.map(\.adaptive)
        let expected = [(2.0).squareRoot(), 1.5, 122.0 / 111, 0.25]
        #expect(zip(found, expected).allSatisfy { ($0 - $1).magnitude < 1e-9 }, "\(found)")
        #expect(zip(run.readings, expected).allSatisfy { $0.oracle >= $1 - 1e-9 })
    }

    @Test func `draws a field for every share`() {
        let map = HeatMap(
            title: "T", subtitle: "S", columns: ["a", "b"], rows: ["x"],
            panels: [HeatMap.Panel(title: "P", shares: [[0.05, -0.02]])])
        let svg = map.svg
        #expect(svg.components(separatedBy: "fill-opacity").count == 3)
        #expect(svg.contains(">+5.0<") && svg.contains(">-2.0<") && svg.contains(">P<"))
    }

    @Test func `draws a time line, with failures that no line joins`() throws {
        let moments = [0.0, 60, 120].map { seconds in
            LinkTimeline.Moment(
                seconds: seconds, megabytesPerSecond: 1, estimated: 0.9, chunkMegabytes: 2,
                failed: seconds > 0)
        }
        let svg = try #require(LinkTimeline(title: "T", subtitle: "S", moments: moments).svg)
        #expect(svg.contains("class=\"mark f3\"") && !svg.contains("<path class=\"s3\""))
        #expect(LinkTimeline(title: "T", subtitle: "S", moments: []).svg == nil)
    }
}
