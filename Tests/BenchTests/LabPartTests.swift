// Goal:   chunks go side by side, each once; downloads are what was uploaded; the kernel's counts
//         are read; and tables compare what met the same link.
// Method: a server that answers by a script; made-up counts and transfers.

import Testing

@testable import BenchNetwork

private let created = "HTTP/1.1 201 X\r\nLocation: /files/abc\r\nContent-Length: 36\r\n\r\n"
private let plan = "{\"chunk_size\":10,\"parallel_chunks\":3}"
private let taken = "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"

/// The cells of the row that begins with that word.
private func cells(_ text: String, _ first: String) -> [String] {
    let line = text.split(separator: "\n").first { $0.hasPrefix("| \(first) ") } ?? ""
    return line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
}

@Suite struct `Chunks side by side` {
    private let body = (0..<25).map { UInt8($0) }

    @Test(arguments: [1, 2, 3, 8])
    func `are sent once each, over as many connections as it is told`(_ count: Int) throws {
        let server = try ScriptedServer(
            [.answer(created + plan)] + Array(repeating: .answer(taken), count: 3))
        defer { server.end() }
        let client = ParallelClient(body, to: server.address, from: nil)
        let outcome = try client.upload(over: count == 3 ? nil : count)
        #expect(outcome.connections == count && outcome.advised == 3)
        #expect(outcome.chunkBytes == 10 && outcome.path == "/files/abc" && outcome.seconds > 0)
        let chunks = server.requests.dropFirst()
        #expect(chunks.count == 3 && chunks.allSatisfy { $0.head.contains("Session-ID: abc\r\n") })
        for number in 0..<3 {
            let sent = chunks.filter { $0.head.contains("X-Chunk-Number: \(number)\r\n") }
            #expect(sent.map(\.body) == [Array(body[number * 10..<min(25, number * 10 + 10)])])
        }
    }

    @Test func `end with the first that is refused`() throws {
        let refusal = "HTTP/1.1 507 X\r\nContent-Length: 0\r\n\r\n"
        let server = try ScriptedServer([
            .answer(created + plan), .answer(taken), .answer(refusal),
        ])
        defer { server.end() }
        let client = ParallelClient(body, to: server.address, from: nil)
        #expect(throws: LabFailure.refused(507, of: "chunk 1", "")) {
            try client.upload(over: 1)
        }
        #expect(server.stepsLeft == 0)
    }

    @Test func `need a plan`() throws {
        let without = "HTTP/1.1 201 X\r\nLocation: /files/abc\r\nContent-Length: 2\r\n\r\n{}"
        let server = try ScriptedServer([.answer(without)])
        defer { server.end() }
        let client = ParallelClient(body, to: server.address, from: nil)
        #expect(throws: LabFailure.refused(201, of: "POST /chunked-upload", "{}")) {
            try client.upload(over: nil)
        }
    }

    @Test func `are set against one connection in the same round`() {
        var run = ParallelRun(facts: ["commit: abc"])
        let link = LabLink.parallel[3]
        for round in 0..<2 {
            for (variant, connections) in [(ParallelVariant.one, 1), (.eight, 8)] {
                let seconds = Double((round + 1) * 8 / connections)
                run.add(
                    ParallelUpload(
                        round: round, seconds: seconds, connections: connections, advised: 2,
                        chunkBytes: 512 << 10), link, variant)
            }
        }
        let text = run.markdown
        #expect(text.contains("100 Mbit/s, 200 ms, 1 % lost; 4 MiB, chunks of 512 KiB at most."))
        #expect(
            cells(text, "eight") == [
                "eight", "8 [8–8]", "2 [2–2]", "512 [512–512]", "1.50 [1.00–2.00]",
                "0.13 [0.13–0.13]",
            ])
        #expect(cells(text, "one").last == "–" && cells(text, "advised").isEmpty)
    }
}

@Suite struct `A server that tunes` {
    @Test func `is measured by what the kernel counts`() throws {
        let text = """
            Ip: Forwarding OutSegs
            Ip: 1 2
            Tcp: RtoAlgorithm InSegs OutSegs RetransSegs InErrs
            Tcp: 1 50 1000 20 0
            Udp: OutSegs
            """
        let counts = try #require(SegmentCounts(text))
        #expect(counts.sent == 1000 && counts.sentAgain == 20)
        var later = counts
        later.sent += 5
        #expect(later.since(counts).sent == 5 && later.since(counts).sentAgain == 0)
        for wrong in [
            "", "Tcp: OutSegs\n", "Tcp: OutSegs RetransSegs\nTcp: 1\n",
            "Tcp: OutSegs\nTcp: 1\n", "Tcp: OutSegs RetransSegs\nTcp: x 1\n",
        ] {
            #expect(SegmentCounts(wrong) == nil, "\(wrong)")
        }
    }

    private func transfer(_ number: Int?, _ seconds: Double) throws -> TuningTransfer {
        var counts = try #require(
            SegmentCounts("Tcp: OutSegs RetransSegs\nTcp: 200 1\n"))
        if number == nil { counts.sentAgain = 100 }
        return TuningTransfer(
            round: 0, number: number, seconds: seconds, counts, probes: [1, 2, 3, 40])
    }

    @Test func `is set against one that does not, upload by upload, download by download`() throws {
        var run = TuningRun(facts: ["commit: abc"])
        let link = LabLink.tuning[0]
        for (variant, factor) in [(TuningVariant.system, 1.0), (.pacing, 0.5)] {
            let transfers = [
                try transfer(nil, 6 * factor), try transfer(0, 9), try transfer(1, 8 * factor),
                try transfer(2, 4 * factor),
            ]
            run.add(transfers, link, variant)
        }
        let text = run.markdown
        #expect(text.contains("- commit: abc\n") && text.contains("## fibre\n"))
        #expect(
            cells(text, "pacing") == [
                "pacing", "9.00 [9.00–9.00]", "3.00 [2.00–4.00]", "0.50 [0.50–0.50]", "0.50", "3",
                "40", "3.00 [3.00–3.00]", "0.50 [0.50–0.50]",
            ])
        #expect(!text.contains("## mobile"), "what was not run is not shown")
    }

    @Test func `must send what was uploaded`() throws {
        let good = "HTTP/1.1 200 X\r\nContent-Length: 3\r\n\r\nabc"
        for (answer, failure) in [
            (good, nil), (good.replacing("abc", with: "abd"), LabFailure.wrongBody),
            (
                "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n",
                .refused(404, of: "GET /x", "")
            ),
        ] as [(String, LabFailure?)] {
            // The probe's connection waits until this one has ended: it is served one by one.
            let server = try ScriptedServer([.answer(answer)])
            defer { server.end() }
            let line = try DownloadingClient(
                Array("abc".utf8), from: server.address, to: nil, isProbed: false)
            var seen: LabFailure?
            do throws(LabFailure) {
                let (seconds, probes) = try line.download("/x")
                #expect(seconds > 0 && probes.isEmpty)
            } catch { seen = error }
            #expect(seen == failure)
        }
    }
}
