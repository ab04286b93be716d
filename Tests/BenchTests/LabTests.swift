// Goal:   the lab does what its command line says, its client reads advice and answers rightly,
//         and its tables compare uploads that met the same failures.
// Method: made-up options, answers and uploads.

import BenchMeasure
import Testing

@testable import BenchNetwork

private func parsed(_ text: String, body: String = "") throws -> LabAnswer {
    let head = try #require(try ResponseHead.read(text.utf8.span))
    return LabAnswer(head, text, body: Array(body.utf8))
}

@Suite struct `Options of the lab` {
    @Test func `are everything by default`() throws {
        let options = try LabOptions([])
        #expect(options.links == LabLink.chunks && options.ways == [.tus, .numbered])
        #expect(options.variants == LabVariant.allCases && options.rounds == 3)
        #expect(options.directory == "perf/runs")
    }

    @Test func `choose, in their own order`() throws {
        let options = try LabOptions([
            "--links", "mobile,dsl", "--ways", "numbered", "--algorithms", "unadvised,fixed",
            "--rounds", "7", "--visits", "2", "--output", "out", "--data", "d", "--millrace", "m",
            "--server-cpu", "1", "--client-cpu", "0",
        ])
        #expect(options.links.map(\.name) == ["dsl", "mobile"])
        #expect(options.ways == [.numbered] && options.variants == [.fixed, .unadvised])
        #expect(options.rounds == 7 && options.visits == 2 && options.directory == "out")
        #expect(options.data == "d" && options.millrace == "m")
        #expect(options.serverCPU == 1 && options.clientCPU == 0)
    }

    @Test func `choose a part, and links of that`() throws {
        let tuning = try LabOptions(["--links", "mobile-lossy,fibre", "--part", "tuning"])
        #expect(tuning.part == .tuning && tuning.links.map(\.name) == ["fibre", "mobile-lossy"])
        #expect(tuning.directory == nil)
        let parallel = try LabOptions(["--part", "parallel"])
        #expect(parallel.links == LabLink.parallel && parallel.directory == "perf/runs")
        #expect(Set(LabPart.allCases.map(\.suffix)).count == 3)
    }

    @Test func `that are half a run or a look write no file`() throws {
        for words in [
            ["--quick"], ["--links", "dsl"], ["--ways", "tus"], ["--algorithms", "fixed"],
        ] {
            #expect(try LabOptions(words).directory == nil, "\(words)")
        }
        let quick = try LabOptions(["--rounds", "2", "--quick"])
        #expect(quick.rounds == 2 && quick.visits == 2)
        #expect(try LabOptions(["--help"]).wantsHelp)
    }

    @Test(arguments: [
        ["--links", "moon"], ["--links", ","], ["--links"], ["--ways", "udp"], ["--rounds", "0"],
        ["--visits", "x"], ["--algorithms", "fixed,best"], ["--speed", "1"],
        ["--part", "all"], ["--part", "tuning", "--links", "dsl"], ["--links", "lan"],
        ["--part", "tuning", "--ways", "tus"], ["--part", "parallel", "--algorithms", "fixed"],
    ])
    func `that nobody knows are refused`(_ words: [String]) {
        #expect(throws: Options.Mistake.self) { try LabOptions(words) }
    }

    @Test func `turn into the server's configuration`() {
        #expect(
            LabVariant.predictive.configuration
                == "performance.chunk_adaptation_algorithm = \"predictive\"\n")
        #expect(
            LabVariant.unadvised.configuration == "performance.intelligent_chunking = false\n")
        let lines = TuningVariant.allCases.map { $0.configuration.split(separator: "\n") }
        #expect(lines[0].contains("streaming.pacing = false"))
        #expect(lines[0].contains("streaming.congestion_control = \"system\""))
        #expect(lines[1].contains("streaming.pacing = true"))
        #expect(lines[2].contains("streaming.congestion_control = \"adaptive\""))
        #expect(lines[3].contains("streaming.pacing = true") && Set(lines).count == 4)
    }
}

@Suite struct `Links of the lab` {
    @Test func `have names of their own and take seconds, not minutes`() {
        for part in LabPart.allCases {
            #expect(Set(part.links.map(\.name)).count == part.links.count)
        }
        for link in LabPart.allCases.flatMap(\.links) where link.character.lossShare == 0 {
            let seconds = Double(link.fileBytes) * 8 / 1e6 / link.character.megabitsPerSecond
            #expect(seconds > 1.9 && seconds < 15, "\(link.name): \(seconds) s")
        }
    }

    @Test func `have a buffer of their own length, and say what they are`() {
        let far = LinkCharacter(
            megabitsPerSecond: 20, roundTripMilliseconds: 200, jitterMilliseconds: 2.5,
            secondsBetweenCuts: 10, secondsBetweenOutages: 5, outageSeconds: 0.7)
        #expect(far.bufferBytes == 500_000)
        #expect(
            far.words == "20 Mbit/s, 200 ms, jitter 2.5 ms, a cut every 10 s, out for 0.7 s every"
                + " 5 s")
        let near = LinkCharacter(megabitsPerSecond: 8, roundTripMilliseconds: 4)
        #expect(near.bufferBytes == 64 << 10 && near.words == "8 Mbit/s, 4 ms")
        let lossy = LinkCharacter(
            megabitsPerSecond: 8, roundTripMilliseconds: 4, lossShare: 0.005)
        #expect(lossy.words == "8 Mbit/s, 4 ms, 0.5 % lost")
    }
}

@Suite struct `An answer to the lab's client` {
    @Test func `has advice, an offset and a length of chunks`() throws {
        let answer = try parsed(
            "HTTP/1.1 204 X\r\nMILLRACE-chunk:  65536;parallel=4\r\nUpload-Offset: 12\r\n\r\n")
        #expect(answer.advisedBytes == 65536 && answer.offset == 12 && answer.status == 204)
        let created = try parsed(
            "HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n", body: "{\"chunk_size\": 4096,\"x\":1}")
        #expect(ChunkingClient.chunkSize(created) == 4096)
    }

    @Test(arguments: ["", "Millrace-Chunk: 0\r\n", "Millrace-Chunk: many\r\n"])
    func `without advice has none`(_ field: String) throws {
        let answer = try parsed("HTTP/1.1 204 X\r\n\(field)\r\n")
        #expect(answer.advisedBytes == nil && answer.offset == nil)
        #expect(ChunkingClient.chunkSize(answer) == nil)
    }
}

@Suite struct `A run of the lab` {
    private func upload(_ visit: Int, _ seconds: Double, chunks: [Int]) -> LabUpload {
        var outcome = UploadOutcome()
        (outcome.failures, outcome.chunkBytes) = (2, chunks)
        var counts = LineCounts()
        counts.clientBytes = UInt64(LabLink.chunks[0].fileBytes) * 3 / 2
        return LabUpload(round: 0, visit: visit, seconds: seconds, counts, outcome)
    }

    @Test func `compares later visits with those to the fixed tiers`() {
        let link = LabLink.chunks[0]
        var run = LabRun(facts: ["commit: abc"])
        for (variant, factor) in [(LabVariant.fixed, 1.0), (.adaptive, 0.5)] {
            run.add(upload(0, 9, chunks: [1 << 20, 5]), link, .tus, variant)
            run.add(upload(1, 8 * factor, chunks: [2 << 20, 5]), link, .tus, variant)
            run.add(upload(2, 4 * factor, chunks: [2 << 20, 5]), link, .tus, variant)
        }
        #expect(run.rows.count == 2 && run.rows[1].uploads.count == 3)
        let text = run.markdown
        #expect(text.contains("- commit: abc\n") && text.contains("## dsl, tus"))
        let line = text.split(separator: "\n").first { $0.hasPrefix("| adaptive") } ?? ""
        let cells = line.split(separator: "|").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(
            cells == [
                "adaptive", "9.00 [9.00–9.00]", "3.00 [2.00–4.00]", "0.50 [0.50–0.50]", "6",
                "1.500", "1024 [1024–1024]", "2048 [2048–2048]",
            ])
        #expect(!text.contains("## cable"), "what was not run is not shown")
    }
}
