// Goal:   dashboard and rules ask for metrics that there are, and Prometheus takes them all.
// Method: the files of this checkout beside the page; Prometheus' own promtool, where it is
//         installed (.ci/run sees to that).

import Foundation
import Store
import Testing

@testable import Server

@Suite struct `What watches a server` {
    private static let root = #filePath.split(separator: "/").dropLast(3)
        .reduce(into: "") { $0 += "/" + $1 }
    private static let directory = root + "/perf/observability"

    /// Of this program in PATH.
    static let promtool: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":").map { "\($0)/promtool" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static var page: String {
        let space = VolumeSpace(totalBytes: 0, freeBytes: 0)
        let store = StoreSnapshot(
            small: space, large: space, capacityBytes: 0, failedVolumes: 0, unindexedChanges: 0,
            bytesReserved: 0, unfinishedUploads: 0, unfinishedBytes: 0,
            resilience: ResilienceStatistics())
        return MetricsDocument.text([.example(core: 0, Counters())], store)
    }

    /// Names of metrics on the page, those of a histogram's parts included.
    private var declared: Set<String> {
        var names: Set<String> = []
        for line in Self.page.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            let parts = words[3] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            for part in parts { names.insert(words[2] + part) }
        }
        return names
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Self.directory)/\(name)", encoding: .utf8)
    }

    /// Words of PromQL that begin so.
    private func names(_ prefix: String, in text: String) -> Set<String> {
        var names: Set<String> = []
        for part in text.split(separator: prefix).dropFirst() {
            let isName = { (byte: UInt8) in
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
                    || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                    || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
            }
            let rest = String(decoding: part.utf8.prefix(while: isName), as: UTF8.self)
            names.insert(prefix + rest)
        }
        return names
    }

    @Test(arguments: ["dashboard.json", "rules.yml", "rules_test.yml"])
    func `asks for nothing that is not on the page`(name: String) throws {
        let text = try text(name)
        let asked = names("millrace_", in: text)
        #expect(asked.count > 5)
        #expect(asked.subtracting(declared).isEmpty)
        let recorded = Set(
            try self.text("rules.yml").split(separator: "\n").compactMap { line in
                line.firstRange(of: "record: ").map { String(line[$0.upperBound...]) }
            })
        #expect(names("millrace:", in: text).subtracting(recorded).isEmpty)
    }

    @Test func `shows every metric but those that say little by themselves`() throws {
        let text = try text("dashboard.json") + text("rules.yml")
        let asked = names("millrace_", in: text)
        let families = declared.filter { name in
            !["_bucket", "_sum", "_count"].contains { name.hasSuffix($0) }
        }
        #expect(families.subtracting(asked).isEmpty)
    }

    @Test func `is a dashboard whose panels have places and questions of their own`() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.directory)/dashboard.json"))
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let panels = try #require(json["panels"] as? [[String: Any]])
        #expect(panels.count > 40)
        var (ids, places): (Set<Int>, Set<String>) = ([], [])
        for panel in panels {
            let id = try #require(panel["id"] as? Int)
            #expect(ids.insert(id).inserted)
            let place = try #require(panel["gridPos"] as? [String: Int])
            let (x, y) = (place["x"] ?? -1, place["y"] ?? -1)
            #expect(places.insert("\(x),\(y)").inserted, "two panels at \(x), \(y)")
            #expect(x >= 0 && x + (place["w"] ?? 99) <= 24)
            guard panel["type"] as? String != "row" else { continue }
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(targets.allSatisfy { ($0["expr"] as? String)?.isEmpty == false })
        }
    }

    // MARK: By Prometheus

    /// What it says, if it is not content.
    private func complaint(_ arguments: [String], input: String = "") throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.promtool))
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: Self.directory)
        let (output, stdin) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = output
        process.standardInput = stdin
        try process.run()
        // Less than a pipe holds goes at once; it reads all before it says anything.
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: said, as: UTF8.self)
        return process.terminationStatus == 0 ? nil : text
    }

    private static let missing: Comment =
        "promtool is not installed (Debian: prometheus); .ci/run unpacks it"

    @Test(.enabled(if: promtool != nil, missing))
    func `is taken by promtool: rules, their tests, the scrape configuration`() throws {
        #expect(try complaint(["check", "rules", "rules.yml"]) == nil)
        #expect(try complaint(["test", "rules", "rules_test.yml"]) == nil)
        #expect(try complaint(["check", "config", "scrape.yml"]) == nil)
        // It would say so.
        #expect(try complaint(["check", "rules", "dashboard.json"]) != nil)
    }

    @Test(.enabled(if: promtool != nil, missing))
    func `is taken by promtool: the page`() throws {
        #expect(try complaint(["check", "metrics"], input: Self.page) == nil)
        #expect(try complaint(["check", "metrics"], input: "a_total b\n") != nil)
    }
}
