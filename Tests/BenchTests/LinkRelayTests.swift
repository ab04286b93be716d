// Goal:   a link of the lab changes no packet, overtakes none, keeps no more than it has room for,
//         fails by its schedule, which is its seed's, and cuts connections so that both ends know.
// Method: packets made here, moments made up; the checksum by a second formulation.

import Testing

@testable import BenchNetwork

private let millisecond: UInt64 = 1_000_000
private let second: UInt64 = 1_000_000_000
private let client = Segment.End(address: RealLink.serverNumber + 1, port: 40_000)
private let server = Segment.End(address: RealLink.serverNumber, port: 8080)

private func segment(
    from end: LinkEnd, _ flags: Segment.Flags, number: UInt32 = 1, acknowledged: UInt32 = 0,
    port: UInt16 = client.port
) -> Segment {
    let near = Segment.End(address: client.address, port: port)
    return end == .client
        ? Segment(from: near, to: server, number: number, acknowledged: acknowledged, flags)
        : Segment(from: server, to: near, number: number, acknowledged: acknowledged, flags)
}

/// A handshake: the client began with 100, the server with 700.
private func handshake(_ judge: (Segment, LinkEnd) -> Void) {
    judge(segment(from: .client, .begin, number: 100), .client)
    judge(
        segment(from: .server, [.begin, .acknowledges], number: 700, acknowledged: 101), .server)
    judge(segment(from: .client, .acknowledges, number: 101, acknowledged: 701), .client)
}

private func opened() -> TrackedFlows {
    var flows = TrackedFlows()
    handshake { segment, end in
        #expect(told { flows.judge(segment, from: end) } == .pass)
    }
    return flows
}

/// What a mutating call answers: #expect and #require take no such call themselves.
private func told<Value>(_ call: () -> Value) -> Value { call() }

/// Packets that are no IP; nothing but its length and bytes can matter of one.
private func packets(_ count: Int, bytes: Int = 100) -> [[UInt8]] {
    (0..<count).map { number in (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) } }
}

@Suite struct `Packets under way` {
    @Test func `arrive when they are due, unchanged and in order`() {
        var queue = TransitQueue(byteCountMax: 1 << 20)
        let sent = packets(3000)
        var received: [[UInt8]] = []
        for (index, packet) in sent.enumerated() {
            // The second half would arrive before the first.
            let isTaken = queue.enter(packet, due: index < 1500 ? 200 : 100)
            #expect(isTaken)
        }
        #expect(queue.nextDue == 200)
        #expect(told { queue.leave(now: 199) } == nil)
        while let packet = queue.leave(now: 200) { received.append(packet) }
        #expect(received == sent)
        #expect(queue.count == 0 && queue.byteCount == 0 && queue.nextDue == nil)
    }

    @Test func `take no more room than there is`() {
        var queue = TransitQueue(byteCountMax: 250)
        let sent = packets(4)
        #expect(
            [told { queue.enter(sent[0], due: 1) }, told { queue.enter(sent[1], due: 1) }] == [
                true, true,
            ])
        #expect(!told { queue.enter(sent[2], due: 1) })
        #expect(queue.byteCount == 200)
        #expect(told { queue.leave(now: 1) } == sent[0])
        #expect(told { queue.enter(sent[3], due: 1) })
        queue.removeAll()
        #expect(told { queue.leave(now: 1) } == nil && queue.byteCount == 0)
        #expect(told { queue.enter(sent[2], due: 1) })
    }
}

@Suite struct `A narrow place` {
    private let link = LinkCharacter(megabitsPerSecond: 8, roundTripMilliseconds: 40).narrowBeyond

    @Test func `lets packets out one by one, and keeps as many as its buffer holds`() {
        var place = NarrowPlace(link)
        let ends = (0..<100).map { _ in place.pass(1000, now: second) }
        // 64 KiB, a millisecond for 1,000 bytes; and one is on its way out.
        #expect(ends.prefix { $0 != nil }.count == 66)
        #expect(ends.dropFirst(66).allSatisfy { $0 == nil })
        #expect(
            ends.compactMap(\.self) == (1...66).map { second + UInt64($0) * millisecond })
        #expect(told { place.pass(500, now: 3 * second) } == 3 * second + millisecond / 2)
    }

    @Test func `is in front of the link's length, in each direction`() {
        var line = PacketLine(link, seed: 1, now: 0)
        let packet = [UInt8](repeating: 0, count: 1000)
        for end in LinkEnd.allCases {
            for _ in 0..<70 { #expect(told { line.enter(packet, from: end, now: 0) } == nil) }
        }
        #expect(line.counts.lost == 2 * 4)
        var arrivals: [UInt64] = []
        for moment in 0..<200 {
            while let (to, _) = line.leave(now: UInt64(moment) * millisecond) {
                if to == .server { arrivals.append(UInt64(moment)) }
            }
        }
        #expect(arrivals == Array(21..<87))
    }
}

@Suite struct `The schedule of a link` {
    private let bad = LinkCharacter(
        megabitsPerSecond: 8, roundTripMilliseconds: 40, jitterMilliseconds: 10,
        secondsBetweenCuts: 2, secondsBetweenOutages: 3, outageSeconds: 0.5)

    private func moments(_ link: LinkCharacter, seed: UInt64, draws: Int = 0) -> [UInt64] {
        var schedule = LinkSchedule(link, seed: seed)
        var moments: [UInt64] = []
        var wasOut = false
        for step in 0..<20_000 {
            let now = UInt64(step) * 10 * millisecond
            for _ in 0..<draws { _ = schedule.nanosecondsOneWay() }
            let (isCut, isOut) = (schedule.isCut(by: now), schedule.isOut(at: now))
            if isCut || isOut != wasOut { moments.append(now) }
            wasOut = isOut
        }
        return moments
    }

    @Test func `is the same for the same seed, whatever is sent`() {
        let first = moments(bad, seed: 7)
        #expect(first == moments(bad, seed: 7, draws: 3))
        #expect(first != moments(bad, seed: 8))
        // 200 s: 100 cuts, and 57 outages with two moments each.
        #expect((100...320).contains(first.count), "\(first.count)")
    }

    @Test func `has no failures where there are to be none`() {
        let good = LinkCharacter(megabitsPerSecond: 8, roundTripMilliseconds: 40)
        #expect(moments(good, seed: 7).isEmpty)
        var schedule = LinkSchedule(good, seed: 7)
        #expect(schedule.nextCut == nil)
        #expect(schedule.nanosecondsOneWay() == 20 * millisecond)
    }

    @Test func `loses as many as it says, the same for the same seed`() {
        let lossy = LinkCharacter(
            megabitsPerSecond: 8, roundTripMilliseconds: 40, lossShare: 0.01)
        func lost(_ seed: UInt64, of link: LinkCharacter) -> [Int] {
            var schedule = LinkSchedule(link, seed: seed)
            return (0..<20_000).filter { _ in schedule.losesNext() }
        }
        #expect((140...260).contains(lost(7, of: lossy).count))
        #expect(lost(7, of: lossy) == lost(7, of: lossy))
        #expect(lost(7, of: lossy) != lost(8, of: lossy))
        #expect(lost(7, of: bad).isEmpty)
    }

    @Test func `cuts once for all moments that have passed`() throws {
        var schedule = LinkSchedule(bad, seed: 1)
        let moment = try #require(schedule.nextCut)
        #expect(!told { schedule.isCut(by: moment - 1) })
        #expect(told { schedule.isCut(by: moment) })
        #expect(!told { schedule.isCut(by: moment) })
        #expect(told { schedule.isCut(by: moment + 1000 * second) })
        #expect(try #require(schedule.nextCut) > moment + 1000 * second)
    }

    @Test func `has jitter on top of its length, and no more than it says`() {
        var schedule = LinkSchedule(bad, seed: 3)
        let times = (0..<1000).map { _ in schedule.nanosecondsOneWay() }
        #expect(times.allSatisfy { $0 >= 20 * millisecond && $0 < 30 * millisecond })
        #expect(Set(times).count > 900)
    }
}

@Suite struct `A segment` {
    @Test func `reads what it wrote, with sums that are right`() throws {
        let sent = Segment(
            from: client, to: server, number: 0xfedc_ba98, acknowledged: 0x8765_4321,
            [.reset, .acknowledges])
        let packet = sent.packet
        #expect(try #require(Segment(packet)) == sent)
        // RFC 1071: with its own sum among them, words add up to all ones.
        func total(_ bytes: [UInt8]) -> Int {
            let words = stride(from: 0, to: bytes.count, by: 2).map {
                Int(bytes[$0]) * 256 + Int(bytes[$0 + 1])
            }
            return words.reduce(0, +) % 0xffff
        }
        #expect(total(Array(packet[..<20])) == 0)
        #expect(total(Array(packet[12..<20]) + [0, 6, 0, 20] + Array(packet[20...])) == 0)
    }

    @Test func `is none in what is too short, of another kind, or a later part`() {
        let packet = segment(from: .client, .acknowledges).packet
        #expect(Segment(packet) != nil)
        for count in 0..<packet.count { #expect(Segment(Array(packet[..<count])) == nil) }
        for (index, value) in [(0, 0x65), (0, 0x41), (9, 17), (7, 1), (32, 0x10), (32, 0xf0)] {
            var other = packet
            other[index] = UInt8(value)
            #expect(Segment(other) == nil, "byte \(index) is \(value)")
        }
    }

    @Test func `counts its payload and its ends`() throws {
        var packet = segment(from: .client, [.begin, .acknowledges]).packet + [1, 2, 3]
        packet[3] = UInt8(packet.count)
        #expect(try #require(Segment(packet)).length == 4)
    }

    @Test func `is refused as a host without the connection does`() throws {
        let late = segment(from: .client, .acknowledges, number: 5, acknowledged: 9)
        let refusal = try #require(late.refusal)
        #expect(refusal.number == 9 && refusal.flags == .reset)
        #expect(refusal.source == server && refusal.target == client)
        let first = try #require(segment(from: .client, .begin, number: 5).refusal)
        #expect(first.flags == [.reset, .acknowledges] && first.number == 0)
        // What carries no acknowledgement is acknowledged, its begin included.
        var begin = segment(from: .client, .begin, number: 5)
        begin.length = 1
        #expect(begin.refusal?.acknowledged == 6)
        #expect(refusal.refusal == nil)
    }
}

@Suite struct `Connections over a link` {
    @Test func `are told by both ends' numbers that they were cut`() throws {
        var flows = opened()
        #expect(flows.openCount == 1)
        let resets = flows.cut()
        #expect(flows.openCount == 0 && resets.count == 2)
        for (end, packet) in resets {
            let reset = try #require(Segment(packet))
            #expect(reset.flags == .reset)
            // What each has acknowledged is what it waits for.
            #expect(reset.number == (end == .client ? 701 : 101))
            #expect(reset.target == (end == .client ? client : server))
        }
        #expect(told { flows.cut() }.isEmpty, "it is cut already")
    }

    @Test func `stay cut, and whoever still sends over them is refused`() throws {
        var flows = opened()
        _ = flows.cut()
        let late = segment(from: .server, .acknowledges, number: 701, acknowledged: 333)
        guard case .refuse(let answer) = flows.judge(late, from: .server) else {
            Issue.record("it passed")
            return
        }
        #expect(Segment(try #require(answer))?.number == 333)
        let reset = segment(from: .client, .reset, number: 101)
        #expect(told { flows.judge(reset, from: .client) } == .refuse(nil))
        // The same begin once more is a late copy, another one a new connection.
        let copy = segment(from: .client, .begin, number: 100)
        #expect(told { flows.judge(copy, from: .client) } != .pass)
        let fresh = segment(from: .client, .begin, number: 5000)
        #expect(told { flows.judge(fresh, from: .client) } == .pass && flows.openCount == 1)
    }

    @Test func `that ended are nobody's any more`() {
        var flows = opened()
        let end: Segment.Flags = [.end, .acknowledges]
        #expect(told { flows.judge(segment(from: .client, end), from: .client) } == .pass)
        #expect(flows.openCount == 1, "one direction is still open")
        #expect(told { flows.judge(segment(from: .server, end), from: .server) } == .pass)
        #expect(flows.openCount == 0 && told { flows.cut() }.isEmpty)
        let last = segment(from: .client, .acknowledges)
        #expect(told { flows.judge(last, from: .client) } == .pass)
        var others = opened()
        #expect(told { others.judge(segment(from: .server, .reset), from: .server) } == .pass)
        #expect(others.openCount == 0)
    }

    @Test func `that were cut are forgotten when there are too many`() {
        var flows = TrackedFlows()
        for port in 1...UInt16(TrackedFlows.countMax) {
            _ = flows.judge(segment(from: .client, .begin, port: port), from: .client)
        }
        _ = flows.cut()
        _ = flows.judge(segment(from: .client, .begin, port: 60_000), from: .client)
        #expect(flows.openCount == 1)
        let late = segment(from: .client, .acknowledges, port: 1)
        #expect(told { flows.judge(late, from: .client) } == .pass)
    }
}

@Suite struct `A line` {
    private let link = LinkCharacter(megabitsPerSecond: 8, roundTripMilliseconds: 40)

    @Test func `carries both ways, each packet after half a round trip`() throws {
        var line = PacketLine(link, seed: 1, now: 0)
        let (up, down) = (packets(2)[0], packets(2)[1])
        #expect(told { line.enter(up, from: .client, now: 0) } == nil)
        #expect(told { line.enter(down, from: .server, now: millisecond) } == nil)
        #expect(line.nextMoment == 20 * millisecond)
        #expect(told { line.leave(now: 20 * millisecond - 1) } == nil)
        let first = try #require(told { line.leave(now: 20 * millisecond) })
        #expect(first.to == .server && first.packet == up)
        let next = try #require(told { line.leave(now: 21 * millisecond) })
        #expect(next.to == .client && next.packet == down)
        #expect(line.nextMoment == nil && told { line.leave(now: second) } == nil)
        #expect(line.counts == LineCounts(clientBytes: 100, serverBytes: 100))
    }

    @Test func `that is full loses what comes`() {
        var line = PacketLine(link, seed: 1, now: 0, queueBytesMax: 150)
        for packet in packets(3) { _ = line.enter(packet, from: .client, now: 0) }
        #expect(line.counts.lost == 2)
        #expect(told { line.leave(now: second) } != nil && told { line.leave(now: second) } == nil)
    }

    @Test func `that is cut loses what is under way, and tells both ends`() throws {
        var bad = link
        bad.secondsBetweenCuts = 1
        var line = PacketLine(bad, seed: 1, now: 5 * second)
        #expect(told { line.elapse(now: 100 * second) }.isEmpty, "there is nothing to cut")
        #expect(line.counts.cuts == 0)
        line.restart(bad, seed: 1, now: 200 * second)
        handshake { _ = line.enter($0.packet, from: $1, now: 200 * second) }
        let moment = try #require(line.nextMoment)
        let resets = line.elapse(now: 400 * second)
        #expect(resets.map(\.to) == [.client, .server])
        #expect(line.counts.cuts == 1 && line.counts.lost == 3 && moment > 200 * second)
        #expect(told { line.leave(now: 500 * second) } == nil)
        let late = segment(from: .client, .acknowledges, number: 101, acknowledged: 701)
        #expect(told { line.enter(late.packet, from: .client, now: 401 * second) } != nil)
    }

    @Test func `that is out loses packets and no connection`() {
        let out = LinkCharacter(
            megabitsPerSecond: 8, roundTripMilliseconds: 40, secondsBetweenOutages: 1e-6,
            outageSeconds: 1e6)
        var line = PacketLine(out, seed: 1, now: 0)
        handshake { segment, end in
            #expect(told { line.enter(segment.packet, from: end, now: second) } == nil)
        }
        #expect(line.counts.lost == 3 && told { line.elapse(now: 2 * second) }.isEmpty)
        #expect(told { line.leave(now: 3 * second) } == nil)
    }
}
