/// The thread that carries packets between two devices as a `PacketLine` says.

import BenchMachine
import CBench
import Dispatch
import Foundation
public import IO
import Synchronization

public final class PacketRelay: Sendable {
    private struct Orders {
        var restart: (link: LinkCharacter, seed: UInt64, done: DispatchSemaphore)?
        var isStopping = false
    }

    private let orders = Mutex(Orders())
    private let latest = Mutex(LineCounts())
    private let bell: Descriptor
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Packets that are taken from one device before the other has its turn.
    private static let batchMax = 64

    /// Carries until it is told to stop.
    public init(
        _ link: LinkCharacter, seed: UInt64, client: TunDevice, server: TunDevice
    ) throws(KernelError) {
        let made = cbench_make_bell()
        if let error = KernelError(result: made) { throw error }
        bell = Descriptor(made)
        let line = PacketLine(link, seed: seed, now: Clocks.now())
        Thread.detachNewThread { [self] in
            carry(line, [client, server])
            hasEnded.signal()
        }
    }

    deinit { OpenFile.close(bell) }

    /// The schedule of failures begins anew, and so do the counts.
    public func restart(_ link: LinkCharacter, seed: UInt64) {
        let done = DispatchSemaphore(value: 0)
        orders.withLock { $0.restart = (link, seed, done) }
        cbench_ring(bell.number)
        done.wait()
    }

    public var counts: LineCounts { latest.withLock { $0 } }

    /// It carries nothing more when this returns.
    public func stop() {
        orders.withLock { $0.isStopping = true }
        cbench_ring(bell.number)
        hasEnded.wait()
        // For who stops it once more.
        hasEnded.signal()
    }

    // MARK: On its thread

    private func carry(_ start: PacketLine, _ devices: [TunDevice]) {
        var line = start
        var buffer = [UInt8](repeating: 0, count: 2 * TunDevice.packetBytesMax)
        while obey(&line) {
            let now = Clocks.now()
            var out = line.elapse(now: now)
            while let next = line.leave(now: now) { out.append(next) }
            // Before: whoever is told of a cut may ask at once how many there were.
            latest.withLock { $0 = line.counts }
            for (end, packet) in out where !devices[end.rawValue].write(packet) {
                line.countLost()
            }
            wait(until: line.nextMoment, devices)
            for end in LinkEnd.allCases {
                let device = devices[end.rawValue]
                for _ in 0..<PacketRelay.batchMax {
                    guard let packet = device.read(through: &buffer) else { break }
                    let answer = line.enter(packet, from: end, now: Clocks.now())
                    if let answer, !device.write(answer) { line.countLost() }
                }
            }
        }
    }

    /// False: it is to stop.
    private func obey(_ line: inout PacketLine) -> Bool {
        let (restart, isStopping) = orders.withLock { orders in
            (orders.restart.take(), orders.isStopping)
        }
        if let restart {
            line.restart(restart.link, seed: restart.seed, now: Clocks.now())
            latest.withLock { $0 = line.counts }
            restart.done.signal()
        }
        return !isStopping
    }

    private func wait(until moment: UInt64?, _ devices: [TunDevice]) {
        let files = ([bell] + devices.map(\.file)).map(\.number)
        let now = Clocks.now()
        let left = moment.map { $0 > now ? $0 - now : 0 } ?? PacketRelay.longestWait
        unsafe cbench_wait_readable(
            files, UInt32(files.count), min(left, PacketRelay.longestWait))
        cbench_hush(bell.number)
    }

    private static let longestWait: UInt64 = 1_000_000_000
}
