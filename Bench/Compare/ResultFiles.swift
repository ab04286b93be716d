// Writes results under perf/runs.

import BenchMeasure
import Foundation

/// A run's two files: a table to read and everything measured as JSON. They are written again after
/// every row, so that a run that is stopped leaves what it has.
struct ResultFiles {
    /// Without extension; nil if nothing is to be written.
    let name: String?

    init(for options: Options, _ environment: BenchMeasure.Environment) throws {
        // Half a comparison or a quick look is no record, unless a place for it was named.
        guard options.output != nil || (!options.isQuick && options.only == nil) else {
            name = nil
            return
        }
        let directory = options.output ?? "perf/runs"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        var base = "\(directory)/\(environment.date.prefix(10))-\(environment.commit)"
        if let table = options.ablations { base += "-\(table.rawValue)" }
        if let loop = options.loop { base += "-\(loop.rawValue)-loop" }
        var (name, count) = (base, 1)
        while FileManager.default.fileExists(atPath: name + ".json") {
            count += 1
            name = "\(base)-\(count)"
        }
        self.name = name
    }

    func write(_ result: RunResult) throws {
        guard let name else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(result).write(to: URL(fileURLWithPath: name + ".json"), options: .atomic)
        try RunText(result).markdown.write(
            toFile: name + ".md", atomically: true, encoding: .utf8)
    }
}
