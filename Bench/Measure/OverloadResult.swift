// What an overload run has found, and whether it is what it must be.

/// What so many clients get that ask as soon as they are answered, if nobody is refused.
public struct ClosedPoint: Equatable, Sendable, Codable {
    public let clients: Int
    /// Requests a second.
    public let goodput: Double
    public let latency: Latency?

    public init(clients: Int, goodput: Double, latency: Latency?) {
        (self.clients, self.goodput, self.latency) = (clients, goodput, latency)
    }
}

/// One kind of work at every load, with admission and without.
public struct OverloadRow: Equatable, Sendable, Codable {
    public let work: OverloadWork
    /// Requests a second that the server has done when it was asked for more.
    public let capacity: Double
    /// The server's CPU-seconds a second meanwhile.
    public let capacityCPU: Double
    public let points: [OverloadPoint]
    /// Empty in a look.
    public let closed: [ClosedPoint]

    public init(
        work: OverloadWork, capacity: Double, capacityCPU: Double, points: [OverloadPoint],
        closed: [ClosedPoint] = []
    ) {
        (self.work, self.capacity, self.points) = (work, capacity, points)
        (self.capacityCPU, self.closed) = (capacityCPU, closed)
    }

    /// What the server's CPU allows at the highest load, whoever refuses.
    public struct Arithmetic: Equatable, Sendable {
        /// CPU-seconds of one request, and of one that is refused.
        public let service: Double
        public let refusal: Double
        /// By the capacity: what is left for requests when all others are refused.
        public let goodputMax: Double
    }

    /// Nil if nothing was refused there, or if something else is what limits the server: then it
    /// has more of the processor left.
    public var arithmetic: Arithmetic? {
        guard let most = points(hasAdmission: true).last, most.refusals > 0, capacity > 0,
            most.serverCPU <= capacityCPU * 1.1
        else { return nil }
        let service = capacityCPU / capacity
        let refusal = max(0, most.serverCPU - most.goodput * service) / most.refusals
        guard refusal < service else {
            return Arithmetic(service: service, refusal: refusal, goodputMax: 0)
        }
        let left = (service - most.load * refusal) / (service - refusal)
        return Arithmetic(
            service: service, refusal: refusal, goodputMax: min(1, max(0, left)))
    }

    public struct Finding: Equatable, Sendable {
        public let what: String
        public let value: String
        public let goal: String
        public let isMet: Bool
    }

    static let goodputMin = 0.9
    static let delayMax = 3.0
    static let highestLoad = 3.0

    public func points(hasAdmission: Bool) -> [OverloadPoint] {
        points.filter { $0.hasAdmission == hasAdmission }.sorted { $0.load < $1.load }
    }

    /// The greatest of all points and of what was found first.
    public var peak: Double {
        (points.map(\.goodput) + closed.map(\.goodput)).reduce(capacity, max)
    }

    /// By the peak, the most that is done within the goal for p99 when no more ask than are
    /// answered in time and nobody has to be refused: no choice of whom to take does more. Nil if
    /// it was not measured.
    public var goodputInTime: Double? {
        guard !closed.isEmpty, let unloaded = points(hasAdmission: true).first?.admitted?.p99
        else { return nil }
        let inTime = closed.filter { point in
            point.latency.map { Double($0.p99) <= OverloadRow.delayMax * Double(unloaded) } ?? false
        }
        return (inTime.map(\.goodput).max() ?? 0) / peak
    }

    /// At the highest load, with admission; empty if that was not measured, or has no goals.
    public var findings: [Finding] {
        let mine = points(hasAdmission: true)
        guard work.hasGoals, let least = mine.first, let most = mine.last,
            most.load >= OverloadRow.highestLoad, let unloaded = least.admitted?.p99
        else { return [] }
        let goodput = most.goodput / peak
        let delay = most.admitted.map { Double($0.p99) / Double(unloaded) }
        let strays = most.broken + most.refusedWithoutTime
        return [
            Finding(
                what: "goodput at \(Digits.fixed(most.load, 1))× by the peak",
                value: Digits.fixed(goodput, 2), goal: "≥ 0.9",
                isMet: goodput >= OverloadRow.goodputMin),
            Finding(
                what: "p99 of what was taken by p99 at \(Digits.fixed(least.load, 1))×",
                value: delay.map { Digits.fixed($0, 2) } ?? "none was taken", goal: "≤ 3",
                isMet: (delay ?? .infinity) <= OverloadRow.delayMax),
            Finding(
                what: "answers that are neither right nor 503 with Retry-After",
                value: "\(strays)", goal: "0", isMet: strays == 0),
        ]
    }
}

public struct OverloadRun: Equatable, Sendable, Codable {
    /// Date, commit, machine: one fact a line.
    public var facts: [String]
    public var overload: [OverloadRow] = []

    public init(facts: [String]) { self.facts = facts }

    public var markdown: String {
        var text = "# Overload\n\n" + facts.map { "- \($0)\n" }.joined()
        text += "\nRequests leave on a schedule; every time counts from when its request was due."
        text += " \"Off\" is `limits.queue_delay_target = \"0s\"`.\n"
        for row in overload {
            text += "\n## \(row.work.name)\n\n"
            text += "Capacity, found by 64 clients that ask as soon as they are answered:"
            text += " \(Digits.fixed(row.capacity, 0)) requests/s.\n\n"
            text += OverloadRun.table(row)
            if !row.findings.isEmpty { text += "\n" + OverloadRun.verdicts(row) }
            if let arithmetic = row.arithmetic {
                text += "\n" + OverloadRun.words(arithmetic) + "\n"
            }
            if let inTime = row.goodputInTime {
                text += "\n" + OverloadRun.closedTable(row)
                text += "\nWithin the goal for p99, with nobody to refuse, the server does"
                text += " \(Digits.fixed(inTime, 2)) of its peak.\n"
            }
        }
        return text
    }

    private static func table(_ row: OverloadRow) -> String {
        var table = MarkdownTable([
            "load", "admission", "offered/s", "goodput/s", "by capacity", "p50 taken, ms",
            "p99 taken, ms", "refused/s", "p50 refused, ms", "p99 refused, ms", "unsent",
            "broken", "server CPU",
        ])
        for hasAdmission in [true, false] {
            for point in row.points(hasAdmission: hasAdmission) {
                table.add([
                    "\(Digits.fixed(point.load, 2))×", hasAdmission ? "on" : "off",
                    Digits.fixed(point.offered, 0), Digits.fixed(point.goodput, 0),
                    Digits.fixed(point.goodput / row.capacity, 2),
                    milliseconds(point.admitted?.p50),
                    milliseconds(point.admitted?.p99), Digits.fixed(point.refusals, 0),
                    milliseconds(point.refused?.p50), milliseconds(point.refused?.p99),
                    "\(point.unsent)", "\(point.broken + point.refusedWithoutTime)",
                    Digits.fixed(point.serverCPU, 2),
                ])
            }
        }
        return table.text
    }

    private static func closedTable(_ row: OverloadRow) -> String {
        let unloaded = row.points(hasAdmission: true).first?.admitted?.p99
        var table = MarkdownTable([
            "clients, off", "goodput/s", "by peak", "p50, ms", "p99, ms", "by unloaded p99",
        ])
        for point in row.closed {
            var share = "–"
            if let unloaded, let p99 = point.latency?.p99 {
                share = Digits.fixed(Double(p99) / Double(unloaded), 2)
            }
            table.add([
                "\(point.clients)", Digits.fixed(point.goodput, 0),
                Digits.fixed(point.goodput / row.peak, 2), milliseconds(point.latency?.p50),
                milliseconds(point.latency?.p99), share,
            ])
        }
        return table.text
    }

    private static func words(_ arithmetic: OverloadRow.Arithmetic) -> String {
        let service = Digits.fixed(arithmetic.service * 1e6, 1)
        let refusal = Digits.fixed(arithmetic.refusal * 1e6, 1)
        return "A request costs \(service) µs of the server's CPU, one that is refused"
            + " \(refusal) µs: at the highest load no more than"
            + " \(Digits.fixed(arithmetic.goodputMax, 2)) of the capacity is possible."
    }

    private static func verdicts(_ row: OverloadRow) -> String {
        var table = MarkdownTable(["must reach", "value", "goal", "verdict"])
        for finding in row.findings {
            table.add([
                finding.what, finding.value, finding.goal, finding.isMet ? "met" : "not met",
            ])
        }
        return table.text
    }

    private static func milliseconds(_ nanoseconds: UInt64?) -> String {
        nanoseconds.map { Digits.fixed(Double($0) / 1e6, 2) } ?? "–"
    }
}
