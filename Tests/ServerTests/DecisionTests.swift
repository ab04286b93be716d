// Goal:   what the front decides without asking anybody: body progress, minimum rate, selections,
//         listings, the prepared head, the metrics page, when to stop reading.

import Engine
import Foundation
import HTTP
import Loop
import Store
import Testing

@testable import Server

@Suite struct `A body's progress` {
    private func progress(_ fields: String) throws -> BodyProgress {
        BodyProgress(try makeRequest("PUT /a HTTP/1.1\r\nHost: h\r\n\(fields)\r\n").head)
    }

    @Test func `ends clean when nothing is left`() throws {
        #expect(try progress("").end(drainBytesMax: 10) == .clean)
        #expect(try progress("Content-Length: 0\r\n").end(drainBytesMax: 10) == .clean)
        #expect(
            try progress("Content-Length: 0\r\nExpect: 100-continue\r\n").end(drainBytesMax: 10)
                == .clean)
        var body = try progress("Content-Length: 5\r\n")
        body.took(2)
        body.took(3)
        #expect(body.end(drainBytesMax: 10) == .clean)
    }

    @Test func `reads a short rest, and closes over a long one`() throws {
        var body = try progress("Content-Length: 12\r\n")
        #expect(body.end(drainBytesMax: 11) == .close)
        body.took(1)
        #expect(body.end(drainBytesMax: 11) == .drain)
        body.fail()
        #expect(body.end(drainBytesMax: 11) == .close)
        let chunked = try progress("Transfer-Encoding: chunked\r\n")
        #expect(chunked.end(drainBytesMax: 11) == .drainChunked)
    }

    @Test func `closes when the client still waits to be invited`() throws {
        var body = try progress("Content-Length: 5\r\nExpect: 100-continue\r\n")
        #expect(body.end(drainBytesMax: 10) == .close)
        body.awaitsContinue = false
        #expect(body.end(drainBytesMax: 10) == .drain)
    }

    @Test func `traps for more than was announced`() async {
        await #expect(processExitsWith: .failure) {
            var body = try `A body's progress`().progress("Content-Length: 5\r\n")
            body.took(6)
        }
    }
}

@Suite struct `The minimum rate` {
    private let second: UInt64 = 1_000_000_000

    @Test func `is held to the minimum rate after its grace time`() {
        var pace = MinimumRate(startedAt: 0, bytesPerSecond: 1000)
        let inGrace = pace.received(1, now: 30 * second)
        #expect(inGrace)
        let tooSlow = pace.received(1, now: 31 * second)
        #expect(!tooSlow)
        var steady = MinimumRate(startedAt: 0, bytesPerSecond: 1000)
        for minute in 1...10 as ClosedRange<UInt64> {
            let goesOn = steady.received(60_000, now: minute * 60 * second)
            #expect(goesOn)
        }
        var free = MinimumRate(startedAt: 0, bytesPerSecond: 0)
        let anything = free.received(0, now: 1000 * second)
        #expect(anything)
    }
}

@Suite struct `An object's fields` {
    private func text(_ write: (inout OutputSpan<UInt8>) -> Void) -> String {
        String(decoding: [UInt8](capacity: 1024, initializingWith: write), as: UTF8.self)
    }

    private func tag(_ sequence: UInt64, _ checksum: UInt32) -> String {
        let fields = ObjectFields(
            length: 1, sequence: sequence, checksum: checksum, modifiedSeconds: 0)
        return text { fields.appendEntityTag(to: &$0) }
    }

    @Test func `have a strong entity tag of their own`() {
        #expect(tag(0, 0) == "\"0-0\"")
        #expect(tag(1, 0xabc) == "\"1-abc\"")
        #expect(tag(0x10, 0xf) == "\"10-f\"")
        let longest = tag(.max, .max)
        #expect(longest == "\"ffffffffffffffff-ffffffff\"")
        #expect(longest.utf8.count == ObjectFields.entityTagSizeMax)
    }

    @Test func `keep browsers from running what was uploaded`() {
        let fields = ObjectFields(length: 1, sequence: 1, checksum: 1, modifiedSeconds: 0)
        let plain = text { fields.append(to: &$0, mediaType: "image/png".utf8.span) }
        #expect(plain.contains("Content-Type: image/png\r\n"))
        #expect(plain.contains("Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
        #expect(plain.contains("Accept-Ranges: bytes\r\n"))
        #expect(plain.contains("X-Content-Type-Options: nosniff\r\n"))
        #expect(!plain.contains("Content-Disposition"))
        for type in ["text/html", "image/svg+xml", "text/html; charset=utf-8"] {
            let active = text { fields.append(to: &$0, mediaType: type.utf8.span) }
            #expect(active.contains("Content-Disposition: attachment\r\n"), "\(type)")
            #expect(active.contains("Content-Security-Policy: sandbox; default-src 'none'\r\n"))
        }
    }

    @Test func `fit into the room that is kept for them`() {
        let fields = ObjectFields(
            length: .max, sequence: .max, checksum: .max, modifiedSeconds: 253_402_300_799)
        let type = "text/html; " + String(repeating: "x", count: 117)
        let active = text { fields.append(to: &$0, mediaType: type.utf8.span) }
        #expect(active.utf8.count <= ObjectFields.sizeMax + type.utf8.count)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 18_446_744_073_709_551_615] as [UInt64])
    func `know the size of their length line`(length: UInt64) {
        let line = text { $0.appendField("Content-Length", decimal: length) }
        #expect(ObjectFields.lengthLineCount(length) == line.utf8.count)
    }
}

@Suite struct `A selection` {
    @Test func `has a status and bytes`() {
        #expect(Selection.whole.bodyRange(of: 10) == 0...9)
        #expect(Selection.whole.bodyRange(of: 0) == nil)
        #expect(Selection.part(3...4).bodyRange(of: 10) == 3...4)
        for empty in [Selection.notModified, .preconditionFailed, .unsatisfiable] {
            #expect(empty.bodyRange(of: 10) == nil)
        }
        let all: [Selection] = [
            .whole, .part(0...0), .notModified, .preconditionFailed, .unsatisfiable,
        ]
        #expect(all.map(\.status.rawValue) == [200, 206, 304, 412, 416])
    }
}

@Suite struct `A listing` {
    private func parse(_ query: String) throws -> ListingRequest {
        try ListingRequest(
            makeRequest("GET /admin/objects\(query) HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    @Test func `is asked for with prefix, after and limit`() throws {
        let plain = try parse("")
        #expect(plain.prefix.isEmpty)
        #expect(plain.after == nil)
        #expect(plain.limit == 100)
        let full = try parse("?limit=7&prefix=a%2Fb+c&after=%C3%A4")
        #expect(full.prefix == Array("a/b c".utf8))
        #expect(full.after == Array("ä".utf8))
        #expect(full.limit == 7)
        #expect(try parse("?limit=1000").limit == 1000)
    }

    @Test(arguments: [
        "?limit=0", "?limit=1001", "?limit=", "?limit=x", "?limit=1&limit=1", "?x=1",
        "?prefix=%zz", "?Limit=1",
    ])
    func `is refused for anything else`(query: String) throws {
        do {
            _ = try parse(query)
            Issue.record("\(query) was taken")
        } catch let answer as Answer {
            #expect(answer.status == .badRequest)
        }
    }

    @Test func `of nothing is an empty document`() throws {
        let document = String(
            decoding: ListingDocument.json([], isLast: true).bytes, as: UTF8.self)
        #expect(document == "{\"objects\":[],\"next\":null}\n")
    }
}

@Suite struct `The prepared head` {
    @Test func `is renewed once a second`() {
        var clock = ResponseClock()
        #expect(clock.okHead.isEmpty)
        clock.refresh(0)
        #expect(
            String(decoding: clock.okHead, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
        clock.refresh(1_000_000_000)
        #expect(
            String(decoding: clock.okHead, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\n")
        #expect(clock.seconds == 1_000_000_000)
    }
}

extension CoreSnapshot {
    /// Of a core that has counted this.
    static func example(
        core: Int, _ counters: Counters, _ store: StoreStatistics = StoreStatistics()
    ) -> CoreSnapshot {
        CoreSnapshot(
            core: core, turns: 8, completions: 20, counters: counters, connections: 3,
            cacheBytesUsed: 1, cacheBytesTotal: 2, cacheObjects: 3, poolBytesFree: 4,
            poolBytesTotal: 5, poolQueue: 6, bufferWaits: LatencyHistogram(),
            buffers: BufferSelector(BufferLimits(), downloadBytesMin: 64 << 10, poolBytes: 5),
            lentBytes: 8, store: store, isShedding: core == 1)
    }
}

@Suite struct `The metrics page` {
    private func snapshot(core: Int) -> CoreSnapshot {
        var counters = Counters()
        counters.downloads = 7
        for status in [100, 200, 206, 304, 404, 503] as [UInt16] { counters.answered(status) }
        return .example(core: core, counters)
    }

    @Test func `has every sample under its own head, for each core`() {
        let page = MetricsDocument.text([snapshot(core: 0), snapshot(core: 1)], nil)
        #expect(page.hasSuffix("\n"))
        var (current, kind) = ("", "")
        var names: Set<String> = []
        for line in page.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                current = String(words[2])
                #expect(names.insert(current).inserted, "\(current) appears twice")
                #expect(words.count > 3)
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == current)
                kind = String(words[3])
                let isCounter = current.hasSuffix("_total")
                #expect(isCounter == (kind == "counter"), "\(current)")
                #expect(["counter", "gauge", "histogram"].contains(kind), "\(current)")
            } else {
                let name = line.prefix { $0 != "{" }
                let ends = kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                #expect(ends.contains { name == current + $0 }, "\(line)")
                #expect(words.count == 2)
                // What is known of links is added up, and may be a mean.
                let labels = line.dropFirst(name.count)
                let isLinks = ["_link_", "_network_"].contains { name.contains($0) }
                #expect(labels.hasPrefix("{core=\"") || isLinks && labels.hasPrefix("{"), "\(line)")
                #expect(Double(words[1]).map { $0 >= 0 } == true, "\(line)")
            }
        }
        #expect(page.contains("millrace_downloads_total{core=\"1\"} 7\n"))
        let best = "millrace_optimal_buffer_size_bytes"
        #expect(page.contains("\(best){core=\"1\",path=\"upload\"} 1048576\n"))
        // 4 of 5 bytes are free.
        #expect(page.contains("millrace_buffer_utilization_ratio{core=\"0\"} 0.2\n"))
        #expect(page.contains("millrace_admission_shedding{core=\"0\"} 0\n"))
        #expect(page.contains("millrace_admission_shedding{core=\"1\"} 1\n"))
        #expect(page.contains("millrace_connections{core=\"0\"} 3\n"))
        #expect(page.contains("millrace_turns_total{core=\"1\"} 8\n"))
        #expect(page.contains("millrace_completions_total{core=\"1\"} 20\n"))
        #expect(page.contains("millrace_zero_copy_lent_bytes{core=\"0\"} 8\n"))
        #expect(page.contains("millrace_responses_total{core=\"0\",class=\"2xx\"} 2\n"))
        #expect(page.contains("millrace_responses_total{core=\"0\",class=\"5xx\"} 1\n"))
    }

    @Test func `has what the store says once for the process`() {
        let store = StoreSnapshot(
            small: VolumeSpace(totalBytes: 1 << 26, freeBytes: 5),
            large: VolumeSpace(totalBytes: 1 << 40, freeBytes: 6), capacityBytes: 1 << 50,
            failedVolumes: 2, unindexedChanges: 3, bytesReserved: 7, unfinishedUploads: 8,
            unfinishedBytes: 9, clientProfiles: 10, clientProfilesUnsaved: 11)
        let page = MetricsDocument.text([snapshot(core: 0), snapshot(core: 1)], store)
        let before = MetricsDocument.text([snapshot(core: 0), snapshot(core: 1)], nil)
        #expect(page.hasPrefix(before))
        let lines = page.dropFirst(before.count).split(separator: "\n")
        let samples = lines.filter { !$0.hasPrefix("#") }
        #expect(
            samples == [
                "millrace_volume_bytes{class=\"small\"} 67108864",
                "millrace_volume_bytes{class=\"large\"} 1099511627776",
                "millrace_volume_free_bytes{class=\"small\"} 5",
                "millrace_volume_free_bytes{class=\"large\"} 6",
                "millrace_volume_capacity_bytes 1125899906842624",
                "millrace_failed_volumes 2", "millrace_unindexed_changes 3",
                "millrace_reserved_bytes 7", "millrace_unfinished_uploads 8",
                "millrace_unfinished_upload_bytes 9", "millrace_client_profiles 10",
                "millrace_client_profiles_unsaved 11", "millrace_client_profiles_dropped_total 0",
                "millrace_client_profile_save_errors_total 0",
            ])
        for sample in samples {
            let name = sample.prefix { $0 != " " && $0 != "{" }
            let kind = name.hasSuffix("_total") ? "counter" : "gauge"
            #expect(lines.count { $0 == "# TYPE \(name) \(kind)" } == 1)
            #expect(lines.count { $0.hasPrefix("# HELP \(name) ") } == 1)
        }
    }
}

@Suite struct `Holding back` {
    /// 100 bytes may be on their way, an answer takes 10.
    private var front: Backpressure {
        Backpressure(bytesTotal: 1000, bytesUnderway: 100, answerBytes: 10)
    }

    @Test func `begins where clients' bytes fill half, and ends well below`() {
        var front = front
        let steps: [(kept: Int, holdsBack: Bool)] = [
            (0, false), (500, false), (501, true), (500, true), (376, true), (375, false),
            (500, false),
        ]
        for step in steps {
            front.update(bytesKept: step.kept, bytesFree: 1000 - step.kept, handlerCount: 1)
            #expect(front.holdsBack == step.holdsBack, "\(step.kept) kept")
        }
    }

    @Test func `keeps room for what is underway and an answer of each handler`() {
        var front = front
        #expect(front.reserve(handlerCount: 10) == 200)
        let steps: [(free: Int, holdsBack: Bool)] = [
            (200, false), (199, true), (200, true), (249, true), (250, false), (200, false),
        ]
        for step in steps {
            front.update(bytesKept: 0, bytesFree: step.free, handlerCount: 10)
            #expect(front.holdsBack == step.holdsBack, "\(step.free) free")
        }
    }

    @Test func `ends with the last handler, for nobody else would bring room back`() {
        var front = front
        front.update(bytesKept: 900, bytesFree: 0, handlerCount: 1)
        #expect(front.holdsBack)
        front.update(bytesKept: 900, bytesFree: 0, handlerCount: 0)
        #expect(!front.holdsBack)
    }
}
