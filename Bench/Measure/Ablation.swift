/// One part of Millrace that can be switched off, and the rows that should be the worse for it.
public struct Ablation: Equatable, Sendable {
    /// Of the part: a word or two with hyphens.
    public let name: String
    /// What users would write into their configuration, key and value in a line. No section of
    /// these keys may be among those that the bench itself writes.
    public let configuration: [String]
    /// What the environment allows of locked memory, in bytes; nil leaves it as it is.
    public let lockedMemoryMax: Int?
    /// What every buffer of a large transfer has instead of a size that adapts; nil leaves them as
    /// they are. Downloads lease buffers only for what they read from the disk, so both sides read
    /// all of it from there.
    public let bufferBytes: Int?
    /// Of rows of the matrix.
    public let rowNames: [String]
    /// What Millrace must reach beside itself without the part.
    public let goals: [RowGoal]

    init(
        _ name: String, _ configuration: [String] = [], lockedMemoryMax: Int? = nil,
        bufferBytes: Int? = nil, rows: [String], goals: [RowGoal] = []
    ) {
        (self.name, self.configuration, rowNames) = (name, configuration, rows)
        (self.lockedMemoryMax, self.bufferBytes) = (lockedMemoryMax, bufferBytes)
        self.goals = goals
    }

    /// The parts, a line each.
    public static let all = [
        // Below 8 MiB there is none; the buffers that handlers lease are fewer, too.
        Ablation("hot-cache", ["server.memory_per_core = \"7MiB\""], rows: ["get-1k", "get-16k"]),
        Ablation("page-cache", ["downloads.verify = \"always\""], rows: ["get-1g", "range-16k"]),
        // Enough for the ring itself, which nobody can do without.
        Ablation("registered-buffers", lockedMemoryMax: 1 << 20, rows: ["get-1g-cold", "put-1g"]),
        // All of max_buffer_size.
        Ablation(
            "adaptive-buffers", ["performance.adaptive_buffers = false"],
            rows: ["get-1g-cold", "put-1g"]),
        // What is asked of the kernel and remembered of clients: it should cost nothing here, where
        // it brings nothing either.
        Ablation(
            "links",
            [
                "streaming.bandwidth_estimation = false", "streaming.quality_adaptation = false",
                "performance.connection_type_detection = false",
                "performance.client_profiling = false", "performance.intelligent_chunking = false",
            ], rows: ["get-1k", "get-1m", "get-1g", "put-1m", "put-1g"]),
        Ablation(
            "resilience",
            ["streaming.automatic_retry = false", "streaming.circuit_breaker = false"],
            rows: ["put-4k", "put-1g"]),
        Ablation("flush", ["storage.durability = \"written\""], rows: ["put-4k", "put-64k"]),
    ]

    /// What a server's command begins with. Who may lock any amount of memory gives that up.
    public func prefix(isRoot: Bool) -> [String] {
        guard let lockedMemoryMax else { return [] }
        let drop = ["setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock"]
        return ["prlimit", "--memlock=\(lockedMemoryMax):\(lockedMemoryMax)"] + (isRoot ? drop : [])
    }
}
