/// Which sends leave out of their buffer without being copied first, and which network cards are
/// left alone for a while because the kernel copied all the same.
///
///     a connection:   unknown ──asked──┬▶ trial ──in place──▶ card
///                                      │    └──copied, refused────┴──▶ none
///                                      └▶ none: this machine, or a card that copied lately
///
/// Where a card sends from memory as it lies, a byte costs a quarter (sends of 64 KiB and more on a
/// device that copies nothing: 0.025 s of processor time a GB, not 0.099). Everywhere else the
/// kernel copies all the same, says so afterwards, and a byte costs 1.2 to 1.5 times as much
/// (loopback). The price is that a buffer is the kernel's until the client has acknowledged its
/// bytes, and nothing takes it back sooner: so what is lent in all has a limit, beyond which, and
/// whenever memory is short, sends are copied.

public struct ZeroCopy: Sendable {
    /// The way that a connection's bytes take, as far as that matters here.
    public enum Route: Equatable, Sendable {
        /// Nobody has asked yet.
        case unknown
        /// A network card, known by the queue through which its packets come (NAPI id). What it
        /// does is known when the client has acknowledged a send: till then there is only one.
        case trial(queue: UInt32)
        /// One that has sent bytes from where they lay.
        case card(queue: UInt32)
        /// Its bytes are copied: nothing is tried.
        case none
    }

    /// Below this a copy costs less than what it takes to do without: the pages' counts, and a
    /// second completion.
    public static let bytesMin = 16 << 10
    /// A card copies for a reason that may pass, such as a packet capture.
    static let retryNanoseconds: UInt64 = 60_000_000_000
    /// Queues that are remembered; a machine with more of them tries some again too soon.
    static let queuesMax = 64

    private struct CopyingQueue {
        let queue: UInt32
        let untilNanoseconds: UInt64
    }

    private let isOn: Bool
    private let lentBytesMax: Int
    private var copyingQueues: [CopyingQueue] = []
    /// Buffers that the kernel has, in bytes.
    public private(set) var lentBytes = 0

    /// - Parameters:
    ///   - isOn: false where the kernel cannot, buffers are not registered, or nobody wants it.
    ///   - poolBytes: what all buffers come from.
    public init(isOn: Bool, poolBytes: Int) {
        self.isOn = isOn
        lentBytesMax = poolBytes / 4
        if isOn { copyingQueues.reserveCapacity(ZeroCopy.queuesMax) }
    }

    /// Whether a connection's route has to be found out before so many bytes are sent.
    public func mustAsk(_ route: Route, count: Int) -> Bool {
        isOn && count >= ZeroCopy.bytesMin && route == .unknown
    }

    /// - Parameter queue: the NAPI id; 0 if there is none, negative if the kernel does not tell.
    public func route(queue: Int32, now: UInt64) -> Route {
        guard queue > 0 else { return .none }
        let isCopying = copyingQueues.contains {
            $0.queue == UInt32(queue) && now < $0.untilNanoseconds
        }
        return isCopying ? .none : .trial(queue: UInt32(queue))
    }

    /// Whether `count` bytes are to leave without a copy, out of a buffer of `bufferBytes`.
    ///
    /// - Parameters:
    ///   - ownBytes: what the connection has lent already. One buffer may always be; further ones
    ///     only within its share.
    ///   - transfers: that have a share.
    ///   - isShort: others wait for memory.
    public func allows(
        _ route: Route, count: Int, bufferBytes: Int, ownBytes: Int, transfers: Int, isShort: Bool
    ) -> Bool {
        guard count >= ZeroCopy.bytesMin, !isShort, lentBytes + bufferBytes <= lentBytesMax else {
            return false
        }
        switch route {
        case .unknown, .none: return false
        case .trial: return ownBytes == 0
        case .card:
            return ownBytes == 0 || ownBytes + bufferBytes <= lentBytesMax / max(transfers, 1)
        }
    }

    public mutating func lent(_ bufferBytes: Int) { lentBytes += bufferBytes }

    public mutating func returned(_ bufferBytes: Int) {
        precondition(lentBytes >= bufferBytes, "more came back than was lent")
        lentBytes -= bufferBytes
    }

    /// What a connection's route is after a send on it has ended and is needed no longer.
    ///
    /// - Parameters:
    ///   - count: bytes that went out. Of none the kernel always says that it copied them.
    ///   - wasCopied: as it has said.
    public mutating func ended(
        _ route: Route, count: Int, wasCopied: Bool, now: UInt64
    ) -> Route {
        guard count > 0 else { return route }
        switch route {
        case .unknown, .none: return route
        case .trial(let queue), .card(let queue):
            guard wasCopied else { return .card(queue: queue) }
            leaveAlone(queue, now: now)
            return .none
        }
    }

    private mutating func leaveAlone(_ queue: UInt32, now: UInt64) {
        copyingQueues.removeAll { $0.queue == queue || $0.untilNanoseconds <= now }
        if copyingQueues.count == ZeroCopy.queuesMax { copyingQueues.removeFirst() }
        copyingQueues.append(
            CopyingQueue(queue: queue, untilNanoseconds: now + ZeroCopy.retryNanoseconds))
    }
}
