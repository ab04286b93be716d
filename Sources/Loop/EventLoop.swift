/// One core's life between two turns of its ring: jobs to run, handlers that wait, work from
/// other threads, timers, buffers.
///
/// It is the executor of everything isolated to its core, so a handler reads as straight-line
/// code on the ring's own thread. What it wants from the kernel it leaves in the outbox; whoever
/// drives it (a ring, or a simulated kernel) collects that and hands completions back.
///
///     driver:  runJobs ─▶ take outbox ─▶ kernel ─▶ handle(completion)… ─▶ runJobs …
///
/// Invariant: all state but the mailbox belongs to the thread that called `attach`.

import CThread
public import IO
import Synchronization

@safe
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Unchecked: `mailbox`, `ringNumber` and `doorbell` are for all threads; the rest is for the
    // attached one, which `isCurrent` tells where work enters.
    public typealias Request = (operation: Operation, token: Token)

    /// Its place among the cores of this process.
    public let index: Int
    /// Takes the completions of this core's connections.
    public var observer: (any CompletionObserver)?

    private var outbox = Queue<Request>()
    private var jobs = Queue<UnownedJob>()
    private var arrivals = Queue<Completion>()
    private var observed = Queue<ObservedAnswer>()
    private var endings: [any AnswerObserver] = []
    private var emptied = Queue<UInt16>()
    private var arrivingJobs: [UnownedJob] = []
    var waiters = WaiterTable()
    var timers = TimerHeap()

    /// Monotonic nanoseconds as of the current turn.
    public private(set) var now: UInt64 = 0
    /// Seconds since 1970 as of the current turn.
    public private(set) var wallSeconds: UInt64 = 0
    public private(set) var isStopping = false
    /// Turns of the ring that have ended, and the completions that they brought.
    public private(set) var turnCount: UInt64 = 0
    public private(set) var completionCount: UInt64 = 0
    /// Requests of handlers that the kernel has been or will be asked and has not answered.
    public internal(set) var requestsUnderWay = 0

    private let mailbox = Mailbox()
    /// An eventfd that the driver watches, for threads that have no ring.
    public let doorbell: Descriptor
    /// Where other loops' rings may post a completion; set once the ring exists.
    private let ringNumber = Atomic<Int32>(-1)

    /// Fails with what eventfd(2) said.
    public init(index: Int) throws(KernelError) {
        self.index = index
        let opened = cthread_doorbell_open()
        if let error = KernelError(result: opened) { throw error }
        doorbell = Descriptor(opened)
    }

    // MARK: The driver's side

    /// Makes the calling thread this loop's own.
    public func attach(ring: Descriptor?) {
        unsafe cthread_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
        ringNumber.store(ring?.number ?? -1, ordering: .releasing)
    }

    /// Asks the driver's kernel to tell when another thread has used the eventfd.
    public func watchDoorbell() {
        push(.poll(descriptor: doorbell, readiness: .readable), Token(.doorbell))
    }

    public func detach() {
        cthread_set_current_loop(nil)
        ringNumber.store(-1, ordering: .releasing)
    }

    @inline(__always)
    public var isCurrent: Bool {
        unsafe cthread_current_loop() == Unmanaged.passUnretained(self).toOpaque()
    }

    /// So that a handler which never waits cannot keep the kernel's answers from the others.
    public static let jobsPerTurnMax = 1024

    /// Runs the jobs that are ready, those that they make ready included, and due timers. At most
    /// `jobsPerTurnMax`; `hasJobs` tells whether some are left.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallSeconds: seconds since 1970, for what others will read.
    public func runJobs(now: UInt64, wallSeconds: UInt64 = 0) {
        self.now = now
        self.wallSeconds = wallSeconds
        if !arrivals.isEmpty { observer?.completionsArrived() }
        while let answer = observed.pop() { answer.observer.answered(answer.tag, answer.result) }
        wakeDueTimers()
        collectMail()
        let (serial, task) = unsafe (asUnownedSerialExecutor(), asUnownedTaskExecutor())
        for _ in 0..<EventLoop.jobsPerTurnMax {
            guard let job = jobs.pop() else { break }
            unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        }
        while let observer = endings.popLast() { observer.turnEnds() }
    }

    public var hasJobs: Bool { !jobs.isEmpty || mailbox.hasMail }

    /// When the driver must run us again though nothing completes; nil if never.
    public var nextDeadline: UInt64? { timers.first }

    @inline(__always)
    public func nextRequest() -> Request? { outbox.pop() }

    /// A receive buffer whose bytes have been taken; the kernel may fill it again.
    @inline(__always)
    public func recycle(buffer: UInt16) { emptied.push(buffer) }

    @inline(__always)
    public func nextEmptiedBuffer() -> UInt16? { emptied.pop() }

    /// Asks the driver to return from its loop after this turn. On the loop's thread only.
    public func stop() { isStopping = true }

    @inline(__always)
    public func handle(_ completion: Completion) {
        switch completion.token.kind {
        case .waiter:
            requestsUnderWay -= 1
            if let answer = waiters.complete(completion) { observed.push(answer) }
        case .message, .ignored:
            break
        case .doorbell:
            cthread_doorbell_silence(doorbell.number)
            watchDoorbell()
        case .messageRefused:
            EventLoop.knock(Descriptor(Int32(completion.token.slot)))
        case .accept, .receive, .send, .close, .zeroCopy:
            arrivals.push(completion)
        case .writeRun:
            preconditionFailure("the ring answers each write of a run")
        }
    }

    /// Tells that a turn of the ring has ended, which brought so many completions.
    public func turned(completions: Int) {
        turnCount &+= 1
        completionCount &+= UInt64(completions)
    }

    private func wakeDueTimers() {
        while let waiter = timers.popDue(now: now) { waiters.complete(waiter, with: 0) }
    }

    @inline(__always)
    public func nextArrival() -> Completion? { arrivals.pop() }

    // MARK: The executor's side

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.push(job)
            return
        }
        if mailbox.put(job) { ring() }
    }

    /// Wakes the loop from any thread: through the caller's own ring where it has one.
    private func ring() {
        let target = ringNumber.load(ordering: .acquiring)
        if target >= 0, let current = EventLoop.current {
            current.push(
                .message(ring: Descriptor(target), token: Token(.message)),
                Token(.messageRefused, slot: UInt32(doorbell.number)))
        } else {
            EventLoop.knock(doorbell)
        }
    }

    /// The way to wake a loop from a thread that has no ring, or whose ring was refused.
    private static func knock(_ doorbell: Descriptor) {
        let status = cthread_doorbell_ring(doorbell.number)
        precondition(status == 0, "an eventfd refused a write: errno \(-status)")
    }

    private func collectMail() {
        guard mailbox.hasMail else { return }
        mailbox.take(into: &arrivingJobs)
        for job in arrivingJobs { jobs.push(job) }
        arrivingJobs.removeAll(keepingCapacity: true)
    }

    /// The loop of the calling thread, if it has one.
    public static var current: EventLoop? {
        guard let pointer = unsafe cthread_current_loop() else { return nil }
        return unsafe Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        unsafe UnownedTaskExecutor(ordinary: self)
    }

    public func checkIsolated() {
        precondition(isCurrent, "this belongs to core \(index)'s thread")
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: The handlers' side

    /// Tells `observer` when the jobs of this turn have run.
    public func tellAtEnd(_ observer: any AnswerObserver) { endings.append(observer) }

    /// Leaves a request in the outbox.
    @inline(__always)
    public func push(_ operation: Operation, _ token: Token) {
        outbox.push((operation, token))
    }
}

/// Who takes the answers to its requests itself, on behalf of handlers that wait for more than one:
/// none of them has to run in between.
public protocol AnswerObserver: AnyObject {
    /// The request under that tag was answered. Called before the turn's jobs.
    func answered(_ tag: UInt32, _ result: Int32)
    /// The turn's jobs have run; what is asked now goes to the kernel together with what they have
    /// asked. Called once for each `EventLoop.tellAtEnd`.
    func turnEnds()
}

/// Who takes the completions that no handler waits for: once a turn, before its jobs.
public protocol CompletionObserver: AnyObject {
    /// Fetch them with `EventLoop.nextArrival`.
    func completionsArrived()
}
