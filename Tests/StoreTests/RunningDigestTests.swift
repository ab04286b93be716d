// Goal:   a digest made beside the event loop is that of the bytes in their order, tells when a
//         piece is free, and can be given up at any moment.
// Method: a simulated core, beside which the test runs the hasher's jobs one by one.

import Checksums
import Cryptography
import Foundation
import Glibc
import IO
import Loop
import Simulator
import Testing

@testable import Store

func reference(_ algorithm: DigestAlgorithm, _ bytes: [UInt8]) throws -> [UInt8] {
    var digest = try Digest(algorithm)
    digest.update(bytes.span.rawBytes)
    return digest.finish()
}

/// Where the hasher's jobs wait until the test runs them.
private final class HandDrivenQueue: SerialExecutor, @unchecked Sendable {
    // Unchecked: the loop under test and the test share one thread.
    private var jobs: [UnownedJob] = []

    var count: Int { jobs.count }

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    func runFirst() {
        unsafe jobs.removeFirst().runSynchronously(on: asUnownedSerialExecutor())
    }
}

/// A core whose hasher is slow: it does a piece when the test says so.
private final class Bed {
    private let world: World
    let queue = HandDrivenQueue()

    init() throws { world = World(try World.hardware()) }

    var loop: EventLoop { world.machine.cores[0].loop }
    var arena: Arena { world.machine.cores[0].memory.arena }

    func digest(_ algorithm: DigestAlgorithm = .sha256) throws -> RunningDigest {
        try RunningDigest(algorithm, on: queue, loop: loop, arena: arena)
    }

    /// Puts `bytes` at the arena's `place`th 4 KiB.
    func lay(_ bytes: [UInt8], _ place: Int) -> Region {
        let region = Region(offset: UInt32(place * 4096), count: UInt32(bytes.count))
        arena.copy(bytes.span.rawBytes, to: region)
        return region
    }

    /// Starts `work` on the loop and lets happen what can without the hasher.
    func start<Answer>(_ work: @escaping () async -> Answer) -> World.Handle<Answer> {
        let handle = world.start(work)
        world.settle()
        return handle
    }

    func hash() {
        queue.runFirst()
        world.settle()
    }
}

@Suite struct `A running digest` {
    @Test func `settles its pieces one by one, in their order`() throws {
        let bed = try Bed()
        let digest = try bed.digest()
        let pieces = (0..<3).map { content(100 + 7 * $0, seed: UInt64($0)) }
        var marks: [UInt64] = []
        _ = bed.start {
            marks = pieces.indices.map { digest.add(bed.lay(pieces[$0], $0)) }
        }
        #expect(marks == [100, 207, 321])
        let waits = [marks[2], marks[0], marks[1], 1, 0].map { mark in
            bed.start { await digest.settle(mark) }
        }
        func isSettled() -> [Bool] { waits.map { $0.answer != nil } }
        #expect(bed.queue.count == 3)
        #expect(isSettled() == [false, false, false, false, true])
        bed.hash()
        #expect(isSettled() == [false, true, false, true, true])
        bed.hash()
        #expect(isSettled() == [false, true, true, true, true])
        let finished = bed.start { await digest.finish() }
        bed.hash()
        #expect(isSettled() == [true, true, true, true, true])
        #expect(finished.answer == nil)
        bed.hash()
        #expect(try finished.answer == reference(.sha256, Array(pieces.joined())))
    }

    @Test func `of nothing is that of no bytes`() throws {
        let bed = try Bed()
        let digest = try bed.digest(.sha1)
        let finished = bed.start { await digest.finish() }
        bed.hash()
        #expect(try finished.answer == reference(.sha1, []))
    }

    @Test func `waits in one line with others`() throws {
        let bed = try Bed()
        let (one, other) = (try bed.digest(), try bed.digest(.sha1))
        let region = bed.lay(content(64, seed: 1), 0)
        let settled = Order()
        for (digest, number) in [(one, 1), (other, 2), (one, 3)] {
            _ = bed.start {
                await digest.settle(digest.add(region))
                settled.numbers.append(number)
            }
        }
        for count in 1...3 {
            bed.hash()
            #expect(settled.numbers == Array(1...count))
        }
        for digest in [one, other] { _ = bed.start { await digest.abandon() } }
    }

    @Test func `that is given up leaves its bytes alone, and waits for nobody's`() throws {
        let bed = try Bed()
        let (digest, other) = (try bed.digest(), try bed.digest())
        let bytes = content(300, seed: 4)
        _ = bed.start {
            other.add(bed.lay(bytes, 1))
            digest.add(bed.lay(bytes, 0))
            digest.add(bed.lay(bytes, 0))
        }
        let waiting = bed.start { await digest.settle(600) }
        let abandoned = bed.start { await digest.abandon() }
        #expect(abandoned.answer != nil && waiting.answer != nil)
        #expect(bed.queue.count == 3)
        for _ in 0..<3 { bed.hash() }
        let counts = bed.start { (await digest.hasher.count, await other.hasher.count) }
        for _ in 0..<2 { bed.hash() }
        #expect(counts.answer?.0 == 0 && counts.answer?.1 == 300)
        _ = bed.start { await other.abandon() }
    }

    @Test func `that is given up waits for the piece being hashed, not for the next`() throws {
        let bed = try Bed()
        let digest = try bed.digest()
        let bytes = content(300, seed: 4)
        _ = bed.start { for place in 0..<3 { digest.add(bed.lay(bytes, place)) } }
        bed.hash()
        // The test plays the hasher in the middle of the second piece.
        let isHashing = digest.hasher.claim.begin(600)
        #expect(isHashing)
        let abandoned = bed.start { await digest.abandon() }
        let (second, third) = (
            bed.start { await digest.settle(600) }, bed.start { await digest.settle(900) }
        )
        #expect(abandoned.answer == nil && second.answer == nil && third.answer == nil)
        digest.hasher.claim.end()
        bed.hash()
        #expect(abandoned.answer != nil && second.answer != nil && third.answer != nil)
        #expect(bed.queue.count == 1)
        bed.hash()
        let count = bed.start { await digest.hasher.count }
        bed.hash()
        #expect(count.answer == 300)
    }

    @Test func `that OpenSSL has no algorithm for is none`() async {
        await #expect(processExitsWith: .success) {
            let path = NSTemporaryDirectory() + "millrace-openssl-\(getpid()).cnf"
            let text = "openssl_conf = a\n[a]\nproviders = b\n[b]\nnull = c\n[c]\nactivate = 1\n"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            defer { unsafe unlink(path) }
            unsafe setenv("OPENSSL_CONF", path, 1)
            let bed = try Bed()
            #expect(throws: CryptographyError.digestUnavailable(.sha256)) { _ = try bed.digest() }
        }
    }

    @Test func `traps when it goes on after its end, or is dropped before`() async {
        await #expect(processExitsWith: .failure) {
            let bed = try Bed()
            let digest = try bed.digest()
            _ = bed.start { await digest.abandon() }
            _ = bed.start { digest.add(bed.lay([1], 0)) }
        }
        await #expect(processExitsWith: .failure) {
            let bed = try Bed()
            let digest = try bed.digest()
            _ = bed.start { await digest.abandon() }
            _ = bed.start { await digest.finish() }
        }
        await #expect(processExitsWith: .failure) { _ = try Bed().digest() }
    }
}

/// What happened, in its order, on one thread.
final class Order {
    var numbers: [Int] = []
}

@Suite struct `A hashing claim` {
    private final class Held {
        let claim = HashingClaim()
        func begin(_ mark: UInt64) -> Bool { claim.begin(mark) }
        func abandon() -> UInt64? { claim.abandon() }
    }

    @Test func `is had again and again, until it is abandoned`() {
        let held = Held()
        for mark in [1, 77, UInt64.max >> 1] {
            #expect(held.begin(mark))
            #expect(!held.begin(1))
            held.claim.end()
        }
        #expect(held.abandon() == nil)
        #expect(!held.begin(78))
        #expect(held.abandon() == nil)
    }

    @Test func `abandoned while it is held says for which piece`() {
        let held = Held()
        #expect(held.begin(77))
        #expect(held.abandon() == 77)
        #expect(held.abandon() == 77)
        held.claim.end()
        #expect(held.abandon() == nil)
        #expect(!held.begin(78))
    }

    @Test func `traps on a mark that ends no piece`() async {
        await #expect(processExitsWith: .failure) { _ = HashingClaim().begin(0) }
    }
}
