// The other end of a connection of `FrontBed`, as its kernel and a test see it.

import Foundation
import IO
import Synchronization

/// What one operation sends: regions, one behind the other.
struct Message {
    private let regions: [Region]

    init(_ regions: [Region]) { self.regions = regions }

    var count: Int { regions.reduce(0) { $0 + Int($1.count) } }

    func bytes(_ arena: Arena) -> [UInt8] {
        regions.flatMap { region in
            let span = arena.span(region)
            return unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
        }
    }

    func part(from skipped: Int, count: Int) -> Message {
        var (skipped, left) = (skipped, count)
        var parts: [Region] = []
        for region in regions {
            let start = min(skipped, Int(region.count))
            let taken = min(left, Int(region.count) - start)
            parts.append(region.part(from: start, count: taken))
            skipped -= start
            left -= taken
        }
        return Message(parts)
    }
}

/// The other end of a connection.
final class Client {
    struct Direct {
        let token: Token
        let target: Region
        var count = 0
    }

    static let isWritable: Int32 = 4  // POLLOUT

    let socket: Int32
    var input: [UInt8] = []
    var hasEnded = false
    var receiveToken: Token?
    var receivesOnce = false
    /// What was sent to it last said that more follows, so the kernel may hold it back.
    var isLeftWaiting = false
    var pollToken: Token?
    var direct: Direct?
    /// A drop that waits for bytes.
    var drop: (token: Token, countMax: Int)?
    var heldSends: [Send] = []
    var heldBytesTaken = 0
    /// The queue of a network card by which its packets come (NAPI id); 0: from this machine.
    let queue: Int32
    /// The kernel copies what was to leave without a copy.
    var isCopied = false
    /// What the kernel knows of its link, by how often it was asked before.
    var linkInfo: (Int) -> [UInt8] = { _ in KernelLink().bytes }
    var linkInfoCount = 0
    /// What its socket was told, whether that was refused or not.
    var options: [SocketOption] = []
    /// It acknowledges nothing until a test says so.
    var holdsAcknowledgements = false
    var untaken: [Untaken] = []
    /// Of a send without a copy the second answer comes before the first.
    var isNotifiedFirst = false
    /// What it has not acknowledged is never let go of.
    var isNeverNotified = false
    var resetsOnClose = false
    /// By the client itself.
    var isReset = false
    /// What sending to it answers from now on.
    var sendError: KernelError?
    /// Its receive window is closed: sends stay with the kernel.
    var holdsSends = false
    /// What its socket takes at once all the same: too little for a poll to call it writable.
    var room = 0
    var output: [UInt8] = []
    /// The server has said its last byte.
    var sawEnd = false
    var isClosed = false

    init(socket: Int32, queue: Int32) { (self.socket, self.queue) = (socket, queue) }

    func send(_ text: String) { input += Array(text.utf8) }
    func send(_ bytes: [UInt8]) { input += bytes }

    /// No more bytes from here, but it still listens.
    func endSending() { hasEnded = true }

    var text: String { String(decoding: output, as: UTF8.self) }

    /// The status lines it has received, bodies of text assumed.
    var statuses: [Int] {
        text.components(separatedBy: "HTTP/1.1 ").dropFirst().compactMap { Int($0.prefix(3)) }
    }

    func forgetOutput() { output = [] }
}

/// Memory of beds that have ended: that of an arena stays mapped as long as the process lives.
enum SpareArenas {
    private static let arenas = Mutex<[Arena]>([])

    static func take(_ count: Int) -> Arena {
        let spare = arenas.withLock { arenas in
            arenas.firstIndex { $0.count == count }.map { arenas.remove(at: $0) }
        }
        if let spare { return spare }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1 << 20)
        return unsafe Arena(bytes)
    }

    static func giveBack(_ arena: Arena) { arenas.withLock { $0.append(arena) } }
}
