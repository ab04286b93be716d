// Goal:   `millrace topology` tells people and programs the same about the machine it runs on.

import Foundation
import Testing

@Suite struct `The topology command` {
    private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        let scratch = try ScratchDirectory()
        return try Programs.run(
            Programs.millrace, ["topology", "--data", scratch.path + "/data"] + arguments)
    }

    @Test func `prints a line for each core's memory, and one ring`() throws {
        let (status, output) = try run("--cores", "0")
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(
            lines.contains { $0.hasPrefix("  CPU 0  ") && $0.hasSuffix("named in server.cores") })
        #expect(lines.count { $0.hasPrefix("  core ") } == 1)
        #expect(lines.contains { $0.hasPrefix("rings    1024 submissions") })
    }

    @Test func `prints the same as JSON`() throws {
        let (status, output) = try run("--cores", "0", "--json")
        #expect(status == 0)
        let parsed = try JSONSerialization.jsonObject(with: Data(output.utf8))
        let report = try #require(parsed as? [String: Any])
        let processors = try #require(report["processors"] as? [[String: Any]])
        #expect(processors.first?["cpu"] as? Int == 0)
        #expect(processors.first?["core"] as? Int == 0)
        #expect(processors.count { $0["core"] != nil } == 1)
        #expect((report["arenas"] as? [[String: Any]])?.count == 1)
        let ring = try #require(report["ring"] as? [String: Any])
        #expect(ring["submissionEntries"] as? Int == 1024)
        #expect(ring["refusal"] == nil)
    }

    @Test func `refuses cores that are not there, as a start would`() throws {
        let (status, output) = try run("--cores", "8000")
        #expect(status == 1)
        #expect(output.contains("core 8000 is not online"))
    }

    @Test func `makes no data directory`() throws {
        let scratch = try ScratchDirectory()
        let data = scratch.path + "/data"
        #expect(try Programs.run(Programs.millrace, ["topology", "--data", data]).status == 0)
        #expect(!FileManager.default.fileExists(atPath: data))
    }
}
