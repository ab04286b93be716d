// Beds from begin to end: one core, or the two of one server.

import Engine
import Glibc
import IO
import Loop
import Simulator
import Testing

@testable import Server

extension FrontBed {
    private static let defaults = FrontSettings(secret: [1], adminToken: Array("admin".utf8))

    /// Runs `body` with a fresh core that listens, and checks that it leaks no buffer.
    static func run(
        settings: FrontSettings = FrontBed.defaults, megabytes: Int = 16,
        disk: SimulatedDisk? = nil, _ body: (FrontBed) throws -> Void
    ) throws {
        let arena = SpareArenas.take(megabytes << 20)
        let bed = try FrontBed(settings, arena, disk)
        defer { bed.loop.detach() }
        bed.begin()
        try body(bed)
        bed.end()
        bed.closeDoorbell()
        SpareArenas.giveBack(arena)
    }

    /// The same with two cores of one server. Each acts only while its bed does something.
    static func runPair(
        settings: FrontSettings = FrontBed.defaults, _ body: (FrontBed, FrontBed) throws -> Void
    ) throws {
        let arenas = [SpareArenas.take(16 << 20), SpareArenas.take(16 << 20)]
        let beds = [
            try FrontBed(settings, arenas[0]), try FrontBed(settings, arenas[1], index: 1),
        ]
        defer { beds[1].loop.detach() }
        let cores = beds.map(\.core)
        for (bed, other) in zip(beds, beds.reversed()) {
            bed.partner = other
            bed.begin()
            bed.on { $0.setPeers(cores) }
        }
        try body(beds[0], beds[1])
        for bed in beds { bed.end() }
        for bed in beds { bed.closeDoorbell() }
        for arena in arenas { SpareArenas.giveBack(arena) }
    }

    private func begin() {
        loop.attach(ring: nil)
        let core = core
        loop.observer = core
        Task(executorPreference: loop) { await core.keepTime() }
        settle()
        on {
            $0.serve(FrontBed.listener, isMetrics: false)
            $0.serve(FrontBed.metricsListener, isMetrics: true)
        }
        settle()
    }

    private func end() {
        on { $0.endAll() }
        settle()
        #expect(frontBytesUsed == 0, "a connection kept a buffer of the front")
        #expect(memory.bytesFree == memory.bytesTotal, "a handler kept a buffer")
        #expect(on { $0.connectionCount } == 0)
        #expect(core.load.count == 0, "a connection is counted that is not there")
    }

    /// The loop is not run again, but its task waits for the next second as long as the process
    /// lives: hundreds of beds would keep a descriptor each.
    private func closeDoorbell() { _ = Glibc.close(loop.doorbell.number) }

    /// Takes memory of the front and of the cache until a little less is left than may be underway:
    /// as long as a handler is busy, nothing is read from newcomers then.
    func takeRoom() -> [Region] {
        on { core in
            let room = core.front.bytesFree + core.cache.bytesLendable
            let count = (room - Int(core.memory.receiveBuffers.count)) / (256 << 10) + 1
            return (0..<count).compactMap { _ in core.leaseFront(256 << 10) }
        }
    }

    func giveBack(_ taken: [Region]) {
        on { core in for region in taken { core.giveBackFront(region) } }
    }

    /// A client whose request is refused, and whose body is waited for.
    func connectBusy() -> Client {
        let busy = connect()
        busy.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
        settle()
        return busy
    }

    /// Does something on the core's own thread.
    func on<Value: Sendable>(_ body: (isolated Core) throws -> Value) rethrows -> Value {
        loop.attach(ring: nil)
        return try core.assumeIsolated(body)
    }
}
