// Goal:   the bench of chunks reads its command line, and says and draws what it found.
// Method: requests in words; a result written out by hand, looked up in its tables and drawings.

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
                informed: 6)
        ]
        #expect(run.missed.count == 1 && run.missed[0].secondsBetweenFailures == 60)
        #expect((run.speedOverTiers - 22 / 11.5).magnitude < 1e-9)
        #expect((run.worstPredictive - 0.02).magnitude < 1e-9)
        #expect((run.predictiveOnTraces + 0.125).magnitude < 1e-9)
        let text = run.markdown
        #expect(text.contains("cells that miss it: 1"))
        #expect(text.contains("15.00 % over the oracle in the worst cell"))
        #expect(text.contains("- moon: far") && text.contains("- a fact"))
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
