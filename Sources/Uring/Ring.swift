/// One core's private line to the kernel: operations go down, completions come up.
///
/// A ring has one owner thread for life (`IORING_SETUP_SINGLE_ISSUER`), so nothing here locks. It
/// must be made on that thread. It knows nothing of HTTP or storage.
///
/// Operations that the kernel answers at once (`sendFile`) run when they are enqueued; their
/// completions wait in `answered` and come up with the next turn, so callers see one kind only.

import CUring
public import IO

@safe
public struct Ring: ~Copyable {
    private let ring: OpaquePointer
    private let arena: Arena
    private let drained: UnsafeMutableBufferPointer<io_uring_cqe>
    private var answered: [Completion] = []
    private var runs = WriteRuns()
    private var gathers: Bool

    /// What was asked for and what the kernel granted.
    public let facts: RingFacts
    /// For `Operation.message` from another ring.
    public let descriptor: Descriptor

    /// One page of the stack's worth: bounds the time between two submissions.
    static let completionsPerTurnMax = 512

    /// Opens a ring over `arena`. Fails with what the kernel said: see `RingProbe.explain`.
    public init(entries: UInt32, arena: Arena) throws(KernelError) {
        precondition(entries.nonzeroBitCount == 1, "the kernel rounds up; say what you mean")
        var opened: OpaquePointer?
        var granted = curing_facts()
        let status = unsafe curing_open(entries, &opened, &granted)
        guard status == 0, let opened = unsafe opened else { throw KernelError(code: -status) }
        unsafe ring = opened
        self.arena = arena
        unsafe drained = .allocate(capacity: Ring.completionsPerTurnMax)
        answered.reserveCapacity(64)
        descriptor = Descriptor(granted.descriptor)
        facts = RingFacts(granted)
        gathers = unsafe curing_gathers(opened)
    }

    deinit {
        unsafe curing_close(ring)
        unsafe drained.deallocate()
    }

    /// Pins the whole arena for reads and writes without per-operation page look-ups. Fails with
    /// `noMemory` when RLIMIT_MEMLOCK is too small; everything then works unregistered, slower.
    public mutating func registerArena() throws(KernelError) {
        let all = Region(offset: 0, count: UInt32(arena.count))
        let status = unsafe curing_register_memory(ring, arena.address(of: all), arena.count)
        gathers = unsafe curing_gathers(ring)
        if let error = KernelError(result: status) { throw error }
    }

    /// Keeps the kernel's own worker threads for this ring on `cpu` (Linux 5.14).
    public mutating func limitWorkers(toCPU cpu: Int) throws(KernelError) {
        let status = unsafe curing_limit_workers_to_cpu(ring, UInt32(cpu))
        if let error = KernelError(result: status) { throw error }
    }

    /// Hands `region` to the kernel as receive buffers of `size` bytes (Linux 5.19).
    public mutating func provideBuffers(
        _ region: Region, size: Int, group: BufferGroup
    ) throws(KernelError) {
        let count = UInt32(Int(region.count) / size)
        precondition(count.nonzeroBitCount == 1 && count <= 1 << 15, "the ring's indices are masks")
        let status = unsafe curing_provide_buffers(
            ring, group.id, arena.address(of: region), count, UInt32(size))
        if let error = KernelError(result: status) { throw error }
    }

    public mutating func giveBack(providedBuffer buffer: UInt16) {
        unsafe curing_give_back_buffer(ring, buffer)
    }

    /// Queues `operation`; the kernel first sees it at the next `turn`.
    public mutating func enqueue(_ operation: Operation, as token: Token) {
        enqueue(operation, token, tag: token.packed)
    }

    @inline(__always)
    private mutating func enqueue(_ operation: Operation, _ token: Token, tag: UInt64) {
        switch operation {
        case .nop:
            unsafe curing_nop(ring, tag)
        case .accept(let listener):
            unsafe curing_accept(ring, listener.number, tag)
        case .receive(let socket, let group, let once):
            unsafe curing_receive(ring, socket.number, group.id, once, tag)
        case .receiveInto(let socket, let target, let whole):
            unsafe curing_receive_into(
                ring, socket.number, arena.address(of: target), Int(target.count), whole, tag)
        case .dropReceived(let socket, let count):
            unsafe curing_receive_into(ring, socket.number, nil, Int(count), false, tag)
        case .send(let socket, let source, let more):
            unsafe curing_send(
                ring, socket.number, arena.address(of: source), Int(source.count), more, tag)
        case .sendZeroCopy(let socket, let source, let more):
            unsafe curing_send_zero_copy(
                ring, socket.number, arena.address(of: source), Int(source.count), more, tag)
        case .sendPair(let socket, let first, let second):
            unsafe curing_send_pair(
                ring, socket.number, arena.address(of: first), Int(first.count),
                arena.address(of: second), Int(second.count), tag)
        case .splice(let source, let from, let target, let to, let count):
            unsafe curing_splice(
                ring, source.number, Ring.position(from), target.number, Ring.position(to), count,
                tag)
        case .poll(let descriptor, let readiness):
            unsafe curing_poll(ring, descriptor.number, readiness == .readable, tag)
        case .read(let file, let offset, let target):
            unsafe curing_read(
                ring, file.number, arena.address(of: target), target.count, offset, tag)
        case .write(let file, let offset, let source):
            write(file, offset, source, token)
        case .sync(let file):
            unsafe curing_sync(ring, file.number, tag)
        case .allocate(let file, let offset, let count):
            unsafe curing_allocate(ring, file.number, offset, count, tag)
        case .dropCached(let file, let offset, let count):
            unsafe curing_drop_cached(ring, file.number, offset, count, tag)
        case .open(let directory, let path, let flags, let mode):
            unsafe curing_open_at(
                ring, directory.number,
                arena.address(of: path).assumingMemoryBound(to: CChar.self), flags, mode, tag)
        case .close(let descriptor):
            unsafe curing_close_descriptor(ring, descriptor.number, tag)
        case .cork, .sendFile, .sendPipe, .openPipe, .discard, .measure, .threadTime, .shutdown,
            .incomingQueue, .peerAddress, .resetOnClose, .linkInfo, .tune:
            answered.append(Completion(token: token, result: act(operation)))
        case .timeout(let nanoseconds):
            unsafe curing_timeout(ring, nanoseconds, tag)
        case .cancel(let target):
            unsafe curing_cancel(ring, target.packed, tag)
        case .message(let other, let message):
            unsafe curing_message(ring, other.number, message.packed, tag)
        }
    }

    /// Leaves it to be gathered with those that follow.
    private mutating func write(
        _ file: Descriptor, _ offset: UInt64, _ source: Region, _ token: Token
    ) {
        if gathers, runs.join(file, offset, source, token) { return }
        submitRun()
        guard !gathers || !runs.join(file, offset, source, token) else { return }
        unsafe curing_write(
            ring, file.number, arena.address(of: source), source.count, offset, token.packed)
    }

    private mutating func submitRun() {
        guard let run = runs.close() else { return }
        let first = run.parts.lowerBound
        if run.parts.count == 1 {
            let source = runs.source(of: first)
            unsafe curing_write(
                ring, run.file.number, arena.address(of: source), source.count, run.offset,
                runs.tokens[first].packed)
            return runs.forget(run.slot)
        }
        let base = unsafe arena.address(of: Region(offset: 0, count: 0))
        let token = Token(.writeRun, slot: UInt32(run.slot))
        unsafe runs.regions.withUnsafeBufferPointer { regions in
            unsafe curing_write_parts(
                ring, run.file.number, base, regions.baseAddress! + first,
                UInt32(run.parts.count), run.offset, token.packed)
        }
    }

    /// What is done at once, without the ring.
    private func act(_ operation: Operation) -> Int32 {
        switch operation {
        case .cork(let socket, let isOn):
            return curing_cork(socket.number, isOn)
        case .sendFile(let socket, let head, let file, let offset, let count, let test):
            let head = head ?? Region(offset: 0, count: 0)
            let sent = unsafe curing_send_file(
                socket.number, arena.address(of: head), Int(head.count), file.number, offset,
                Int(count), Ring.test(test))
            return Int32(sent)
        case .sendPipe(let pipe, let socket, let count):
            return curing_send_pipe(pipe.number, socket.number, count)
        case .openPipe(let count, let ends):
            return unsafe curing_open_pipe(count, arena.address(of: ends))
        case .discard(let pipe, let count):
            return unsafe curing_discard(ring, pipe.number, count)
        case .measure(let file):
            return curing_block_count(file.number)
        case .threadTime:
            return curing_thread_time()
        case .shutdown(let socket, let direction):
            return curing_shutdown(socket.number, direction == .both)
        case .incomingQueue(let socket):
            return curing_incoming_queue(socket.number)
        case .peerAddress(let socket, let target):
            return unsafe curing_peer_address(
                socket.number, arena.address(of: target), target.count)
        case .resetOnClose(let socket):
            return curing_reset_on_close(socket.number)
        case .linkInfo(let socket, let target):
            return unsafe curing_link_info(
                socket.number, arena.address(of: target), target.count)
        case .tune(let socket, let option):
            return Ring.tune(socket.number, option)
        default:
            preconditionFailure("\(operation) is the ring's")
        }
    }

    /// Hands everything queued to the kernel, sleeps until something completes (not at all if
    /// `sleeping` is false, at most until `limit` nanoseconds have passed if that is not zero),
    /// and passes what did to `handle`. The only system call of the steady state. Answers how many
    /// completions that were.
    ///
    /// `self` is exclusively held while `handle` runs, so a handler cannot enqueue: the compiler
    /// rules out re-entrancy. What it wants next, it leaves in its outbox.
    @discardableResult
    public mutating func turn(
        sleeping: Bool = true, limit: UInt64 = 0, _ handle: (Completion) -> Void
    ) throws(KernelError) -> Int {
        submitRun()
        let wanted: UInt32 = sleeping && answered.isEmpty ? 1 : 0
        let status = unsafe curing_submit_and_wait(ring, wanted, limit)
        if let error = KernelError(result: status), !Ring.isHarmless(error) { throw error }
        let answeredCount = answered.count
        if answeredCount > 0 {
            for completion in answered { handle(completion) }
            answered.removeAll(keepingCapacity: true)
        }
        let count = unsafe curing_drain(
            ring, drained.baseAddress!, UInt32(Ring.completionsPerTurnMax))
        for index in 0..<Int(count) {
            let completion = Completion(unsafe drained[index])
            if completion.token.kind == .writeRun {
                runs.end(Int(completion.token.slot), completion.result) { token, result in
                    handle(Completion(token: token, result: result))
                }
            } else {
                handle(completion)
            }
        }
        return answeredCount + Int(count)
    }

    /// Woken without a completion: by the time limit, by a signal, or to make room (EBUSY).
    private static func isHarmless(_ error: KernelError) -> Bool {
        error == .timedOut || error.code == 4 || error == .wouldBlock || error.code == 16
    }

    private static func test(_ test: ResidencyTest) -> curing_residency {
        switch test {
        case .none: CURING_UNTESTED
        case .presence: CURING_CACHED
        case .readability: CURING_READABLE
        }
    }

    private static func position(_ offset: UInt64?) -> Int64 { offset.map { Int64($0) } ?? -1 }
}

extension Completion {
    @inline(__always)
    init(_ entry: io_uring_cqe) {
        let hasBuffer = entry.flags & IORING_CQE_F_BUFFER != 0
        let isNotification = entry.flags & IORING_CQE_F_NOTIF != 0
        self.init(
            token: Token(packed: entry.user_data),
            result: isNotification ? Completion.usage(entry.res) : entry.res,
            buffer: hasBuffer ? UInt16(entry.flags >> 16) : nil,
            more: entry.flags & IORING_CQE_F_MORE != 0, isNotification: isNotification)
    }

    private static func usage(_ bits: Int32) -> Int32 {
        UInt32(bitPattern: bits) & IORING_NOTIF_USAGE_ZC_COPIED != 0 ? wasCopied : sentInPlace
    }
}

/// What a ring was granted: entries, IORING_SETUP_* and IORING_FEAT_* bits.
public struct RingFacts: Equatable, Sendable {
    public let submissionEntries: UInt32
    public let completionEntries: UInt32
    public let setupFlags: UInt32
    public let features: UInt32

    init(_ granted: curing_facts) {
        submissionEntries = granted.submission_entries
        completionEntries = granted.completion_entries
        setupFlags = granted.setup_flags
        features = granted.features
    }

    /// Completions are worked off on the ring's own thread only (Linux 6.1).
    public var defersTaskWork: Bool { setupFlags & IORING_SETUP_DEFER_TASKRUN != 0 }
}
