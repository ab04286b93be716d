// What of a run's JSON can be drawn.

/// A run, read leniently: what is not there is left out, and said.
public struct PlotRun: Equatable, Sendable {
    public struct Span: Equatable, Sendable {
        public let middle: Double
        public let least: Double
        public let greatest: Double
    }

    /// So many latencies were at most so many nanoseconds, and more than the bucket before has.
    public struct Bucket: Equatable, Sendable {
        public let upTo: Double
        public let count: Double
    }

    public struct Side: Equatable, Sendable {
        public let name: String
        /// CPU-seconds per GB or per request.
        public let cpu: Span?
        /// GB or requests a second.
        public let throughput: Span?
        /// In order; empty if nothing was scheduled.
        public let latencies: [Bucket]
        public let requestsDue: Double?
    }

    public struct Row: Equatable, Sendable {
        public let name: String
        /// What it does, how durably and without what, such as "put, durable"; rows of equal kinds
        /// are a family.
        public let kind: String
        /// The name of the same work with everything.
        public let base: String
        /// Of every buffer of the reduced side; nil if they adapt on both.
        public let bufferBytes: Double?
        public let connections: Int?
        /// Counted per GB, not per request.
        public let isPerGigabyte: Bool
        public let bytesPerObject: Double?
        public let sides: [Side]
    }

    public let date: String
    public let commit: String
    public let rows: [Row]
    /// Every server of any row, in the order in which they come first.
    public let sideNames: [String]
    /// What was left out.
    public private(set) var notes: [String] = []

    public init(_ json: JSONValue) {
        date = json["environment"]?["date"]?.text ?? ""
        commit = json["environment"]?["commit"]?.text ?? ""
        var rows: [Row] = []
        for (index, value) in (json["rows"]?.list ?? []).enumerated() {
            if let row = PlotRun.row(value) {
                rows.append(row)
            } else {
                let name =
                    value["row"]?["name"]?.text ?? value["row"]?.text ?? "number \(index + 1)"
                notes.append("row \(name) is not written as runs are now and was left out")
            }
        }
        self.rows = rows
        var names: [String] = []
        for side in rows.flatMap(\.sides) where !names.contains(side.name) {
            names.append(side.name)
        }
        sideNames = names
    }

    /// What has the same colour in all drawings of a run.
    func number(of side: String) -> Int { sideNames.firstIndex(of: side) ?? 0 }

    private static func row(_ json: JSONValue) -> Row? {
        guard let facts = json["row"], let name = facts["name"]?.text,
            let work = facts["work"]?.text, let unit = facts["unit"]?.text,
            let sides = json["sides"]?.list?.compactMap(side), !sides.isEmpty
        else { return nil }
        let without = facts["without"]?.text
        let kind = [work, facts["durability"]?.text, without.map { "without \($0)" }]
            .compactMap(\.self)
        return Row(
            name: name, kind: kind.joined(separator: ", "),
            base: without.map { name.replacing("-without-\($0)", with: "") } ?? name,
            bufferBytes: facts["bufferBytes"]?.number.flatMap { $0 > 0 ? $0 : nil },
            connections: facts["connections"]?.number.map { Int($0) },
            isPerGigabyte: unit == "gigabyte", bytesPerObject: json["bytesPerObject"]?.number,
            sides: sides)
    }

    private static func side(_ json: JSONValue) -> Side? {
        guard let name = json["side"]?.text else { return nil }
        let latency = json["latency"]
        return Side(
            name: name, cpu: span(json["figures"]?["serverCPU"]),
            throughput: span(json["figures"]?["throughput"]),
            latencies: (latency?["buckets"]?.list ?? []).compactMap { bucket in
                guard let upTo = bucket["upTo"]?.number, let count = bucket["count"]?.number
                else { return nil }
                return Bucket(upTo: upTo, count: count)
            }, requestsDue: latency?["perSecond"]?.number)
    }

    private static func span(_ json: JSONValue?) -> Span? {
        guard let middle = json?["median"]?.number, let least = json?["least"]?.number,
            let greatest = json?["greatest"]?.number, least <= middle, middle <= greatest
        else { return nil }
        return Span(middle: middle, least: least, greatest: greatest)
    }
}
