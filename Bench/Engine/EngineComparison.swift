// The rounds of a run: Millrace's core and fio in turns.

import BenchMachine
import BenchMeasure
import Foundation
import IO

/// Runs cells: for each a round of both sides that does not count, then pairs.
final class EngineComparison {
    private let options: EngineOptions
    private let file: EngineFile
    private let thread: EngineThread
    private let fio: FioProgram

    /// Of the rounds that do not count; a pair's is its number.
    private static let warmUpSeed: UInt64 = 1 << 20

    init(_ options: EngineOptions, _ fio: FioProgram, directory: String) throws(EngineError) {
        (self.options, self.fio) = (options, fio)
        file = try EngineFile(in: directory, byteCount: options.fileBytes)
        thread = try EngineThread(cpu: options.cpu)
    }

    deinit { thread.stop() }

    func run(_ cell: EngineCell) throws -> EngineRow {
        let order = options.only.map { [$0] } ?? EngineSide.allCases
        for side in order { _ = try run(cell, side, seed: EngineComparison.warmUpSeed) }
        var samples: [EngineSample] = []
        for pair in 0..<options.pairs {
            // A/B, B/A, A/B …: whatever drifts hits both alike.
            for side in pair.isMultiple(of: 2) ? order : order.reversed() {
                samples.append(try sample(cell, side, pair))
            }
        }
        return EngineRow(cell, samples)
    }

    private func sample(
        _ cell: EngineCell, _ side: EngineSide, _ pair: Int
    ) throws -> EngineSample {
        try OpenFile.syncFileSystem(file.direct)
        let start = Clocks.now()
        let before = try EngineComparison.busySeconds()
        let tally = try run(cell, side, seed: UInt64(pair))
        let busy = try EngineComparison.busySeconds() - before
        let seconds = Double(Clocks.now() - start) / 1e9
        let strangers = max(0, busy - tally.cpu - tally.cpuBeside) / seconds
        return EngineSample(
            side: side, pair: pair, requestCount: tally.requestCount, seconds: tally.seconds,
            cpu: tally.cpu, cpuBeside: tally.cpuBeside, otherUse: strangers)
    }

    private func run(_ cell: EngineCell, _ side: EngineSide, seed: UInt64) throws -> EngineTally {
        switch side {
        case .millrace: try ours(cell, seed: seed)
        case .fio: try theirs(cell, seed: seed)
        }
    }

    private func ours(_ cell: EngineCell, seed: UInt64) throws(EngineError) -> EngineTally {
        try thread.run(
            EngineRound(
                cell: cell, file: file.direct, fileBytes: file.byteCount,
                seconds: options.seconds, seed: seed))
    }

    private func theirs(_ cell: EngineCell, seed: UInt64) throws -> EngineTally {
        try fio.run(
            FioJob(
                cell: cell, path: file.path, fileBytes: file.byteCount,
                seconds: options.seconds, seed: Int(seed) + 1))
    }

    /// CPU-seconds that all of the machine has used so far.
    private static func busySeconds() throws(EngineError) -> Double {
        guard let machine = TextFile.read("/proc/stat").flatMap(ProcessText.machine) else {
            throw EngineError("/proc/stat is not as expected")
        }
        return Double(machine.busy) / Clocks.ticksPerSecond()
    }
}
