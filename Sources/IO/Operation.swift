/// Everything this program asks of the kernel once it is running. Plain data: the real ring turns
/// it into submission entries, the simulated one into delays, reorderings and faults.
public enum Operation: Sendable {
    case nop
    /// Multishot: one submission, one completion a connection, until `more` is false.
    case accept(listener: Descriptor)
    /// Into buffers that the kernel picks. Multishot: one submission, one completion a filled
    /// buffer, until `more` is false; or one buffer at most, with `once`.
    case receive(socket: Descriptor, group: BufferGroup, once: Bool)
    /// Once; with `whole`, not before the region is full or the peer has ended.
    case receiveInto(socket: Descriptor, target: Region, whole: Bool)
    /// Up to so many bytes that have come are dropped without a copy (MSG_TRUNC, tcp(7)); waits for
    /// the first of them.
    case dropReceived(socket: Descriptor, count: UInt32)
    /// The whole region, however often the socket fills up. `more` promises further bytes.
    case send(socket: Descriptor, source: Region, more: Bool)
    /// The same without a copy, where the socket's way out can: the kernel reads the region until
    /// the peer has acknowledged all of it. So two completions come, normally in this order: how
    /// much went out, with `more`; and a notification that the region is free again. There is no
    /// notification behind a completion without `more`.
    case sendZeroCopy(socket: Descriptor, source: Region, more: Bool)
    /// Two regions, one behind the other, as if they were one.
    case sendPair(socket: Descriptor, first: Region, second: Region)
    /// Page-cached file bytes to a socket, without copying and without blocking: executed when it
    /// is submitted. Answers the count, `wouldBlock` (socket full) or `notResident` (by `test`).
    /// With a `head` that goes before them, which counts as well: if any of it leaves, the test is
    /// passed, and what keeps the file's bytes from following is the next request's to find out.
    case sendFile(
        socket: Descriptor, head: Region? = nil, file: Descriptor, offset: UInt64, count: UInt32,
        test: ResidencyTest)
    /// While it is on, only full segments leave (TCP_CORK); switching it off sends the rest.
    /// Executed when it is submitted.
    case cork(socket: Descriptor, isOn: Bool)
    /// Between a pipe and anything; offsets are nil on the side that is a pipe or socket.
    case splice(
        source: Descriptor, sourceOffset: UInt64?, target: Descriptor, targetOffset: UInt64?,
        count: UInt32)
    /// A pipe that holds `count` bytes, or what the kernel grants: that is the answer. Writes the
    /// numbers of its reading and its writing end into `ends`, 4 bytes each. Executed when it is
    /// submitted.
    case openPipe(count: UInt32, ends: Region)
    /// What is in a pipe to a socket, without copying and without blocking: executed when it is
    /// submitted. Answers the count or `wouldBlock` (socket full).
    case sendPipe(pipe: Descriptor, socket: Descriptor, count: UInt32)
    /// Drops up to `count` bytes that are in a pipe. Executed when it is submitted.
    case discard(pipe: Descriptor, count: UInt32)
    case poll(descriptor: Descriptor, readiness: Readiness)
    case read(file: Descriptor, offset: UInt64, target: Region)
    case write(file: Descriptor, offset: UInt64, source: Region)
    /// Data and what is needed to find it again (fdatasync).
    case sync(file: Descriptor)
    /// Reserves space and extends the file (fallocate, mode 0).
    case allocate(file: Descriptor, offset: UInt64, count: UInt64)
    /// Drops the range's clean pages from the page cache (posix_fadvise, POSIX_FADV_DONTNEED);
    /// to the file's end if `count` is 0.
    case dropCached(file: Descriptor, offset: UInt64, count: UInt32)
    /// `path` holds a NUL-terminated name, resolved beneath `directory` only (RESOLVE_BENEATH).
    case open(directory: Descriptor, path: Region, flags: UInt64, mode: UInt64)
    /// The file's size in whole 4 KiB blocks, or `.fileTooLarge` if 31 bits cannot count them;
    /// executed when it is submitted.
    case measure(file: Descriptor)
    case close(Descriptor)
    /// What the ring's thread has cost the processor: microseconds modulo 2³⁰; executed when it is
    /// submitted.
    case threadTime
    /// Which receive queue of a network card brought the connection's last packet: its NAPI id
    /// (Linux 4.12), or 0 if it came from this machine. Executed when it is submitted.
    case incomingQueue(socket: Descriptor)
    /// Where the connection comes from: a `struct sockaddr` into `target`, cut if that is shorter.
    /// Answers its length (getpeername(2)). Executed when it is submitted.
    case peerAddress(socket: Descriptor, target: Region)
    /// From now on closing the socket drops what its peer has not acknowledged, and resets the
    /// connection (SO_LINGER of 0). Executed when it is submitted.
    case resetOnClose(socket: Descriptor)
    /// What the kernel knows of a connection (`struct tcp_info`): its first bytes, as many as the
    /// kernel has and `target` holds; answers how many those are. Executed when it is submitted.
    case linkInfo(socket: Descriptor, target: Region)
    /// Says how a socket is to send from now on. Executed when it is submitted.
    case tune(socket: Descriptor, option: SocketOption)
    /// Executed when it is submitted.
    case shutdown(socket: Descriptor, direction: Direction)
    /// Answers `timedOut` after that many nanoseconds.
    case timeout(nanoseconds: UInt64)
    /// Ends the request that carries this token, if it is still in flight.
    case cancel(Token)
    /// Posts a completion with `token` on another ring.
    case message(ring: Descriptor, token: Token)
}

public enum Readiness: Sendable { case readable, writable }

/// What `sendFile` makes sure of first, so that it never waits for the disk.
public enum ResidencyTest: Sendable {
    /// Nothing: the caller has just been told that the bytes are there.
    case none
    /// That the pages are cached: enough where no read of them can be under way.
    case presence
    /// That the pages are cached and their bytes have come.
    case readability
}

/// Which half of a connection to end (shutdown(2)).
public enum Direction: Sendable { case sending, both }

/// The kernel's answer: who asked, how it went, and whether more answers will follow.
public struct Completion: Sendable {
    public let token: Token
    /// A count or descriptor, or a negated errno; of a notification `sentInPlace` or `wasCopied`.
    public let result: Int32
    /// The provided buffer that holds the received bytes.
    public let buffer: UInt16?
    public let more: Bool
    /// The second answer to `sendZeroCopy`: its bytes are needed no longer.
    public let isNotification: Bool

    /// Nothing was copied.
    public static let sentInPlace: Int32 = 0
    /// The kernel has copied bytes all the same, or there were none to send.
    public static let wasCopied: Int32 = 1

    @inline(__always)
    public init(
        token: Token, result: Int32, buffer: UInt16? = nil, more: Bool = false,
        isNotification: Bool = false
    ) {
        self.token = token
        self.result = result
        self.buffer = buffer
        self.more = more
        self.isNotification = isNotification
    }
}

/// A file descriptor of this process.
public struct Descriptor: Equatable, Sendable {
    public let number: Int32
    @inline(__always) public init(_ number: Int32) { self.number = number }
}

/// A family of equally sized receive buffers from which the kernel picks.
public struct BufferGroup: Equatable, Sendable {
    public let id: UInt16
    public init(id: UInt16) { self.id = id }
}

/// A range inside the one memory region that a core registers with the kernel at start-up.
public struct Region: Equatable, Sendable {
    public let offset: UInt32
    public let count: UInt32

    @inline(__always)
    public init(offset: UInt32, count: UInt32) { (self.offset, self.count) = (offset, count) }

    /// `count` bytes that start `skipped` bytes into this region.
    @inline(__always)
    public func part(from skipped: Int, count: Int) -> Region {
        precondition(skipped >= 0 && count >= 0 && skipped + count <= Int(self.count))
        return Region(offset: offset + UInt32(skipped), count: UInt32(count))
    }
}
