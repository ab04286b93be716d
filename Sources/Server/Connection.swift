/// What a core remembers of one client connection: plain data in a slot, nothing on the heap.
///
///     open ──request that must wait──▶ busy ──answered──▶ open …
///      └──peer ended, error, deadline──▶ ending ──nothing outstanding──▶ closed, slot free
///
/// An idle connection holds its slot and the kernel's pending receive, no buffer and no task.

import Engine
import IO
import Loop

struct Connection {
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// A receive is armed; its last completion is still to come.
        static let receiving = Flags(rawValue: 1 << 0)
        /// Its end was asked for.
        static let receiveCancelled = Flags(rawValue: 1 << 1)
        /// Output is with the kernel.
        static let sending = Flags(rawValue: 1 << 2)
        /// A handler task owns the connection.
        static let busy = Flags(rawValue: 1 << 3)
        /// No request is read any more; what is answered goes out first.
        static let closesAfterOutput = Flags(rawValue: 1 << 4)
        static let peerEnded = Flags(rawValue: 1 << 5)
        /// We have said our last byte and read on until the peer stops, so that it sees the answer.
        static let lingering = Flags(rawValue: 1 << 6)
        static let ending = Flags(rawValue: 1 << 7)
        /// A handler's wait ran into its deadline.
        static let timedOut = Flags(rawValue: 1 << 8)
        /// The metrics listener's client.
        static let isMetrics = Flags(rawValue: 1 << 9)
        /// Close was submitted.
        static let closing = Flags(rawValue: 1 << 10)
        /// `sendingEntry` is pinned in the hot cache.
        static let sendsEntry = Flags(rawValue: 1 << 11)
        /// Nothing is read from it until there is room again.
        static let receiveDeferred = Flags(rawValue: 1 << 12)
        /// Its handler sends while it holds leased buffers that can be filled again later.
        static let canYield = Flags(rawValue: 1 << 13)
        /// Others wait for those buffers: the send was cut short.
        static let hasToYield = Flags(rawValue: 1 << 14)
        /// Its next request may come with a long body, of which no more than one buffer is to be
        /// received before there is a handler for it.
        static let receivesOnce = Flags(rawValue: 1 << 15)
        /// Its end does not wait for what it has lent.
        static let abandonsLent = Flags(rawValue: 1 << 16)
        /// Its handler waits for us, not for the client: see `RequestsUnderWay.pressing`.
        static let presses = Flags(rawValue: 1 << 17)
    }

    var socket = Descriptor(-1)
    var generation: UInt32 = 0
    var flags: Flags = []
    /// Bytes that arrived and wait: a head in pieces, a body for a busy handler, what is pipelined.
    var input = Region(offset: 0, count: 0)
    var inputCount: UInt32 = 0
    /// How much of `input` an earlier parse found to be an incomplete head.
    var inputSeen: UInt32 = 0
    /// Answers being collected or sent.
    var output = Region(offset: 0, count: 0)
    var outputCount: UInt32 = 0
    /// A cached object's body that follows `output`.
    var entryBody = Region(offset: 0, count: 0)
    var sendingEntry: UInt32 = 0
    /// Where the handler wants its body bytes, and how many have come.
    var body = Region(offset: 0, count: 0)
    var bodyCount: UInt32 = 0
    /// A handler waits for body bytes or for the end of the receive that is armed.
    var arrival: Ticket?
    /// `arrival` is for any byte that is kept, not for a filled `body`.
    var waitsForAny = false
    /// By which way its bytes leave, for `ZeroCopy`.
    var route = ZeroCopy.Route.unknown
    /// A handler's operation that the deadline may cut short.
    var interruptible: Token?
    /// Buffers out of which the kernel sends to it, in bytes.
    var lentBytes: UInt32 = 0
    /// What its last long body had come to be received in, at once; 0: there was none.
    var uploadBufferBytes: UInt32 = 0
    /// Of a refused request's body, what is still to come and to be dropped.
    var unwantedCount: UInt32 = 0
    /// Its row in the core's `LinkTable`; 0: none.
    var link: UInt32 = 0
    /// By which its handler's wait for its client is known to `ClientWaits`; 0: by none.
    var wait: UInt32 = 0
    /// In coarse seconds of the loop's clock; 0: none.
    var deadline: UInt32 = 0
    var nextFree: UInt32 = .max

    var hasOperationsOutstanding: Bool {
        !flags.isDisjoint(with: [.receiving, .sending, .busy, .closing])
    }
}

/// The connections of one core, by slot; freed slots are used again with a new generation.
struct ConnectionTable {
    private var connections: [Connection] = []
    private var firstFree = UInt32.max
    private let countMax: Int
    private(set) var count = 0

    init(countMax: Int) { self.countMax = countMax }

    /// One past the highest slot ever used.
    var slotEnd: Int { connections.count }

    subscript(slot: Int) -> Connection {
        @inline(__always) _read { yield connections[slot] }
        @inline(__always) _modify { yield &connections[slot] }
    }

    /// A fresh slot for `socket`, or nil if there are enough.
    mutating func open(_ socket: Descriptor) -> Int? {
        guard count < countMax else { return nil }
        let slot: Int
        if firstFree == .max {
            connections.append(Connection())
            slot = connections.count - 1
        } else {
            slot = Int(firstFree)
            firstFree = connections[slot].nextFree
        }
        let generation = connections[slot].generation
        connections[slot] = Connection()
        connections[slot].generation = generation
        connections[slot].socket = socket
        count += 1
        return slot
    }

    mutating func close(_ slot: Int) {
        precondition(!connections[slot].hasOperationsOutstanding, "the kernel still knows it")
        connections[slot].generation = (connections[slot].generation &+ 1) & Token.generationMax
        connections[slot].socket = Descriptor(-1)
        connections[slot].flags = []
        connections[slot].nextFree = firstFree
        firstFree = UInt32(slot)
        count -= 1
    }

    func isOpen(_ slot: Int) -> Bool { connections[slot].socket.number >= 0 }
}
