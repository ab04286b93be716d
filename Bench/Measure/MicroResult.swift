/// What was measured of one small thing.
public struct MicroResult: Equatable, Sendable, Codable {
    public let name: String
    /// What one iteration is.
    public let what: String
    /// Of all counted iterations together.
    public let allocationCount: UInt64
    public let countedIterations: Int
    public var iterationsPerSample = 0
    /// Nanoseconds an iteration, one figure a sample; empty if nothing was timed.
    public var samples: [Double] = []

    public init(
        name: String, what: String, allocationCount: UInt64, countedIterations: Int
    ) {
        precondition(countedIterations > 0, "nothing was counted")
        (self.name, self.what) = (name, what)
        (self.allocationCount, self.countedIterations) = (allocationCount, countedIterations)
    }

    public var allocations: Double { Double(allocationCount) / Double(countedIterations) }
    public var nanoseconds: Summary? { Summary(samples) }

    /// Why these are too many allocations; nil if they are not. `limit` is an iteration's.
    public func objection(limit: Double?) -> String? {
        guard let limit else { return "\(name): no limit of its allocations is written down" }
        guard allocations > limit else { return nil }
        return "\(name): \(Digits.fixed(allocations, 3)) allocations an iteration,"
            + " \(Digits.fixed(limit, 3)) allowed"
    }
}

/// A run of microbenches as it is written down.
public struct MicroRun: Equatable, Sendable, Codable {
    /// Date, commit, machine: one fact a line.
    public var facts: [String]
    public var results: [MicroResult]

    public init(facts: [String], results: [MicroResult]) {
        (self.facts, self.results) = (facts, results)
    }

    public var markdown: String {
        var table = MarkdownTable(["bench", "ns an iteration", "allocations", "an iteration is"])
        for result in results {
            let time = result.nanoseconds.map {
                Digits.summary($0, scale: 1, $0.median < 100 ? 1 : 0)
            }
            let isWhole = result.allocations == result.allocations.rounded()
            table.add([
                result.name, time ?? "–", Digits.fixed(result.allocations, isWhole ? 0 : 3),
                result.what,
            ])
        }
        let list = facts.map { "- \($0)\n" }.joined()
        return "# Microbenches\n\n\(list)\nMedians [least–greatest] of the samples.\n\n"
            + table.text
    }
}
