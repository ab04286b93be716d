/// Other programs that are run to their end.

import Foundation

public enum ChildProgram {
    /// Runs `program`, found in PATH, and answers what it wrote to both outputs.
    @discardableResult
    public static func run(
        _ program: String, _ arguments: [String]
    ) throws(Failure) -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let bytes: Data
        do {
            try process.run()
            bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw Failure(description: "\(program) cannot be run: \(error)")
        }
        process.waitUntilExit()
        let text = String(decoding: bytes, as: UTF8.self)
        guard process.terminationStatus == 0 else {
            let reason = text.split(separator: "\n").last.map(String.init) ?? "no word why"
            throw Failure(description: "\(program) failed: \(reason)")
        }
        return text
    }

    public struct Failure: Error, Equatable, CustomStringConvertible {
        public let description: String
    }
}
