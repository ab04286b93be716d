// Goal:   many digests at once are right, however buffers come and go, on a simulated core and
//         beside real threads, also where others are given up.
// Method: uploads with a few buffers, which are zeroed and filled again as soon as they are said to
//         be free: who read them later would find other bytes.

import Checksums
import Cryptography
import IO
import Loop
import Runtime
import Simulator
import Synchronization
import Testing
import Uring

@testable import Store

/// Uploads without network or disk: a buffer goes back when a played write has ended and its bytes
/// are hashed.
private struct PlayedUploads {
    let loop: EventLoop
    let memory: CoreMemory
    let executor: any SerialExecutor
    static let bufferBytes = 32 << 10

    /// The digest of `content`, or nil if it was given up with `sent` of its bytes added. Notes
    /// in `log` which buffers came free.
    func run(
        _ algorithm: DigestAlgorithm, _ content: [UInt8], sent: Int, log: Order, number: Int
    ) async throws -> [UInt8]? {
        let digest = try RunningDigest(
            algorithm, on: executor, loop: loop, arena: memory.arena)
        var start = 0
        while start < sent {
            let count = min(PlayedUploads.bufferBytes, sent - start)
            let lease = await memory.lease(PlayedUploads.bufferBytes)
            let part = lease.region.part(from: 0, count: count)
            memory.arena.copy(content.span.rawBytes.extracting(start..<start + count), to: part)
            // In two steps, as they are received.
            digest.add(part.part(from: 0, count: (count + 1) / 2))
            var mark: UInt64?
            if count > 1 { mark = digest.add(part.part(from: (count + 1) / 2, count: count / 2)) }
            let write = loop.start(.nop)
            start += count
            let region = lease.detach()
            loop.inBackground {
                await digest.settle(mark ?? UInt64(start))
                _ = await loop.answer(write)
                log.numbers.append(number)
                // Nobody may read this any more.
                memory.arena.zero(region)
                memory.giveBack(BufferLease(attaching: region))
            }
        }
        guard sent == content.count else {
            await digest.abandon()
            #expect(digest.hasher.claim.abandon() == nil)
            return nil
        }
        return await digest.finish()
    }

    /// Several at once, of which every third is given up; nil if all went as it should.
    func runMany(_ count: Int, seed: UInt64, log: Order) async throws -> String? {
        let contents = (0..<count).map {
            content(70_000 * ($0 + 1) + $0, seed: seed &+ UInt64($0))
        }
        let results = Results(count: count)
        for (index, content) in contents.enumerated() {
            let algorithm: DigestAlgorithm = index.isMultiple(of: 2) ? .sha256 : .sha1
            let sent = index % 3 == 2 ? content.count * 2 / 3 : content.count
            let ended = loop.makeTicket()
            results.tickets.append(ended)
            loop.inBackground {
                results.digests[index] =
                    try? await run(algorithm, content, sent: sent, log: log, number: index)
                loop.wake(ended)
            }
        }
        for ticket in results.tickets { _ = await loop.answer(ticket) }
        for (index, content) in contents.enumerated() {
            let algorithm: DigestAlgorithm = index.isMultiple(of: 2) ? .sha256 : .sha1
            let expected = index % 3 == 2 ? nil : try reference(algorithm, content)
            if results.digests[index] != expected { return "the digest of \(index)" }
        }
        return nil
    }

    private final class Results {
        var digests: [[UInt8]?]
        var tickets: [Ticket] = []
        init(count: Int) { digests = Array(repeating: nil, count: count) }
    }
}

@Suite struct `Many running digests` {
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `are right on a simulated core, and the same every time`(seed: UInt64) throws {
        var orders: [[Int]] = []
        for _ in 0..<2 {
            let world = World(try World.hardware(), seed: seed)
            let core = world.machine.cores[0]
            let uploads = PlayedUploads(loop: core.loop, memory: core.memory, executor: core.loop)
            let (log, before) = (Order(), core.memory.bytesFree)
            let result = world.run { () async -> Result<String?, any Error> in
                do { return .success(try await uploads.runMany(7, seed: seed, log: log)) } catch {
                    return .failure(error)
                }
            }
            #expect(try result.get() == nil)
            world.settle()
            #expect(core.memory.bytesFree == before)
            orders.append(log.numbers)
        }
        #expect(orders[0] == orders[1])
        #expect(Set(orders[0]).count == 7)
    }

    @Test(arguments: [1, 3])
    func `are right beside a real ring, on one thread or several`(threads: Int) throws {
        let arena = try unsafe ArenaMemory.map(count: 8 << 20)
        let loop = try EventLoop(index: 0)
        let memory = CoreMemory(arena: arena, loop: loop)
        var driver = try CoreDriver(loop: loop, memory: memory)
        let before = memory.bytesFree
        let confined = Box(memory)
        let ending = Ending(of: threads)
        for thread in 0..<threads {
            let queue = BlockingQueue(label: "hasher \(thread)")
            Task(executorPreference: loop) {
                let uploads = PlayedUploads(loop: loop, memory: confined.value, executor: queue)
                do {
                    for round in 0..<5 {
                        let wrong = try await uploads.runMany(
                            9, seed: UInt64(100 * thread + round), log: Order())
                        if let wrong { ending.complain(wrong) }
                    }
                } catch {
                    ending.complain("\(error)")
                }
                if ending.isLast() { loop.stop() }
            }
        }
        try driver.run()
        #expect(ending.complaint == nil)
        #expect(memory.bytesFree == before && loop.ticketsOutstanding == 0)
    }

    private final class Ending: Sendable {
        private let left: Atomic<Int>
        private let complaints = Mutex<String?>(nil)

        init(of count: Int) { left = Atomic(count) }

        func isLast() -> Bool { left.subtract(1, ordering: .relaxed).newValue == 0 }
        func complain(_ text: String) { complaints.withLock { $0 = text } }
        var complaint: String? { complaints.withLock { $0 } }
    }

    /// Given up while the thread may be at any point of the piece: afterwards it reads nothing.
    @Test func `are given up at any moment of a real thread's work`() throws {
        let arena = try unsafe ArenaMemory.map(count: 8 << 20)
        let loop = try EventLoop(index: 0)
        let memory = CoreMemory(arena: arena, loop: loop)
        var driver = try CoreDriver(loop: loop, memory: memory)
        let failure = Failure()
        Task(executorPreference: loop) {
            let queue = BlockingQueue(label: "hasher")
            do {
                for round in 0..<200 {
                    let digest = try RunningDigest(.sha256, on: queue, loop: loop, arena: arena)
                    let region = Region(offset: 0, count: 1 << 20)
                    for _ in 0..<4 { digest.add(region) }
                    for _ in 0..<round % 8 { _ = await loop.perform(.nop) }
                    if round % 3 == 0 { await digest.settle(UInt64(1 + round) << 12) }
                    await digest.abandon()
                    #expect(digest.hasher.claim.abandon() == nil)
                    arena.zero(region)
                    await digest.settle(4 << 20)
                    let count = await digest.hasher.count
                    #expect(count.isMultiple(of: 1 << 20) && count <= 4 << 20)
                }
            } catch {
                failure.store(error)
            }
            loop.stop()
        }
        try driver.run()
        if let error = failure.error { throw error }
    }
}
