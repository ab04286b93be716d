// Goal:   Millrace is set against itself in rows that there are, one part off at a time, and the
//         result says which.

import BenchMeasure
import Foundation
import Testing

/// How often one part follows another.
private func changes(of rows: [Row]) -> Int {
    let parts = rows.compactMap(\.ablation?.name)
    return zip(parts, parts.dropFirst()).count { $0 != $1 }
}

@Suite struct `Ablations` {
    @Test func `have names of their own, a switch each, and rows that there are`() {
        let ablations = AblationTable.allCases.flatMap(\.ablations)
        #expect(Set(ablations.map(\.name)).count == ablations.count)
        for ablation in ablations {
            #expect(!ablation.configuration.isEmpty || ablation.lockedMemoryMax != nil)
            #expect(!ablation.rowNames.isEmpty)
            for name in ablation.rowNames {
                #expect(Row.all.contains { $0.name == name }, "\(name)")
            }
            // The bench writes these sections itself; TOML takes each once.
            for line in ablation.configuration {
                let section = line.prefix { $0 != "." }
                #expect(!["metrics", "security", "uploads", "limits"].contains(section))
                #expect(line.contains(" = "))
            }
            // The bench writes this key for both sides then.
            let keys = ablation.configuration.map { $0.prefix { $0 != " " } }
            #expect(ablation.bufferBytes == nil || !keys.contains("downloads.verify"))
        }
    }

    @Test func `make a row of each part and each of its rows, for Millrace alone`() throws {
        let options = try Options(["--ablation"])
        #expect(options.sides == [.millrace, .reduced])
        #expect(options.rows.count == Ablation.all.map(\.rowNames.count).reduce(0, +))
        #expect(Set(options.rows.map(\.name)).count == options.rows.count)
        for row in options.rows {
            #expect(Side.allCases.filter(row.takes) == [.millrace, .reduced])
            #expect(row.goals.isEmpty && row.ablation != nil)
        }
        // One server without a part runs at a time: its rows stand together.
        #expect(changes(of: options.rows) == Ablation.all.count - 1)
        #expect(!options.readsDisk)
        #expect(Row.all.allSatisfy { !$0.takes(.reduced) && $0.ablation == nil })
    }

    @Test func `take of the rows named those that they have`() throws {
        let options = try Options(["--rows", "get-1k,get-64k", "--ablation"])
        #expect(
            options.rows.map(\.name) == ["get-1k-without-hot-cache", "get-1k-without-links"])
        #expect(options.rows[0].title.hasSuffix(", without hot-cache"))
    }

    @Test func `take of the parts named those that there are`() throws {
        let options = try Options(["--rows", "put-1g,put-4k", "--without", "links", "--ablation"])
        #expect(options.rows.map(\.name) == ["put-1g-without-links"])
        let two = try Options(["--ablation", "--without", "flush,hot-cache"])
        #expect(Set(two.rows.compactMap { $0.ablation?.name }) == ["flush", "hot-cache"])
        for words in [
            ["--ablation", "--without", "wings"], ["--buffers", "--without", "links"],
            ["--without", "links"], ["--ablation", "--without", "links", "--rows", "get-16k"],
        ] {
            #expect(throws: Options.Mistake.self, "\(words)") { try Options(words) }
        }
    }

    @Test func `give up the right to lock memory only where there is one`() throws {
        let ablation = try #require(Ablation.all.first { $0.lockedMemoryMax != nil })
        #expect(ablation.prefix(isRoot: false) == ["prlimit", "--memlock=1048576:1048576"])
        #expect(ablation.prefix(isRoot: true).contains("--bounding-set=-ipc_lock"))
        let other = try #require(Ablation.all.first { $0.lockedMemoryMax == nil })
        #expect(other.prefix(isRoot: true).isEmpty)
    }

    @Test func `are compared in the result, which says what was missing`() throws {
        let row = try #require(try Options(["--ablation"]).rows.first)
        let samples = (0..<3).flatMap { pair in
            [(Side.millrace, 1.0), (.reduced, 4)].map { side, cpu in
                var sample = Sample(
                    unit: row.unit, side: side, pair: pair, objectCount: 10, byteCount: 10_240,
                    seconds: 1)
                sample.serverCPU = cpu
                return sample
            }
        }
        let result = RowResult(row: row, bytesPerObject: 1_024, samples: samples, seed: 1)
        #expect(result.ratio(.cpu, to: .reduced)?.ratio.median == 0.25)
        let json = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
        #expect(json.contains("\"without\":\"hot-cache\""))
    }
}

@Suite struct `Buffers of one size` {
    private func samples(_ row: Row, fixedCPU: Double) -> [Sample] {
        (0..<3).flatMap { pair in
            [(Side.millrace, 0.42), (.reduced, fixedCPU)].map { side, cpu in
                var sample = Sample(
                    unit: row.unit, side: side, pair: pair, objectCount: 1_000,
                    byteCount: 1_000_000_000, seconds: 1)
                (sample.serverCPU, sample.serverCPUInRound) = (cpu, cpu)
                (sample.serverCPUByThreads, sample.serverCPUByTicks) = (cpu, cpu)
                return sample
            }
        }
    }

    @Test func `are beside adaptive ones in every row that leases them`() throws {
        let options = try Options(["--buffers"])
        #expect(options.sides == [.millrace, .reduced])
        let sizes = Ablation.buffers.compactMap(\.bufferBytes)
        #expect(sizes.map { $0 >> 10 } == [32, 64, 128, 256, 512, 1024])
        for size in sizes {
            let names = options.rows.filter { $0.ablation?.bufferBytes == size }.map(\.name)
            // A download's buffer holds what one checksum covers.
            let gets = size < 64 << 10 ? [] : ["get-1g", "get-1g-16c"]
            let bases = gets + ["put-1m", "put-1g", "put-1g-4c"]
            let part = try #require(Ablation.buffers.first { $0.bufferBytes == size }).name
            #expect(names == bases.map { "\($0)-without-\(part)" })
        }
        #expect(changes(of: options.rows) == sizes.count - 1)
        for row in options.rows {
            #expect(Side.allCases.filter(row.takes) == [.millrace, .reduced])
            #expect(row.unit == .gigabyte)
        }
    }

    @Test func `are what users would configure`() throws {
        let row = try #require(try Options(["--buffers", "--rows", "put-1g"]).rows.last)
        #expect(row.name == "put-1g-without-adaptive-buffers-1MiB")
        #expect(
            row.ablation?.configuration == [
                "performance.adaptive_buffers = false",
                "performance.min_buffer_size = \"1MiB\"",
                "performance.max_buffer_size = \"1MiB\"",
            ])
    }

    @Test func `may cost a twentieth less than adaptive ones, not more than that`() throws {
        let row = try #require(try Options(["--buffers", "--rows", "get-1g"]).rows.first)
        for (cpu, verdict) in [(0.41, Verdict.met), (0.39, .notMet)] {
            let result = RowResult(
                row: row, bytesPerObject: 1 << 20, samples: samples(row, fixedCPU: cpu), seed: 1)
            let ratio = try #require(result.ratio(.cpu, to: .reduced))
            #expect(ratio.goal == .atMost(1.05) && ratio.verdict == verdict)
            #expect(result.ratio(.throughput, to: .reduced)?.goal == nil)
            let text = RunText.tables(of: [result]).joined()
            #expect(text.contains("≤ 1.05") && text.contains("| \(verdict.rawValue) "))
            let json = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
            #expect(json.contains("\"bufferBytes\":65536"))
        }
    }

    @Test func `are leased for downloads that are read from the disk, and the run says so`() throws
    {
        let options = try Options(["--buffers", "--rows", "get-1g"])
        let row = try #require(options.rows.first)
        #expect(options.readsDisk && !row.isCached)
        #expect(
            row.title
                == "GET large, read from the disk, 1 connection, without adaptive-buffers-64KiB")
        var environment = Environment()
        #expect(!environment.lines.joined().contains(Ablation.readingDisk))
        environment.readsDisk = true
        #expect(environment.lines.joined().contains(Ablation.readingDisk))
        // Who waits for a disk leaves its CPU idle, and that is no fault of the client.
        let result = RowResult(
            row: row, bytesPerObject: 1 << 20, samples: samples(row, fixedCPU: 0.41), seed: 1)
        #expect(Warnings.of([result]).isEmpty)
    }

    @Test func `leave with their objects before the next, unless objects are kept`() throws {
        let once = try Options(["--buffers", "--rows", "put-1m"])
        let kept = try Options(["--buffers", "--rows", "put-1m", "--keep"])
        // A server's 16 rounds of 128 MiB.
        let more = kept.bytesNeeded - once.bytesNeeded
        #expect(more >> 30 == 2 * (Ablation.buffers.count - 1))
    }
}
