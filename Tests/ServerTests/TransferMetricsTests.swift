// Goal:   every transfer is on the page with how long it took and how fast it was, once; hits of
//         the hot cache, which count nothing of it, are there all the same.
// Method: the front and the store on a kernel that the test plays, time included (StoredBed).

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Server

private let millisecond: UInt64 = 1_000_000
private let bearer = "Authorization: Bearer admin\r\n"

@Suite struct `A transfer` {
    private func run(_ body: (StoredBed) throws -> Void) throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        var settings = StoredBed.settings
        settings.uploadSecondsToLive = 3600
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            for size in [1, 100_000] { try bed.put("first-\(size)", noise(size, seed: 0)) }
            bed.front.pass(seconds: 3)
            bed.front.on { $0.counters = Counters() }
            bed.front.diskTime = { operation in
                switch operation {
                case .write: 3 * millisecond
                case .sync: 5 * millisecond
                case .read: 2 * millisecond
                default: 0
                }
            }
            try body(bed)
            bed.front.pass(seconds: 3)
        }
    }

    private func counts(_ bed: StoredBed) -> TransferCounts {
        bed.front.on { $0.counters.transfers }
    }

    private func page(_ bed: StoredBed) -> String {
        let snapshot = bed.front.on { $0.snapshot() }
        return MetricsDocument.transferText([snapshot])
    }

    @Test func `of a small upload has a time and no rate`() throws {
        try run { bed in
            try bed.put("a", noise(3000, seed: 1))
            var expected = TransferCounts()
            expected.uploaded(3000, nanoseconds: 8 * millisecond)
            #expect(counts(bed) == expected)
            #expect(expected.uploadRates == MagnitudeHistogram(leastBound: 16 << 10))
            let name = "millrace_upload_latency_seconds"
            #expect(page(bed).contains("\(name)_bucket{core=\"0\",le=\"0.008192\"} 1\n"))
            #expect(page(bed).contains("\(name)_sum{core=\"0\"} 0.008\n"))
        }
    }

    @Test func `of a large upload has both`() throws {
        try run { bed in
            try bed.put("a", noise(200_000, seed: 1))
            // The body's write, a flush, the record's, a flush.
            var expected = TransferCounts()
            expected.uploaded(200_000, nanoseconds: 16 * millisecond)
            #expect(counts(bed) == expected)
            let name = "millrace_upload_throughput_bytes_per_second"
            #expect(page(bed).contains("\(name)_bucket{core=\"0\",le=\"4194304\"} 0\n"))
            #expect(page(bed).contains("\(name)_bucket{core=\"0\",le=\"16777216\"} 1\n"))
            #expect(page(bed).contains("\(name)_sum{core=\"0\"} 12500000\n"))
        }
    }

    @Test func `that fails has none, and counts as an error`() throws {
        try run { bed in
            let client = bed.front.connect()
            client.send(try bed.signed("a", 3000))
            client.endSending()
            bed.front.settle()
            #expect(client.statuses == [408])
            #expect(counts(bed) == TransferCounts())
            #expect(bed.front.on { $0.counters.uploadErrors } == 1)
        }
    }

    @Test func `in chunks is counted by chunk, with its size`() throws {
        try run { bed in
            let create =
                "POST /files HTTP/1.1\r\nHost: h\r\n\(bearer)Tus-Resumable: 1.0.0\r\n"
                + "Upload-Length: 100000\r\nContent-Length: 0\r\n\r\n"
            let location = bed.exchange(create).answer?.field("location") ?? ""
            for (start, count) in [(0, 70_000), (70_000, 30_000)] {
                let append =
                    "PATCH \(location) HTTP/1.1\r\nHost: h\r\n\(bearer)"
                    + "Tus-Resumable: 1.0.0\r\nUpload-Offset: \(start)\r\n"
                    + "Content-Type: application/offset+octet-stream\r\n"
                    + "Content-Length: \(count)\r\n\r\n"
                let answer = bed.exchange(append, noise(count, seed: 1)).answer
                #expect(answer?.status == 204)
            }
            let name = "millrace_chunk_upload_size_bytes"
            let page = page(bed)
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"16384\"} 0\n"))
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"65536\"} 1\n"))
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"262144\"} 2\n"))
            #expect(page.contains("\(name)_sum{core=\"0\"} 100000\n"))
            #expect(page.contains("millrace_upload_latency_seconds_count{core=\"0\"} 2\n"))
        }
    }

    @Test func `of a form is one upload`() throws {
        try run { bed in
            let body =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
                + "\r\n12345\r\n--b--\r\n"
            let answer = bed.exchange(
                "POST /upload HTTP/1.1\r\nHost: h\r\n\(bearer)"
                    + "Content-Type: multipart/form-data; boundary=b\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n", Array(body.utf8)
            ).answer
            #expect(answer?.status == 200)
            #expect(
                page(bed).contains("millrace_upload_latency_seconds_count{core=\"0\"} 1\n"))
        }
    }

    @Test func `down is counted when its last byte is with the client, hits at once`() throws {
        try run { bed in
            try bed.put("small", noise(3000, seed: 1))
            try bed.put("large", noise(200_000, seed: 2))
            bed.get("small")
            for _ in 0..<5 { bed.get("small") }
            let slow = bed.front.connect()
            slow.holdsSends = true
            slow.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            let before = counts(bed)
            bed.front.pass(seconds: 1)
            #expect(counts(bed) == before)
            bed.front.resume(slow)
            slow.endSending()
            bed.front.settle()
            let name = "millrace_download_latency_seconds"
            let page = page(bed)
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"0.000008\"} 5\n"))
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"0.002048\"} 6\n"))
            #expect(page.contains("\(name)_bucket{core=\"0\",le=\"0.524288\"} 6\n"))
            #expect(page.contains("\(name)_count{core=\"0\"} 7\n"))
            let rates = "millrace_download_throughput_bytes_per_second"
            #expect(page.contains("\(rates)_bucket{core=\"0\",le=\"262144\"} 1\n"))
            #expect(page.contains("\(rates)_count{core=\"0\"} 1\n"))
        }
    }

    @Test func `whose client goes is none`() throws {
        try run { bed in
            try bed.put("large", noise(200_000, seed: 2))
            let client = bed.front.connect()
            client.holdsSends = true
            client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            let before = counts(bed)
            bed.front.reset(client)
            #expect(counts(bed) == before)
        }
    }

    @Test func `of a part is one only if its range means something`() throws {
        try run { bed in
            try bed.put("small", noise(3000, seed: 1))
            let ranges = [
                ("bytes=0-9", 206), ("bytes=9-0", 200), ("lines=1-2", 200), ("bytes=9999-", 416),
            ]
            for (range, status) in ranges + ranges {
                let answer = bed.exchange(
                    "GET /small HTTP/1.1\r\nHost: h\r\nRange: \(range)\r\n\r\n"
                ).answer
                #expect(answer?.status == status)
            }
            // Cold the first, hot the others.
            #expect(bed.front.on { $0.counters.rangeRequests } == 4)
        }
    }

    @Test func `has a rate where there is one`() {
        let cases: [(bytes: UInt64, nanoseconds: UInt64, rate: UInt64?)] = [
            (0, 1, nil), ((64 << 10) - 1, 1_000_000_000, nil), (64 << 10, 0, nil),
            (64 << 10, 1_000_000_000, 64 << 10), (15 << 30, 1, 16_106_127_360_000_000_000),
            (1 << 20, 3_600_000_000_000, 291),
        ]
        for (bytes, nanoseconds, rate) in cases {
            #expect(TransferCounts.rate(bytes, nanoseconds) == rate)
        }
    }
}
