/// The rows of uploads that Millrace gets in chunks, beside the same ones by one PUT each.
extension Row {
    /// Of all rows; the server is told to have numbered chunks no shorter.
    public static let chunkBytes = 8 << 20
    /// Small objects beside every unfinished upload at a restart.
    public static let objectsPerSession = 10

    static let chunks = [
        Row(
            "assemble-1g", .putChunks, .large, connections: 4, durability: .durable,
            dialect: .numbered,
            goals: [
                RowGoal(.cpu, .atMost(1.1), of: .plain),
                RowGoal(.throughput, .atLeast(0.9), of: .plain),
            ]),
        Row(
            "tus-1g", .putChunks, .large, connections: 1, durability: .durable, dialect: .tus,
            goals: [RowGoal(.cpu, .atMost(0.6))]),
        Row(
            "resume-1g", .putChunks, .large, connections: 1, durability: .durable,
            dialect: .resumable, goals: [RowGoal(.cpu, .atMost(0.6))]),
        Row(
            "resume-1m", .putChunks, .bytes(1 << 20), connections: 1, durability: .durable,
            dialect: .resumable),
        Row(
            "fair-64", .putChunks, .bytes(64 << 20), connections: 64, durability: .durable,
            dialect: .tus),
    ]

    /// The same uploads by one PUT each: what comes over several connections is one upload.
    public var plain: Row {
        precondition(work == .putChunks, "only what comes in chunks has another way to come")
        return Row(
            name, .put, size, connections: dialect == .numbered ? 1 : connectionCount,
            durability: durability)
    }

    /// Whether uploads of one length run beside each other, each over its own connection.
    public var measuresFairness: Bool {
        work == .putChunks && dialect != .numbered && connectionCount > 1
    }
}
