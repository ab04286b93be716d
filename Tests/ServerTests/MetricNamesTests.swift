// Goal:   README.md lists the metrics that the page has, and no others.
// Method: the README of this checkout, found from this file.

import Foundation
import Store
import Testing

@testable import Server

@Suite struct `The metrics in the README` {
    /// The checkout that this file lies in.
    private var root: String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
    }

    /// Name and kind of each, as the page declares them.
    private var declared: Set<String> {
        let space = VolumeSpace(totalBytes: 0, freeBytes: 0)
        let store = StoreSnapshot(
            small: space, large: space, capacityBytes: 0, failedVolumes: 0, unindexedChanges: 0,
            bytesReserved: 0, unfinishedUploads: 0, unfinishedBytes: 0,
            resilience: ResilienceStatistics())
        let page = MetricsDocument.text([.example(core: 0, Counters())], store)
        let prefix = "# TYPE millrace_"
        return Set(
            page.split(separator: "\n").filter { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) })
    }

    /// The same, from rows such as "| `a`, `b` | gauge | … |".
    private func listed() throws -> [String] {
        let readme = try String(contentsOfFile: "\(root)/README.md", encoding: .utf8)
        let sections = readme.split(separator: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix("Metrics\n") })
        return section.split(separator: "\n").flatMap { line -> [String] in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 3, ["counter", "gauge", "histogram"].contains(cells[1]) else {
                return []
            }
            return cells[0].split(separator: "`").filter { !$0.contains(",") }
                .map { "\($0) \(cells[1])" }
        }
    }

    @Test func `are those of the page`() throws {
        let listed = try listed()
        #expect(Set(listed) == declared)
        #expect(listed.count == declared.count, "one is listed twice")
    }
}
