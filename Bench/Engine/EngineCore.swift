// One core as the server has it, which reads and writes blocks of one file and nothing else.

import BenchMachine
import BenchMeasure
import IO
import Loop

/// A round to run.
struct EngineRound: Sendable {
    let cell: EngineCell
    /// Opened with O_DIRECT.
    let file: Descriptor
    let fileBytes: Int
    let seconds: Double
    let seed: UInt64
}

/// What a round did.
struct EngineTally: Sendable {
    let requestCount: Int
    let seconds: Double
    /// CPU-seconds of the thread that did it, while it did.
    let cpu: Double
    /// Those of the rest of its process: io-wq workers, and fio's start and end.
    let cpuBeside: Double
}

/// The handlers of one core: each has one buffer and one request in flight.
actor EngineCore {
    private nonisolated let loop: EventLoop
    private let memory: CoreMemory
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private var requestCount = 0
    /// What the kernel answered that was not a whole block: the round does not count then.
    private var refusal: Int32?

    init(loop: EventLoop, memory: CoreMemory) { (self.loop, self.memory) = (loop, memory) }

    func run(_ round: EngineRound) async throws(EngineError) -> EngineTally {
        (requestCount, refusal) = (0, nil)
        let (cpuBefore, processBefore) = (Clocks.thisThread(), Clocks.thisProcess())
        let start = Clocks.now()
        let end = start + UInt64(round.seconds * 1e9)
        let handlers = (0..<UInt64(round.cell.depth)).map { number in
            let random = SplitMix64(seed: SplitMix64.mix(round.seed) &+ number)
            return Task(executorPreference: loop) { await self.handle(round, random, until: end) }
        }
        for handler in handlers { await handler.value }
        let seconds = Double(Clocks.now() - start) / 1e9
        let cpu = Clocks.thisThread() - cpuBefore
        let processCPU = Clocks.thisProcess() - processBefore
        if let refusal {
            let why = refusal < 0 ? "errno \(-refusal)" : "\(refusal) bytes instead of a block"
            throw EngineError("\(round.cell.name): \(why)")
        }
        return EngineTally(
            requestCount: requestCount, seconds: seconds, cpu: Double(cpu) / 1e9,
            cpuBeside: Double(max(processCPU, cpu) - cpu) / 1e9)
    }

    private func handle(_ round: EngineRound, _ random: SplitMix64, until end: UInt64) async {
        let (file, blockBytes) = (round.file, round.cell.blockBytes)
        let blockCount = UInt64(round.fileBytes / blockBytes)
        var random = random
        let lease = await memory.lease(blockBytes)
        let block = lease.region.part(from: 0, count: blockBytes)
        repeat {
            let offset = random.next() % blockCount * UInt64(blockBytes)
            let operation: Operation =
                switch round.cell.direction {
                case .read: .read(file: file, offset: offset, target: block)
                case .write: .write(file: file, offset: offset, source: block)
                }
            let result = await loop.perform(operation)
            guard result == blockBytes else {
                refusal = result
                break
            }
            requestCount += 1
        } while loop.now < end && refusal == nil
        memory.giveBack(lease)
    }

    func stop() { loop.stop() }
}

/// Why there is no result.
public struct EngineError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
