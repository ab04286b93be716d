// Writes results under perf/runs.

import BenchMeasure
import Foundation

/// Writes a run down: a table to read and everything measured as JSON.
enum ResultFiles {
    /// Answers the files' name without extension, or nil if nothing was to be written.
    static func write(_ result: RunResult, for options: Options) throws -> String? {
        // Half a comparison or a quick look is no record, unless a place for it was named.
        guard options.output != nil || (!options.isQuick && options.only == nil) else { return nil }
        let directory = options.output ?? "perf/runs"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let date = result.environment.date.prefix(10)
        var base = "\(directory)/\(date)-\(result.environment.commit)"
        if let loop = options.loop { base += "-\(loop.rawValue)-loop" }
        var (name, count) = (base, 1)
        while FileManager.default.fileExists(atPath: name + ".md") {
            count += 1
            name = "\(base)-\(count)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(result).write(to: URL(fileURLWithPath: name + ".json"))
        try RunText(result).markdown.write(
            toFile: name + ".md", atomically: true, encoding: .utf8)
        return name
    }
}
