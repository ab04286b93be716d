// Takes the accounts before and after a round.

import BenchLoad
import BenchMachine
import BenchMeasure
import IO

/// Puts the accounts of server, client and machine around a round.
struct Measuring {
    let serverCPU: Int
    /// A file on the file system under test.
    let disk: Descriptor

    /// Work that a server does behind its answers is its work too: accounts close so much later.
    private static let settleMilliseconds: UInt32 = 500

    /// Runs `body`, which answers what counted, between two looks at the accounts. What others have
    /// written is on the disk before.
    func sample(
        _ unit: Row.Unit, _ subject: Subject, pair: Int, bytesPerObject: Int,
        _ body: () throws -> LoadTally
    ) throws -> (Sample, LoadTally) {
        try OpenFile.syncFileSystem(disk)
        let before = try accounts(of: subject)
        let tally = try body()
        let atEnd = try accounts(of: subject)
        Clocks.sleep(milliseconds: Measuring.settleMilliseconds)
        let after = try accounts(of: subject)

        var sample = Sample(
            unit: unit, side: subject.side, pair: pair, objectCount: tally.objectCount,
            byteCount: tally.objectCount * bytesPerObject, seconds: tally.seconds)
        let (from, to) = (before.server, after.server)
        sample.serverCPU = Measuring.seconds(from.processNanoseconds, to.processNanoseconds)
        sample.serverCPUByThreads = Measuring.seconds(from.threadNanoseconds, to.threadNanoseconds)
        sample.serverCPUByTicks = Double(to.ticks - from.ticks) / Clocks.ticksPerSecond()
        sample.serverCPUInRound = Measuring.seconds(
            from.processNanoseconds, atEnd.server.processNanoseconds)
        sample.flushCPU = Double(tally.flushNanoseconds) / 1e9
        sample.clientCPU = Measuring.seconds(before.client, atEnd.client)
        let busy = Double(atEnd.machine.busy - before.machine.busy) / Clocks.ticksPerSecond()
        sample.otherCPU = max(0, busy - sample.serverCPUInRound - sample.clientCPU)
        sample.stolen =
            Double(atEnd.machine.stolen - before.machine.stolen) / Clocks.ticksPerSecond()
        sample.isConfined = atEnd.server.isConfined && from.isConfined && to.isConfined
        return (sample, tally)
    }

    private struct Accounts {
        let server: ServerAccount
        let client: UInt64
        let machine: ProcessText.Machine
    }

    private func accounts(of subject: Subject) throws -> Accounts {
        guard subject.process.isRunning else {
            throw BenchError("\(subject.side.rawValue) ended: \(subject.process.lastWords)")
        }
        guard let machine = TextFile.read("/proc/stat").flatMap(ProcessText.machine) else {
            throw BenchError("/proc/stat is not as expected")
        }
        return Accounts(
            server: try ServerAccount(of: subject.process.pid, cpu: serverCPU),
            client: Clocks.thisProcess(), machine: machine)
    }

    /// A sum over living threads may shrink when one of them ends.
    private static func seconds(_ from: UInt64, _ to: UInt64) -> Double {
        (Double(to) - Double(from)) / 1e9
    }
}
