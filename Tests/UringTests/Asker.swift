/// One ring and its memory, asked one question at a time.

import Glibc
import IO
import Testing
import Uring

struct Asker: ~Copyable {
    var ring: Ring
    let arena: Arena
    private var asked: UInt32 = 0
    private var unclaimed: [Completion] = []

    /// More than any answer takes on a loaded machine; reached only when one never comes.
    static let patience: UInt64 = 30_000_000_000

    init(entries: UInt32 = 64, bytes: Int = 2 << 20) throws {
        let arena = try unsafe ArenaMemory.map(count: bytes)
        let ring = try Ring(entries: entries, arena: arena)
        self.arena = arena
        self.ring = ring
    }

    /// Queues the operation under a token of its own; the kernel sees it when an answer is awaited.
    mutating func start(_ operation: Operation) -> Token {
        asked += 1
        let token = Token(.waiter, slot: asked)
        ring.enqueue(operation, as: token)
        return token
    }

    /// The next completion that carries `token`.
    mutating func completion(of token: Token) throws -> Completion {
        let deadline = monotonicNanoseconds() + Asker.patience
        while monotonicNanoseconds() < deadline {
            if let index = unclaimed.firstIndex(where: { $0.token == token }) {
                return unclaimed.remove(at: index)
            }
            try turn()
        }
        throw NoAnswer(token: token)
    }

    mutating func result(of token: Token) throws -> Int32 { try completion(of: token).result }

    /// The answer to one operation.
    mutating func ask(_ operation: Operation) throws -> Int32 {
        try result(of: start(operation))
    }

    /// Hands over what is queued and takes what has completed, without waiting for any of it.
    mutating func settle() throws -> [Completion] {
        try turn(sleeping: false)
        defer { unclaimed = [] }
        return unclaimed
    }

    private mutating func turn(sleeping: Bool = true) throws {
        var arrived: [Completion] = []
        try ring.turn(sleeping: sleeping, limit: sleeping ? Asker.patience : 0) {
            arrived.append($0)
        }
        unclaimed += arrived
    }

    func bytes(_ region: Region) -> [UInt8] {
        let span = arena.span(region)
        return span.indices.map { span[$0] }
    }

    func fill(_ region: Region, with bytes: [UInt8]) {
        unsafe arena.copy(bytes.span.bytes, to: region)
    }

    /// A region that holds `bytes`.
    func region(at offset: Int, holding bytes: [UInt8]) -> Region {
        let region = Region(offset: UInt32(offset), count: UInt32(bytes.count))
        fill(region, with: bytes)
        return region
    }

    /// A NUL-terminated path in the arena.
    func path(_ text: String) -> Region { region(at: 0, holding: Array(text.utf8) + [0]) }
}

struct NoAnswer: Error { let token: Token }

/// Bytes that differ from their neighbours and between kibibytes.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 10 &+ seed) }
}

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
