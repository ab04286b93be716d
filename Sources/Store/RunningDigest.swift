/// A digest of what an upload brings, made off the event loop, while more is received and while the
/// same bytes are written: SHA-256 costs more than all else that a core does with them.
///
///     core:     add ──▶ add ──▶ add … settle(mark) … settle(mark) …  finish, or abandon
///                └─────┐ └─────┐           ▲              ▲             │
///     hasher:       update ─▶ update ──────┘  …  update ──┘             └──▶ the bytes
///
/// A piece is hashed where it lies. Who adds it leaves it alone until its mark is settled, as it
/// does until the write has ended: the buffer goes back to its pool when both are.
///
/// Invariant: the hasher reads nothing that lies before `settled`.

public import Cryptography
public import IO
public import Loop

public final class RunningDigest {
    private let loop: EventLoop
    private let arena: Arena
    let hasher: PieceHasher
    private var isOpen = true
    /// Bytes that were added.
    private var added: UInt64 = 0
    /// Those of them that are hashed, or never will be.
    private var settled: UInt64 = 0
    private var waiters: [(mark: UInt64, ticket: Ticket)] = []

    /// A digest of no bytes yet, for use on `loop` only. Ends with exactly one of `finish` and
    /// `abandon`. Fails as `Digest` does.
    ///
    /// - Parameters:
    ///   - executor: where hashing may take its time: a `BlockingQueue`. Digests that share it
    ///     take turns, piece by piece.
    ///   - arena: where the pieces lie.
    public init(
        _ algorithm: DigestAlgorithm, on executor: any SerialExecutor, loop: EventLoop, arena: Arena
    ) throws(CryptographyError) {
        (self.loop, self.arena) = (loop, arena)
        hasher = PieceHasher(try Digest(algorithm), executor: executor)
    }

    /// Adds the bytes of `region`, which is not empty, behind those before; answers the mark
    /// behind them. Until that is settled nobody writes to the region.
    @discardableResult
    public func add(_ region: Region) -> UInt64 {
        precondition(isOpen, "a digest that has ended takes no more bytes")
        precondition(region.count > 0, "a piece has bytes")
        added += UInt64(region.count)
        loop.inBackground { [self, mark = added] in
            await hasher.update(arena, region, mark)
            settled(upTo: mark)
        }
        return added
    }

    /// Returns when nobody reads what lies before `mark` any more.
    public func settle(_ mark: UInt64) async {
        precondition(mark <= added, "there is no such mark")
        guard settled < mark else { return }
        let ticket = loop.makeTicket()
        waiters.append((mark, ticket))
        _ = await loop.answer(ticket)
    }

    /// The digest of all that was added.
    public func finish() async -> [UInt8] {
        precondition(isOpen, "a digest ends once")
        isOpen = false
        // The last pieces may still be on their way to the hasher.
        await settle(added)
        return await hasher.finish(at: added)
    }

    /// Gives the digest up. Waits for the piece that is being hashed, if one is; neither for those
    /// behind it nor for other digests.
    public func abandon() async {
        precondition(isOpen, "a digest ends once")
        isOpen = false
        if let mark = hasher.claim.abandon() { await settle(mark) }
        settled(upTo: added)
    }

    private func settled(upTo mark: UInt64) {
        guard mark > settled else { return }
        settled = mark
        for waiter in waiters where waiter.mark <= mark { loop.wake(waiter.ticket) }
        waiters.removeAll { $0.mark <= mark }
    }

    deinit { precondition(!isOpen, "a digest was neither finished nor abandoned") }
}

/// Where one digest is computed. Each is an actor of its own, so that the compiler knows who may
/// touch it; those of many uploads share a thread.
actor PieceHasher {
    private var digest: Digest?
    /// Bytes that are hashed.
    private(set) var count: UInt64 = 0
    /// A `BlockingQueue`, or the simulated loop.
    private nonisolated let executor: any SerialExecutor
    nonisolated let claim = HashingClaim()

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(_ digest: consuming Digest, executor: any SerialExecutor) {
        self.digest = consume digest
        self.executor = executor
    }

    /// Hashes the piece that ends at `mark`, unless the digest is abandoned.
    func update(_ arena: Arena, _ region: Region, _ mark: UInt64) {
        guard claim.begin(mark) else { return }
        // Executors run their jobs in the order in which they came, so pieces do, too.
        precondition(count + UInt64(region.count) == mark, "a piece has overtaken another")
        digest?.update(arena.bytes(region))
        count = mark
        claim.end()
    }

    func finish(at end: UInt64) -> [UInt8] {
        precondition(count == end, "a digest was finished before its last piece")
        guard let digest = digest.take() else { preconditionFailure("a digest ends once") }
        return digest.finish()
    }
}
