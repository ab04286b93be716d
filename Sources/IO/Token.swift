/// Names the owner of a request in the 64 bits the kernel carries from submission to completion.
///
///     63      56 55               32 31                              0
///     |  kind   |   generation      |   slot                          |
///
/// A token is an index, never a pointer. A completion that arrives after its slot was reused
/// carries an old generation and is recognised; a pointer would be a use-after-free.
public struct Token: Equatable, Sendable {
    /// Which table `slot` points into.
    public enum Kind: UInt8, Sendable {
        /// A suspended handler, or one that will ask later: the event loop's waiter table.
        case waiter = 1
        /// A listening socket.
        case accept
        /// A connection's receive, multishot or not.
        case receive
        /// A connection's outgoing bytes.
        case send
        /// A connection's last operation.
        case close
        /// A send out of a buffer that is lent to the kernel, on whichever connection.
        case zeroCopy
        /// Another loop's ring says that work is in this loop's mailbox.
        case message
        /// This loop's eventfd says the same.
        case doorbell
        /// A message to another ring failed; `slot` is the eventfd to use instead.
        case messageRefused
        /// Several writes that became one: known to the ring alone.
        case writeRun
        /// Nobody waits for the answer.
        case ignored
    }

    public let kind: Kind
    public let generation: UInt32
    public let slot: UInt32

    public static let generationMax: UInt32 = (1 << 24) - 1

    @inline(__always)
    public init(_ kind: Kind, generation: UInt32 = 0, slot: UInt32 = 0) {
        assert(generation <= Token.generationMax)
        self.kind = kind
        self.generation = generation
        self.slot = slot
    }

    @inline(__always)
    public var packed: UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(generation) << 32 | UInt64(slot)
    }

    @inline(__always)
    public init(packed: UInt64) {
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: packed >> 56)) else {
            preconditionFailure("completion \(packed) was never submitted by this ring")
        }
        self.kind = kind
        self.generation = UInt32(truncatingIfNeeded: packed >> 32) & Token.generationMax
        self.slot = UInt32(truncatingIfNeeded: packed)
    }
}
