/// `millrace-bench plot`: from its command line to its exit code, and the drawings of a run.

import Foundation

public enum PlotCommand {
    static let help = """
        millrace-bench plot RUN.json [--output DIR]: draws a run as SVG.

        Throughput over the size of objects, CPU per request and per GB, CPU per GB over the size
        of buffers, and latencies by percentile, as far as the run has them. What it has not is
        said. DIR is RUN without .json if it is not named.

        Example: millrace-bench plot perf/runs/2026-11-23-ba7bd8e.json --output /tmp/plots
        """

    struct Request: Equatable {
        var run = ""
        var directory: String?
        var wantsHelp = false
    }

    struct Mistake: Error, Equatable {
        let text: String
    }

    /// `arguments` are those behind `plot`.
    static func parse(_ arguments: [String]) throws(Mistake) -> Request {
        var (request, rest) = (Request(), arguments[...])
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": request.wantsHelp = true
            case "--output":
                guard let value = rest.popFirst() else {
                    throw Mistake(text: "--output needs a value")
                }
                request.directory = value
            default:
                guard !word.hasPrefix("-"), request.run.isEmpty else {
                    throw Mistake(text: "what is \(word)? see plot --help")
                }
                request.run = word
            }
        }
        guard request.wantsHelp || !request.run.isEmpty else {
            throw Mistake(text: "which run? see plot --help")
        }
        return request
    }

    /// Answers the exit code: 2 for a slip in the command line, 1 for anything else that failed.
    public static func run(_ arguments: [String]) -> Int32 {
        let request: Request
        do throws(Mistake) {
            request = try parse(arguments)
        } catch {
            say("millrace-bench plot: \(error.text)")
            return 2
        }
        if request.wantsHelp {
            FileHandle.standardOutput.write(Data((help + "\n").utf8))
            return 0
        }
        do {
            let directory = request.directory ?? PlotCommand.directory(of: request.run)
            let drawn = try draw(request.run, into: directory)
            say("drawn: \(drawn) files in \(directory)")
            return drawn > 0 ? 0 : 1
        } catch {
            say("millrace-bench plot: \(request.run): \(error.localizedDescription)")
            return 1
        }
    }

    /// Beside the run.
    static func directory(of run: String) -> String {
        run.hasSuffix(".json") ? String(run.dropLast(".json".count)) : run + ".plots"
    }

    /// Draws the run in the file `run` into `directory`, which is made if there is something to
    /// draw, and says what it cannot. Answers how many files it wrote.
    public static func draw(_ run: String, into directory: String) throws -> Int {
        let json = try JSONValue.read(Data(contentsOf: URL(fileURLWithPath: run)))
        let (charts, notes) = PlotCommand.charts(json)
        for note in notes { say("not drawn: \(note)") }
        guard !charts.isEmpty else { return 0 }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        for chart in charts {
            try SVG(chart.drawing).text.write(
                toFile: "\(directory)/\(chart.name).svg", atomically: true, encoding: .utf8)
        }
        return charts.count
    }

    private static func charts(_ json: JSONValue) -> ([RunCharts.Chart], notes: [String]) {
        if let overload = OverloadCharts(json) { return (overload.charts, overload.notes) }
        let charts = RunCharts(PlotRun(json))
        return (charts.charts, charts.notes)
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
