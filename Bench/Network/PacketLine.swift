/// What a link does to packets: it delays them, loses them, and cuts their connections. It decides;
/// `PacketRelay` acts.

/// What has become of them since the last restart.
public struct LineCounts: Equatable, Sendable {
    /// Bytes of whole packets that entered, from the client and from the server.
    public var clientBytes: UInt64 = 0
    public var serverBytes: UInt64 = 0
    /// Packets for which there was no room, or no link, and those that it loses.
    public var lost: UInt64 = 0
    /// Times that connections were cut.
    public var cuts: UInt64 = 0
}

struct PacketLine: Sendable {
    private var schedule: LinkSchedule
    private var startedAt: UInt64
    private var queues: [TransitQueue]
    /// For each direction; empty if senders' devices are as narrow.
    private var narrow: [NarrowPlace]
    private var flows = TrackedFlows()
    private(set) var counts = LineCounts()

    /// More than the fastest link here has under way in its longest round trip.
    static let queueBytesMax = 16 << 20

    init(
        _ link: LinkCharacter, seed: UInt64, now: UInt64,
        queueBytesMax: Int = PacketLine.queueBytesMax
    ) {
        schedule = LinkSchedule(link, seed: seed)
        startedAt = now
        queues = LinkEnd.allCases.map { _ in TransitQueue(byteCountMax: queueBytesMax) }
        narrow = PacketLine.narrowPlaces(link)
    }

    /// Begins the schedule anew; what is under way stays so.
    mutating func restart(_ link: LinkCharacter, seed: UInt64, now: UInt64) {
        schedule = LinkSchedule(link, seed: seed)
        (startedAt, counts) = (now, LineCounts())
        narrow = PacketLine.narrowPlaces(link)
    }

    private static func narrowPlaces(_ link: LinkCharacter) -> [NarrowPlace] {
        link.isNarrowBeyond ? LinkEnd.allCases.map { _ in NarrowPlace(link) } : []
    }

    /// A packet comes from that end. Answers what is to go back to it at once.
    mutating func enter(_ packet: [UInt8], from end: LinkEnd, now: UInt64) -> [UInt8]? {
        if end == .client {
            counts.clientBytes += UInt64(packet.count)
        } else {
            counts.serverBytes += UInt64(packet.count)
        }
        if let segment = Segment(packet) {
            if case .refuse(let answer) = flows.judge(segment, from: end) { return answer }
        }
        guard let start = narrow.isEmpty ? now : narrow[end.rawValue].pass(packet.count, now: now)
        else {
            counts.lost += 1
            return nil
        }
        let due = start + schedule.nanosecondsOneWay()
        let isLost = schedule.losesNext()
        if isLost || schedule.isOut(at: now - startedAt)
            || !queues[end.rawValue].enter(packet, due: due)
        {
            counts.lost += 1
        }
        return nil
    }

    /// Resets of what is cut by now; all that was under way is lost then.
    mutating func elapse(now: UInt64) -> [(to: LinkEnd, packet: [UInt8])] {
        guard schedule.isCut(by: now - startedAt), flows.openCount > 0 else { return [] }
        counts.cuts += 1
        for end in LinkEnd.allCases {
            counts.lost += UInt64(queues[end.rawValue].count)
            queues[end.rawValue].removeAll()
        }
        return flows.cut()
    }

    /// The next packet that arrives, and where.
    mutating func leave(now: UInt64) -> (to: LinkEnd, packet: [UInt8])? {
        for end in LinkEnd.allCases {
            if let packet = queues[end.rawValue].leave(now: now) { return (end.other, packet) }
        }
        return nil
    }

    /// When there is something to do if nothing comes.
    var nextMoment: UInt64? {
        let moments = queues.map(\.nextDue) + [schedule.nextCut.map { $0 + startedAt }]
        return moments.compactMap(\.self).min()
    }

    mutating func countLost() { counts.lost += 1 }
}
