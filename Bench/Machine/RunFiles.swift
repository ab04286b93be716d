/// The two files of a run: a table to read, and everything measured as JSON.

import Foundation

public enum RunFiles {
    /// `directory/base`, or that with a number if such files are there; the directory is made.
    public static func freeName(_ base: String, in directory: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let first = "\(directory)/\(base)"
        var (name, count) = (first, 1)
        while FileManager.default.fileExists(atPath: name + ".json") {
            count += 1
            name = "\(first)-\(count)"
        }
        return name
    }

    /// Writes `name`.json and `name`.md, over what may be there.
    public static func write(
        _ result: some Encodable, markdown: String, to name: String
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(result).write(to: URL(fileURLWithPath: name + ".json"), options: .atomic)
        try markdown.write(toFile: name + ".md", atomically: true, encoding: .utf8)
    }
}
