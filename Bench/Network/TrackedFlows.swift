/// The connections over a link, so that they can be cut.

/// Which end of a link.
enum LinkEnd: Int, CaseIterable, Sendable {
    case client, server
    var other: LinkEnd { self == .client ? .server : .client }
}

struct TrackedFlows: Sendable {
    private struct Pair: Hashable {
        let client: Segment.End
        let server: Segment.End
    }

    private struct Flow {
        /// The number that its client began with: the same again is the same connection.
        let begin: UInt32
        /// What each end has acknowledged last, which is what it waits for.
        var acknowledged: [UInt32?] = [nil, nil]
        var hasEnded = [false, false]
        var isCut = false
    }

    private var flows: [Pair: Flow] = [:]
    /// Far more than are ever open at once here.
    static let countMax = 4096

    var openCount: Int { flows.values.count { !$0.isCut } }

    /// What is to be done with a packet from that end.
    enum Verdict: Equatable {
        case pass
        /// Its connection was cut: this goes back to where it came from, and no more of it on.
        case refuse([UInt8]?)
    }

    mutating func judge(_ segment: Segment, from end: LinkEnd) -> Verdict {
        let pair = TrackedFlows.pair(segment, from: end)
        let begins = segment.flags.contains(.begin) && !segment.flags.contains(.acknowledges)
        if begins, end == .client, flows[pair]?.begin != segment.number {
            if flows.count >= TrackedFlows.countMax { flows = flows.filter { !$0.value.isCut } }
            flows[pair] = Flow(begin: segment.number)
        }
        guard var flow = flows[pair] else { return .pass }
        guard !flow.isCut else { return .refuse(segment.refusal?.packet) }
        if segment.flags.contains(.acknowledges) {
            flow.acknowledged[end.rawValue] = segment.acknowledged
        }
        if segment.flags.contains(.end) { flow.hasEnded[end.rawValue] = true }
        let isOver = segment.flags.contains(.reset) || flow.hasEnded == [true, true]
        flows[pair] = isOver ? nil : flow
        return .pass
    }

    /// Cuts every connection. Answers the resets that tell their ends so: each has the number that
    /// its receiver waits for, or else no host believes it (RFC 5961). An end that had not said yet
    /// what it waits for asks, and is refused then.
    mutating func cut() -> [(to: LinkEnd, packet: [UInt8])] {
        var resets: [(to: LinkEnd, packet: [UInt8])] = []
        for (pair, flow) in flows where !flow.isCut {
            flows[pair]?.isCut = true
            for end in LinkEnd.allCases {
                guard let number = flow.acknowledged[end.rawValue] else { continue }
                let (from, to) =
                    end == .client ? (pair.server, pair.client) : (pair.client, pair.server)
                let reset = Segment(from: from, to: to, number: number, acknowledged: 0, .reset)
                resets.append((end, reset.packet))
            }
        }
        return resets
    }

    private static func pair(_ segment: Segment, from end: LinkEnd) -> Pair {
        end == .client
            ? Pair(client: segment.source, server: segment.target)
            : Pair(client: segment.target, server: segment.source)
    }
}
