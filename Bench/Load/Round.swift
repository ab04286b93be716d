/// One run of the load client: its connections, who may ask when, and what counted.

public import BenchMeasure
import IO

/// How an open loop runs: from `firstConnection` on, connections ask when a request is due and not
/// before; those below ask again as soon as they are answered.
public struct Pace: Equatable, Sendable {
    public let perSecond: Double
    public let firstConnection: Int

    public init(perSecond: Double, firstConnection: Int = 0) {
        (self.perSecond, self.firstConnection) = (perSecond, firstConnection)
    }
}

struct Round {
    let pool: SyncPool?
    var connections: [ConnectionState] = []
    var tally = LoadTally()
    /// Operations whose completion is still to come.
    var inFlight = 0
    /// Objects that the pool has not answered for.
    var flushing = 0
    var isListening = false

    /// Nil without a pace, and once nothing will be due any more.
    private(set) var schedule: Schedule?
    private(set) var firstPaced = 0
    /// Paced connections without a request, the longest free first.
    private(set) var free: [Int] = []
    private var deadline: UInt64 = .max
    /// No connection without a pace asks any more.
    private var isOver = false
    /// Connections without a pace that still ask.
    private var unpacedCount = 0

    init(pool: SyncPool?) { self.pool = pool }

    mutating func begin(at start: UInt64, seconds: Double?, pace: Pace?) {
        deadline = seconds.map { start + UInt64($0 * 1e9) } ?? .max
        for index in connections.indices { connections[index].began = start }
        firstPaced = min(pace?.firstConnection ?? connections.count, connections.count)
        unpacedCount = firstPaced
        guard let pace else { return }
        schedule = Schedule(perSecond: pace.perSecond, from: start, until: deadline)
        free = Array(firstPaced..<connections.count)
    }

    var isRunning: Bool { inFlight > 0 || schedule?.next != nil }

    mutating func lookAtClock(_ now: UInt64) {
        if now >= deadline { isOver = true }
    }

    /// A request that is due and the connection to send it on, if there are both.
    mutating func takeDue(at now: UInt64) -> (connection: Int, due: UInt64)? {
        guard let connection = free.first, let due = schedule?.take(at: now) else { return nil }
        free.removeFirst()
        return (connection, due)
    }

    /// What was due before the deadline is asked for, however late.
    func mayAsk(_ index: Int) -> Bool { index >= firstPaced || !isOver }

    /// An answer is whole. Answers whether its connection is to ask again at once.
    mutating func count(_ index: Int, at now: UInt64) -> Bool {
        guard index >= firstPaced else {
            tally.objectCount += 1
            tally.spread.add(nanoseconds: now - connections[index].began)
            connections[index].began = now
            return true
        }
        tally.latencies.add(now - connections[index].due)
        free.append(index)
        return false
    }

    /// Work is over for this connection. With the last one that had no pace the paced ones stop.
    mutating func hasNothingToAsk(_ index: Int) {
        if index < firstPaced { unpacedCount -= 1 }
        if index >= firstPaced || unpacedCount == 0 { schedule = nil }
    }
}

struct ConnectionState {
    let socket: Descriptor
    var received = 0
    var requestCount: Int32 = 0
    /// What has not been sent of the current request's body.
    var body: FilePart?
    /// Bytes of the answer that are still to be dropped.
    var rest = 0
    /// When the current request was to leave.
    var due: UInt64 = 0
    /// When it began with its current object, if it has no pace.
    var began: UInt64 = 0

    init(socket: Descriptor) { self.socket = socket }
}

/// What a run counted.
public struct LoadTally: Equatable, Sendable {
    /// Objects of connections that had no pace.
    public var objectCount = 0
    public var seconds = 0.0
    /// CPU of the threads that made files durable.
    public var flushNanoseconds: UInt64 = 0
    /// Of the requests that left on a schedule.
    public var latencies = Histogram()
    /// Of those requests that only completed an upload.
    public var completions = Histogram()
    /// How long objects took, one after the other on each connection without a pace.
    public var spread = Spread()
    public init() {}
}
