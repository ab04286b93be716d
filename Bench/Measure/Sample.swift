/// What one round of one server measured.
public struct Sample: Equatable, Sendable, Codable {
    public var unit: Row.Unit
    public var side: Side
    /// Counted from 0; the two sides of a pair ran back to back.
    public var pair: Int
    /// Objects that counted: answered whole, and durable where the row says so.
    public var objectCount: Int
    public var byteCount: Int
    /// From the first request to the last object that counted.
    public var seconds: Double
    /// The server's process clocks, ended threads and io-wq workers included.
    public var serverCPU: Double
    /// The same as the sum over the threads alive at the end; less if some ended.
    public var serverCPUByThreads: Double
    /// The same in 10 ms ticks.
    public var serverCPUByTicks: Double
    /// The server's CPU while requests ran, without its work afterwards.
    public var serverCPUInRound: Double
    /// The client's threads that made nginx's files durable; 0 for Millrace.
    public var flushCPU: Double
    /// The client's process, flushing threads included.
    public var clientCPU: Double
    /// The rest of the machine: kernel threads and noisy neighbours.
    public var otherCPU: Double
    /// What the host gave to others, over all CPUs.
    public var stolen: Double
    /// Whether every thread of the server was bound to the server's CPU.
    public var isConfined: Bool

    public init(
        unit: Row.Unit, side: Side, pair: Int, objectCount: Int, byteCount: Int, seconds: Double
    ) {
        (self.unit, self.side, self.pair) = (unit, side, pair)
        (self.objectCount, self.byteCount, self.seconds) = (objectCount, byteCount, seconds)
        (serverCPU, serverCPUByThreads, serverCPUByTicks, serverCPUInRound) = (0, 0, 0, 0)
        (flushCPU, clientCPU, otherCPU, stolen) = (0, 0, 0, 0)
        isConfined = true
    }

    /// Gigabytes (10⁹ bytes) or requests.
    public var units: Double {
        unit == .gigabyte ? Double(byteCount) / 1e9 : Double(objectCount)
    }

    public var serverCPUPerUnit: Double { serverCPU / units }
    public var serverAndFlushCPUPerUnit: Double { (serverCPU + flushCPU) / units }
    /// How far the sum over threads falls short of the process clock: what ended threads used.
    public var threadsMissing: Double {
        serverCPU > 0 ? max(0, 1 - serverCPUByThreads / serverCPU) : 0
    }
    public var throughput: Double { units / seconds }
    /// Share of its CPU that the client used while requests ran.
    public var clientUse: Double { clientCPU / seconds }
    /// Share of its CPU that the server used while requests ran; 1 is all of it.
    public var serverUse: Double { serverCPUInRound / seconds }
}
