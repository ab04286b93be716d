/// The rows there are, in the order in which a whole run takes them, and the names of groups.
extension Row {
    public static let all = [
        cachedGets, ranges, coldGets, puts(.durable), puts(.written), chunks, mixed, besideCold,
        [idle, sessions],
    ].flatMap { $0 }

    private static let cachedGets = [
        Row(
            "get-1k", .get, .bytes(1 << 10), connections: 64,
            goals: bounds(cpu: 0.55, throughput: 1.8)),
        Row("get-1k-16c", .get, .bytes(1 << 10), connections: 16),
        Row("get-1k-256c", .get, .bytes(1 << 10), connections: 256),
        Row(
            "get-16k", .get, .bytes(16 << 10), connections: 64,
            goals: bounds(cpu: 0.75, throughput: 1)),
        Row(
            "get-64k", .get, .bytes(64 << 10), connections: 64,
            goals: bounds(cpu: 0.75, throughput: 1)),
        Row("get-1m", .get, .bytes(1 << 20), connections: 16),
        Row("get-1g", .get, .large, connections: 1, goals: bounds(cpu: 1.05, throughput: 1)),
        Row("get-1g-16c", .get, .large, connections: 16, goals: bounds(cpu: 1.05, throughput: 1)),
    ]

    private static let ranges = [Row("range-16k", .range, .bytes(16 << 10), connections: 16)]

    private static let coldGets = [
        Row(
            "get-1g-cold", .getCold, .large, connections: 1,
            goals: bounds(cpu: 1.5, throughput: 1.15)
                + [RowGoal(.cpu, .atMost(0.4), of: .nginxDirect)])
    ]

    private static func puts(_ durability: Durability) -> [Row] {
        let isDurable = durability == .durable
        func row(_ name: String, _ size: Size, _ connections: Int, _ goals: [RowGoal]) -> Row {
            Row(
                isDurable ? name : name + "-written", .put, size, connections: connections,
                durability: durability, goals: isDurable ? goals : [])
        }
        return [
            row("put-4k", .bytes(4 << 10), 64, bounds(cpu: 0.3, throughput: 10)),
            row("put-64k", .bytes(64 << 10), 16, []),
            row("put-1m", .bytes(1 << 20), 4, []),
            row("put-1g", .large, 1, bounds(cpu: 0.4, throughput: 2.7)),
            row("put-1g-4c", .large, 4, bounds(cpu: 0.6, throughput: 1.8)),
        ]
    }

    private static let mixed = [
        Row("mixed-4k", .mixed, .bytes(4 << 10), connections: 64, durability: .durable)
    ]

    private static let besideCold = [
        Row(
            "get-4k-beside-cold", .getBesideCold, .bytes(4 << 10), connections: 16,
            goals: [RowGoal(.p99, .atMost(0.2))])
    ]

    public static let idle = Row("idle", .idle, .bytes(1 << 10), connections: 0)

    public static let sessions = Row("sessions", .sessions, .bytes(1 << 10), connections: 64)

    private static func bounds(cpu: Double, throughput: Double) -> [RowGoal] {
        [RowGoal(.cpu, .atMost(cpu)), RowGoal(.throughput, .atLeast(throughput))]
    }

    private static let quickNames = ["get-1k", "get-1g", "put-4k", "put-1g", "idle"]

    public static let groups: [(name: String, rows: [Row])] = [
        ("all", all),
        ("quick", all.filter { quickNames.contains($0.name) }),
        ("get", all.filter { [.get, .range, .getCold].contains($0.work) }),
        ("put", all.filter { $0.work == .put }),
        ("cold", all.filter { [.getCold, .getBesideCold].contains($0.work) }),
        ("durable", all.filter { $0.work == .put && $0.durability == .durable }),
        ("written", all.filter { $0.durability == .written }),
        ("chunks", all.filter { [.putChunks, .sessions].contains($0.work) }),
        ("small", all.filter { $0.unit == .request }),
        ("large", all.filter { $0.size == .large }),
    ]

    /// The row, or the rows of the group, that has this name; empty if none has.
    public static func named(_ name: String) -> [Row] {
        if let row = all.first(where: { $0.name == name }) { return [row] }
        return groups.first { $0.name == name }?.rows ?? []
    }
}
