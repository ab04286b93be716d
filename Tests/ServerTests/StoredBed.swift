// A front with a store below it, both on a kernel that the test plays: what clients are told while
// one completion or another goes wrong, and what must be there, and free again, afterwards.

import Catalog
import Cryptography
import Engine
import IO
import Loop
import Signatures
import Simulator
import Synchronization
import Testing

@testable import Server
@testable import Store

/// `FrontBed` with a store, and what was promised about each name.
final class StoredBed {
    static let settings = {
        var settings = FrontSettings(secret: [1], adminToken: Array("admin".utf8))
        // What came of a broken upload is kept until somebody looks.
        settings.uploadSecondsToLive = 0
        return settings
    }()
    static let instance = CatalogInstance(high: 0xfeed, low: 0xbeef)

    let front: FrontBed
    let disk: SimulatedDisk
    let shared: StoreShared
    /// What a name may show; nil is no object. One element where nothing is in doubt.
    private(set) var possible: [String: [[UInt8]?]] = [:]
    /// Without connections and requests.
    private let ticketsIdle: Int

    /// Runs `body` with a store on `disk`, then ends it in order and counts its blocks.
    static func run(
        _ disk: SimulatedDisk, _ catalog: MemoryCatalog, capacityBytes: UInt64 = 1 << 30,
        uploadsMax: Int = 1000, settings: FrontSettings = StoredBed.settings, megabytes: Int = 16,
        keepsSHA256: Bool = false, resilience: StoreResilience = .none,
        _ body: (StoredBed) throws -> Void
    ) throws {
        try FrontBed.run(settings: settings, megabytes: megabytes, disk: disk) { front in
            let bed = try StoredBed(
                front, disk, catalog, capacityBytes, uploadsMax, settings.uploadBytesMax,
                keepsSHA256, resilience)
            try body(bed)
            try bed.close()
        }
    }

    private init(
        _ front: FrontBed, _ disk: SimulatedDisk, _ catalog: MemoryCatalog, _ capacityBytes: UInt64,
        _ uploadsMax: Int, _ uploadBytesMax: UInt64, _ keepsSHA256: Bool,
        _ resilience: StoreResilience
    ) throws {
        self.front = front
        self.disk = disk
        var given = StoreSetup(
            directory: Descriptor(3), instance: StoredBed.instance, sealKey: [1, 2, 3],
            catalog: catalog, capacityBytes: capacityBytes, volumeBytes: 256 << 20,
            report: { _ in })
        given.uploadsMax = uploadsMax
        given.uploadBytesMax = uploadBytesMax
        // Its space would be in every count of blocks; what it is for has its own tests.
        given.progress.settlesBefore = .max
        given.keepsSHA256 = keepsSHA256
        given.resilience = resilience
        let setup = given
        let (core, loop) = (front.core, front.loop)
        shared = try front.finish { () async -> Result<StoreShared, StoreError> in
            do throws(StoreError) {
                let shared = try await core.openStore(
                    setup, indexingOn: loop, lookingUpOn: loop)
                shared.join(core)
                try await core.begin(with: shared, hashingOn: loop)
                return .success(shared)
            } catch {
                return .failure(error)
            }
        }.get()
        front.pass(seconds: 3)
        ticketsIdle = loop.ticketsOutstanding
    }

    private func close() throws {
        let (core, shared) = (front.core, shared)
        let error = try front.finish { () async -> StoreError? in
            await core.closeStore()
            do throws(StoreError) {
                try await shared.close()
                return nil
            } catch {
                return error
            }
        }
        #expect(error == nil)
    }

    // MARK: Requests

    /// What one client got, on a connection of its own.
    struct Exchange {
        /// Nil if the connection ended without a whole head.
        let answer: Response?
        /// A fault struck while it went on: it may have ended in any clear way.
        let wasHit: Bool
    }

    func signed(_ name: String, _ count: Int, _ more: String = "") throws -> String {
        let secret = StoredBed.settings.secrets[0].secret
        var authenticator = try MessageAuthenticator(key: secret.span)
        let tag = SignatureScheme.v.tag(
            path: name.utf8.span, size: UInt64(count), type: "".utf8.span, &authenticator)
        return "PUT /\(name)?v=\(tag.hexadecimal) HTTP/1.1\r\nHost: h\r\n"
            + "Content-Length: \(count)\r\n\(more)\r\n"
    }

    func exchange(_ head: String, _ body: [UInt8] = []) -> Exchange {
        let hadStruck = front.plan.hasStruck
        let client = front.connect()
        client.send(head)
        // Long ones come when somebody waits for them.
        if body.count > 100_000 { front.settle() }
        client.send(body)
        front.settle()
        let answer = finalAnswer(client)
        return Exchange(answer: answer, wasHit: front.plan.hasStruck && !hadStruck)
    }

    /// Waits, longer than any timeout, for the whole answer or the end of the connection, which has
    /// to follow once the client has ended its half.
    func finalAnswer(_ client: Client) -> Response? {
        var answer = client.finalResponse
        for _ in 0..<200 where !client.isClosed && answer?.isWhole != true {
            front.pass(seconds: 1)
            answer = client.finalResponse
        }
        #expect(client.isClosed || answer?.isWhole == true, "neither an answer nor an end")
        client.endSending()
        front.settle()
        for _ in 0..<10 where !client.isClosed { front.pass(seconds: 1) }
        #expect(client.isClosed, "a connection is stuck")
        return answer
    }

    // MARK: Promises

    private func states(_ name: String) -> [[UInt8]?] { possible[name] ?? [nil] }

    /// Whether what has not gone right has at least ended in an error that says so.
    private func expectClear(_ exchange: Exchange, _ what: String) {
        let status = exchange.answer?.status ?? 0
        let isClear = exchange.answer == nil || status >= 500 || status == 408
        #expect(exchange.wasHit && isClear, "\(what): \(status)")
    }

    @discardableResult
    func put(_ name: String, _ bytes: [UInt8], _ more: String = "") throws -> Int? {
        let exchange = exchange(try signed(name, bytes.count, more), bytes)
        let before = states(name)
        switch exchange.answer?.status {
        case 201:
            #expect(before.contains(nil) || before.contains(bytes), "\(name) was overwritten")
            possible[name] = [bytes]
        case 409:
            #expect(before.contains { $0 != nil && $0 != bytes }, "\(name): no conflict")
        default:
            if !isReadOnly { expectClear(exchange, "PUT \(name)") }
            // Of one that was refused, nothing may be there; but its answer may have been lost.
            if !before.contains(bytes) { possible[name] = before + [bytes] }
        }
        return exchange.answer?.status
    }

    /// `range` is a part of the object, in bytes.
    @discardableResult
    func get(_ name: String, _ range: ClosedRange<Int>? = nil) -> Int? {
        let field = range.map { "Range: bytes=\($0.lowerBound)-\($0.upperBound)\r\n" } ?? ""
        let exchange = exchange("GET /\(name) HTTP/1.1\r\nHost: h\r\n\(field)\r\n")
        check(exchange, of: name, range)
        return exchange.answer?.status
    }

    func check(_ exchange: Exchange, of name: String, _ range: ClosedRange<Int>? = nil) {
        let before = states(name)
        guard let answer = exchange.answer else { return expectClear(exchange, "GET \(name)") }
        switch answer.status {
        case 200, 206:
            let matching = before.filter { bytes in
                guard let bytes else { return false }
                let wanted = range.map { Array(bytes[$0]) } ?? bytes
                return answer.isWhole ? answer.body == wanted : wanted.starts(with: answer.body)
            }
            #expect(!matching.isEmpty, "\(name): \(answer.body.count) bytes that nobody stored")
            #expect(answer.isWhole || exchange.wasHit, "\(name) ended short for no reason")
            if answer.isWhole { learn(matching, of: name) }
        case 404:
            #expect(before.contains(nil), "\(name) is gone")
            learn([nil], of: name)
        default: expectClear(exchange, "GET \(name)")
        }
    }

    /// What a failed write or flush should have changed is in doubt until a restart, whatever is
    /// seen before.
    private func learn(_ states: [[UInt8]?], of name: String) {
        if !isReadOnly { possible[name] = states }
    }

    @discardableResult
    func delete(_ name: String) -> Int? {
        let exchange = exchange(
            "DELETE /\(name) HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer admin\r\n\r\n")
        let before = states(name)
        switch exchange.answer?.status {
        case 204:
            #expect(before.contains { $0 != nil }, "\(name) was not there")
            possible[name] = [nil]
        case 404:
            #expect(before.contains(nil), "\(name) was there")
            possible[name] = [nil]
        default:
            if !isReadOnly { expectClear(exchange, "DELETE \(name)") }
            if !before.contains(nil) { possible[name] = before + [nil] }
        }
        return exchange.answer?.status
    }

    /// A write or flush has failed: uploads and removals are refused until a restart.
    var isReadOnly: Bool { !shared.failedVolumes.isEmpty }

    /// What is known otherwise, as of an earlier life of the same disk.
    func believe(_ states: [[UInt8]?], of name: String) { possible[name] = states }

    // MARK: What must not be left behind

    /// To be asked when no client is left.
    func expectNothingLeft(_ when: String) throws {
        front.pass(seconds: 5)
        let core = front.core
        #expect(core.assumeIsolated { $0.connectionCount } == 0, "\(when): a connection")
        #expect(front.frontBytesUsed == 0, "\(when): a buffer of the front")
        #expect(front.memory.bytesFree == front.memory.bytesTotal, "\(when): a buffer")
        #expect(front.memory.queueLength == 0, "\(when): somebody waits for a buffer")
        #expect(front.loop.ticketsOutstanding == ticketsIdle, "\(when): a ticket")
        #expect(core.assumeIsolated { $0.lentSends.count } == 0, "\(when): a lent buffer")
        #expect(core.assumeIsolated { $0.zeroCopy.lentBytes } == 0, "\(when): lent bytes")
        #expect(core.assumeIsolated { $0.underWay.pressing } == 0, "\(when): a request")
        #expect(try front.finish { await core.hasAllNestedBuffers() }, "\(when): a nested buffer")
        #expect(core.assumeIsolated { $0.hasNoPins() }, "\(when): a pinned object in the cache")
    }

    /// Bytes that objects take in large volumes.
    func largeBytesUsed() throws -> UInt64 {
        let (shared, core) = (shared, front.core)
        let space = try front.finish {
            await core.endExpiredUploads()
            return await shared.volumeSpace().large
        }
        return space.totalBytes - space.freeBytes
    }
}

extension Core {
    /// Waits for all of it, so an answer is a yes.
    fileprivate func hasAllNestedBuffers() async -> Bool {
        let all = await memory.leaseNested(BufferPool.largest)
        memory.giveBack(all)
        return true
    }

    /// Whether everything cached would make room: what is pinned cannot.
    fileprivate func hasNoPins() -> Bool {
        var taken: [Region] = []
        while let region = cache.borrow(BufferPool.largest) { taken.append(region) }
        for region in taken { cache.takeBack(region) }
        return taken.count * BufferPool.largest == cache.bytesTotal
    }
}

extension FrontBed {
    private final class Held<Answer: Sendable>: Sendable {
        let answer = Mutex<Answer?>(nil)
    }

    struct Stuck: Error {}

    /// Runs `work` on the loop until it ends, however much time that takes, within an hour.
    func finish<Answer: Sendable>(
        _ work: @escaping @Sendable () async -> Answer
    ) throws -> Answer {
        let held = Held<Answer>()
        Task(executorPreference: loop) {
            let answer = await work()
            held.answer.withLock { $0 = answer }
        }
        for _ in 0..<3600 {
            settle()
            if let answer = held.answer.withLock({ $0 }) { return answer }
            pass(seconds: 1)
        }
        throw Stuck()
    }
}

/// Bytes that nobody else writes.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    let words = (0..<count / 8 + 1).map { _ in random.next() }
    return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
}

extension Client {
    /// The first answer that is not an interim one, as far as it has come.
    var finalResponse: Response? { responses.first { $0.status >= 200 } }
}
