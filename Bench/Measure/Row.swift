/// A kind of work that is compared, and what Millrace must reach in it.
public struct Row: Equatable, Sendable {
    public private(set) var name: String
    public let work: Work
    public let size: Size
    public let connectionCount: Int
    /// Of its uploads; nil if it has none.
    public let durability: Durability?
    /// In which Millrace is spoken to, where it takes uploads bit by bit.
    public let dialect: Dialect?
    public private(set) var goals: [RowGoal]
    /// What one side does without; nil if Millrace is compared with others.
    public private(set) var ablation: Ablation?

    public enum Work: String, Sendable, Codable {
        case get
        /// The pages of the files are dropped before each round.
        case getCold = "get, cold"
        /// Ranges of `size` at random offsets of a large object.
        case range
        case put
        /// Millrace gets each upload in chunks, others by one PUT.
        case putChunks = "put in chunks"
        /// Nine GETs to one PUT.
        case mixed
        /// GETs on a schedule while large objects are downloaded that no page cache holds.
        case getBesideCold = "get beside cold downloads"
        case idle
        /// Uploads that nobody goes on with, and restarts with them.
        case sessions
    }

    public enum Size: Equatable, Sendable {
        case bytes(Int)
        /// As the options say; 1 GiB if they do not.
        case large

        /// `large` is what the options say.
        public func byteCount(large: Int) -> Int {
            switch self {
            case .bytes(let count): count
            case .large: large
            }
        }
    }

    public enum Durability: String, Sendable, Codable { case durable, written }

    /// How an upload that comes bit by bit is spoken of.
    public enum Dialect: String, Sendable, Codable {
        /// tus 1.0.0.
        case tus
        /// The IETF's resumable uploads.
        case resumable
        /// Chunks by their numbers, in any order, over all connections at once.
        case numbered
    }

    /// What one figure is counted per.
    public enum Unit: String, Sendable, Codable { case gigabyte, request, connection }

    init(
        _ name: String, _ work: Work, _ size: Size, connections: Int,
        durability: Durability? = nil, dialect: Dialect? = nil, goals: [RowGoal] = []
    ) {
        precondition((work == .putChunks) == (dialect != nil), "only chunks have a dialect")
        (self.name, self.work, self.size) = (name, work, size)
        (connectionCount, self.durability, self.goals) = (connections, durability, goals)
        self.dialect = dialect
    }

    /// The same work for Millrace as it is and for Millrace without a part.
    func without(_ ablation: Ablation) -> Row {
        var row = self
        row.name += "-without-\(ablation.name)"
        (row.goals, row.ablation) = (ablation.goals, ablation)
        return row
    }

    /// Bytes weigh more than requests from here on.
    private static let gigabyteSizeMin = 1 << 20

    public var unit: Unit {
        switch (work, size) {
        case (.idle, _), (.sessions, _): .connection
        case (.getBesideCold, _), (_, .large): .gigabyte
        case (_, .bytes(let count)): count >= Row.gigabyteSizeMin ? .gigabyte : .request
        }
    }

    /// Whether requests also leave on a schedule, at half of what the slower server can do.
    public var measuresLatency: Bool { unit == .request }

    /// Whether downloads are read from the disk and compared, also those that the page cache holds.
    public var readsDisk: Bool { ablation?.bufferBytes != nil }

    /// Whether all that is sent comes out of memory, so that no server waits for anything else.
    public var isCached: Bool { [.get, .range].contains(work) && !readsDisk }

    /// Whether pages of memory are written through the page cache by some server.
    public var hasUploads: Bool { durability != nil }

    /// Who can take part.
    public func takes(_ side: Side) -> Bool {
        guard ablation == nil else { return [.millrace, .reduced].contains(side) }
        return switch work {
        case .get, .range: ![.plain, .reduced, .nginxDirect].contains(side)
        case .getCold: ![.plain, .reduced].contains(side)
        case .getBesideCold: [.millrace, .nginx, .nginxDirect].contains(side)
        case .put, .mixed, .idle: [.millrace, .nginx].contains(side)
        case .putChunks: [.millrace, .plain, .nginx].contains(side)
        case .sessions: side == .millrace
        }
    }

    public var title: String {
        let text =
            switch size {
            case .bytes(let count) where count >= 1 << 20: "\(count >> 20) MiB"
            case .bytes(let count): "\(count >> 10) KiB"
            case .large: "large"
            }
        let over = connectionCount == 1 ? "1 connection" : "\(connectionCount) connections"
        let what =
            switch work {
            case .get: "GET \(text), \(isCached ? "cached" : "read from the disk"), \(over)"
            case .getCold: "GET \(text), not in the page cache, \(over)"
            case .range: "\(text) at random offsets of a large object, \(over)"
            case .put: "PUT \(text), \(durability?.rawValue ?? ""), \(over)"
            case .mixed: "90 % GET, 10 % PUT \(durability?.rawValue ?? ""), \(text), \(over)"
            case .getBesideCold:
                "GET \(text) on a schedule beside 8 cold downloads of large objects"
            case .idle: "idle keep-alive connections"
            case .putChunks: "\(text) in \(dialect?.rawValue ?? "") chunks, \(over)"
            case .sessions: "unfinished uploads that lie idle, and restarts with them"
            }
        return ablation.map { "\(what), without \($0.name)" } ?? what
    }

    /// User memory of an idle connection, in bytes.
    public static let idleBytesGoal = 300.0

    /// A client that leaves the server's CPU idle measures itself.
    public static let saturation = 0.95
}

/// A bound on one ratio of Millrace to one peer.
public struct RowGoal: Equatable, Sendable {
    public let figure: Figure
    public let peer: Side
    public let bound: Goal

    public enum Figure: String, CaseIterable, Sendable, Codable {
        case cpu = "server CPU"
        case throughput
        case p99
    }

    init(_ figure: Figure, _ bound: Goal, of peer: Side = .nginx) {
        (self.figure, self.bound, self.peer) = (figure, bound, peer)
    }
}

extension Row: Encodable {
    private enum Key: String, CodingKey {
        case name, title, work, connections, durability, dialect, unit, without, bufferBytes
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(title, forKey: .title)
        try values.encode(work, forKey: .work)
        try values.encode(connectionCount, forKey: .connections)
        try values.encodeIfPresent(durability, forKey: .durability)
        try values.encodeIfPresent(dialect, forKey: .dialect)
        try values.encode(unit, forKey: .unit)
        try values.encodeIfPresent(ablation?.name, forKey: .without)
        try values.encodeIfPresent(ablation?.bufferBytes, forKey: .bufferBytes)
    }
}
