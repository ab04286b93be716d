// Goal:   Millrace's engine and fio are asked for the same, and what they answer is set against
//         each other as it should.

import BenchMachine
import BenchMeasure
import Foundation
import IO
import Testing

@testable import BenchEngine

private func sample(_ side: EngineSide, _ pair: Int, cpu: Double, count: Int = 1_000)
    -> EngineSample
{
    EngineSample(
        side: side, pair: pair, requestCount: count, seconds: 0.5, cpu: cpu, cpuBeside: 0.2,
        otherUse: 0.1)
}

@Suite struct `The cells of the engine's bench` {
    @Test func `are each block size, direction and depth once`() {
        let names = EngineCell.all.map(\.name)
        #expect(names.count == 24 && Set(names).count == 24)
        #expect(names.first == "read-4k-qd1" && names.last == "write-1m-qd64")
        #expect(names.contains("write-64k-qd16"))
    }
}

@Suite struct `The options of fio` {
    @Test func `without arguments are a whole run, which is written down`() throws {
        let options = try EngineOptions([])
        #expect(options == EngineOptions())
        #expect(options.pairs >= 15 && options.directory == "perf/runs")
        #expect(EngineOptions.help.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `take every value`() throws {
        let options = try EngineOptions([
            "--cells", "write-4k", "--pairs", "9", "--seconds", "0.5", "--file", "256", "--fio",
            "f", "--data", "d", "--output", "o", "--cpu", "3", "--only", "fio", "--help",
        ])
        #expect(options.cells.map(\.depth) == [1, 4, 16, 64])
        #expect(options.pairs == 9 && options.seconds == 0.5 && options.fileBytes == 256 << 20)
        #expect(options.fio == "f" && options.data == "d" && options.cpu == 3)
        #expect(options.directory == "o" && options.wantsHelp && !options.isQuick)
        #expect(options.only == .fio)
    }

    @Test func `make a quick run smaller, and write down only what is whole`() throws {
        let quick = try EngineOptions(["--pairs", "2", "--quick"])
        #expect(quick.isQuick && quick.pairs == 2 && quick.fileBytes < 1 << 30)
        #expect(quick.directory == nil)
        #expect(try EngineOptions(["--cells", "qd1"]).directory == nil)
        #expect(try EngineOptions(["--only", "millrace"]).directory == nil)
    }

    @Test(arguments: [
        (["--cells", "read-9k"], "no cell is called read-9k"),
        (["--cells"], "--cells needs a value"), (["--speed", "1"], "there is no option --speed"),
        (["fast"], "what is fast?"), (["--file", "1"], "--file is a number from"),
        (["--seconds", "0"], "--seconds is a number of seconds"),
        (["--only", "dd"], "--only is millrace or fio, not dd"),
    ])
    func `name what is wrong`(arguments: [String], complaint: String) {
        let mistake = #expect(throws: Options.Mistake.self) { try EngineOptions(arguments) }
        #expect(mistake?.description.contains(complaint) == true)
    }
}

@Suite struct `A job for fio` {
    private func job(seconds: Double) -> FioJob {
        FioJob(
            cell: EngineCell(.write, blockBytes: 64 << 10, depth: 16), path: "/proc/1/fd/3",
            fileBytes: 1 << 30, seconds: seconds, seed: 7)
    }

    @Test func `asks for what the cell says, past the page cache, from fixed buffers`() {
        let arguments = job(seconds: 0.25).arguments
        for expected in [
            "--filename=/proc/1/fd/3", "--size=1073741824", "--rw=randwrite", "--bs=65536",
            "--iodepth=16", "--ioengine=io_uring", "--fixedbufs=1", "--registerfiles=1",
            "--direct=1", "--time_based=1", "--runtime=250ms", "--output-format=json",
        ] {
            #expect(arguments.contains(expected), "\(expected)")
        }
    }
}

@Suite struct `A report of fio` {
    private let done = #"{"total_ios": 500, "runtime": 250, "iops": 2000.0}"#
    private let nothing = #"{"total_ios": 0, "runtime": 0}"#

    private func text(error: Int = 0, read: String, write: String) -> String {
        "{\"fio version\": \"fio-3.33\", \"jobs\": [{\"jobname\": \"a\", \"error\": \(error),"
            + " \"usr_cpu\": 8.0, \"sys_cpu\": 4.0, \"job_runtime\": 300,"
            + " \"read\": \(read), \"write\": \(write)}]}\n"
    }

    @Test func `tells requests and time, whatever stands before it`() throws {
        let report = text(read: done, write: nothing)
        let plain = try #require(FioReport(report, .read))
        #expect(plain.requestCount == 500 && plain.seconds == 0.25)
        #expect(abs(plain.cpu - 0.036) < 1e-12)
        #expect(FioReport("note: {odd} things\n" + report, .read) == plain)
    }

    @Test func `of a job that failed, did nothing or the other thing is none`() {
        #expect(FioReport(text(error: 22, read: done, write: done), .read) == nil)
        #expect(FioReport(text(read: done, write: nothing), .write) == nil)
        #expect(FioReport("fio: engine not found\n", .read) == nil)
        #expect(FioReport("", .read) == nil)
        #expect(FioReport("}{", .read) == nil)
    }
}

@Suite struct `The result of a cell` {
    private let cell = EngineCell(.read, blockBytes: 4 << 10, depth: 4)

    @Test func `compares Millrace to fio, pair by pair`() throws {
        let samples = (0..<7).flatMap { pair in
            [
                sample(.fio, pair, cpu: 0.010 + Double(pair) / 1_000),
                sample(.millrace, pair, cpu: 0.009 + Double(pair) / 1_000, count: 1_000),
            ]
        }
        let row = EngineRow(cell, samples.reversed())
        let cpu = try #require(row.cpuRatio)
        #expect(abs(cpu.ratio.median - 12.0 / 13.0) < 1e-9)
        #expect(cpu.goal == .atMost(1.1) && cpu.verdict == .met)
        #expect(row.throughputRatio?.ratio.median == 1)
        #expect(row.throughputRatio?.goal == .atLeast(0.95))
        let theirs = try #require(row.figures(of: .fio))
        #expect(abs(theirs.cpuPerRequest.median - 1.3e-5) < 1e-12 && theirs.strangers == 0.1)
        #expect(row.figures(of: .millrace)?.throughput.median == 2_000)
    }

    @Test func `of one side alone compares nothing`() {
        let row = EngineRow(cell, [sample(.millrace, 0, cpu: 0.02)])
        #expect(row.cpuRatio == nil && row.throughputRatio == nil)
        #expect(row.figures(of: .millrace) != nil && row.figures(of: .fio) == nil)
    }

    @Test func `is a line a side and a line of ratios`() {
        var run = EngineRun(facts: ["fio: fio-3.33"])
        run.rows = [
            EngineRow(cell, [sample(.millrace, 0, cpu: 0.02), sample(.fio, 0, cpu: 0.01)])
        ]
        let lines = run.markdown.split(separator: "\n")
        #expect(lines.contains("- fio: fio-3.33"))
        #expect(lines.contains { $0.contains("| millrace | 20.00 [20.00–20.00]") })
        #expect(lines.contains { $0.contains("| fio ") && $0.contains("| 10.00 [10.00–10.00]") })
        #expect(lines.contains { $0.contains("2.00 [2.00–2.00]") && $0.contains("not met") })
    }
}

@Suite struct `A round of Millrace's engine` {
    private let directory = FileManager.default.currentDirectoryPath + "/.build"
    private static let cpu = EngineBenchPlace.firstCPU

    @Test func `does whole blocks on a file past the page cache, in every cell`() throws {
        let file = try EngineFile(in: directory, byteCount: 8 << 20)
        let thread = try EngineThread(cpu: Self.cpu)
        defer { thread.stop() }
        for cell in EngineCell.all {
            let tally = try thread.run(
                EngineRound(
                    cell: cell, file: file.direct, fileBytes: file.byteCount, seconds: 0.001,
                    seed: 1))
            #expect(tally.requestCount >= cell.depth && tally.seconds >= 0.001 && tally.cpu > 0)
        }
    }

    @Test func `fails with what the kernel said`() throws {
        let thread = try EngineThread(cpu: Self.cpu)
        defer { thread.stop() }
        let error = #expect(throws: EngineError.self) {
            try thread.run(
                EngineRound(
                    cell: EngineCell(.read, blockBytes: 4 << 10, depth: 4),
                    file: Descriptor(-1), fileBytes: 1 << 20, seconds: 0.01, seed: 1))
        }
        #expect(error?.description == "read-4k-qd4: errno 9")
    }

    @Test func `fails where a block is not whole`() throws {
        let file = try EngineFile(in: directory, byteCount: 1 << 20)
        let thread = try EngineThread(cpu: Self.cpu)
        defer { thread.stop() }
        let error = #expect(throws: EngineError.self) {
            // Nearly all offsets lie behind the end.
            try thread.run(
                EngineRound(
                    cell: EngineCell(.read, blockBytes: 4 << 10, depth: 4), file: file.direct,
                    fileBytes: 1 << 40, seconds: 10, seed: 1))
        }
        #expect(error?.description == "read-4k-qd4: 0 bytes instead of a block")
    }

    @Test func `needs a CPU that is there, and a directory`() {
        let noCPU = #expect(throws: EngineError.self) { _ = try EngineThread(cpu: 1_000) }
        #expect(noCPU?.description.contains("no core on CPU 1000") == true)
        let noPlace = #expect(throws: EngineError.self) {
            _ = try EngineFile(in: "/nowhere", byteCount: 1 << 20)
        }
        #expect(noPlace?.description.contains("errno 2") == true)
    }

    @Test func `without fio says in a line what to do`() {
        let missing = FioProgram(program: "/nowhere/fio", cpu: Self.cpu)
        let error = #expect(throws: EngineError.self) { try missing.version() }
        #expect(
            error?.description == "no /nowhere/fio: apt-get install fio, or say --fio PATH")
    }
}

private enum EngineBenchPlace {
    /// One that this process may use.
    static let firstCPU: Int = {
        let allowed = ProcessText.value(
            of: "Cpus_allowed_list", status: TextFile.read("/proc/self/status") ?? "")
        return allowed.flatMap { Int($0.prefix(while: \.isNumber)) } ?? 0
    }()
}
