// Goal:   whatever completion fails, comes short or comes empty, every client gets right bytes or a
//         clear end, nobody waits for ever, and no buffer and no block is lost.
// Method: the front and the store on a kernel that the test plays (StoredBed). A round of requests
//         is played again and again, and each time another completion of a kind goes wrong: some of
//         them, evenly spread, because all of them take minutes.

import Catalog
import IO
import Simulator
import Testing

@testable import Server

private let interrupted = KernelError(code: 4)  // EINTR
private let everyError: [FaultPlan.Outcome] = [
    .error(.cancelled), .error(interrupted), .error(.wouldBlock), .error(.io),
]

/// A round's objects: small, small and longer than what answers are collected in, large, and so
/// large that one read does not bring it.
private struct Contents {
    let small = noise(3000, seed: 1)
    let other = noise(3000, seed: 2)
    let hot = noise(40_000, seed: 3)
    let large = noise(200_000, seed: 4)
    let long = noise(1_200_000, seed: 5)
}

extension StoredBed {
    /// Every way through front and store, once.
    fileprivate func play(_ contents: Contents, round: Int) throws {
        let names = ["small", "hot", "large", "long"].map { "\($0)-\(round)" }
        try put(names[0], contents.small)
        try put(names[1], contents.hot, "Expect: 100-continue\r\n")
        try put(names[2], contents.large, "Expect: 100-continue\r\n")
        try put(names[3], contents.long)
        // From the disk, from the disk into the page cache, from there; small ones from memory.
        for _ in 0..<3 { for name in names { get(name) } }
        get(names[0], 100...199)
        get(names[2], 70_000...150_000)
        get(names[2], 70_000...80_000)
        get(names[3], 1_000_000...1_100_000)
        try put(names[0], contents.small)
        try put(names[0], contents.other)
        try put(names[2], contents.large)
        try put(names[2], Array(contents.large.reversed()))
        removeUnderReader(names[3])
        vanish(names[2], contents)
        try vanishUploading(names[3], contents)
        for name in names { delete(name) }
    }

    /// Somebody who reads slowly still gets all of what is deleted meanwhile.
    private func removeUnderReader(_ name: String) {
        let hadStruck = front.plan.hasStruck
        let reader = front.connect()
        reader.holdsSends = true
        reader.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
        front.settle()
        front.release(reader)
        let before = possible[name] ?? [nil]
        delete(name)
        let after = possible[name]
        front.resume(reader)
        let exchange = Exchange(
            answer: finalAnswer(reader), wasHit: front.plan.hasStruck && !hadStruck)
        believe(before, of: name)
        check(exchange, of: name)
        believe(after ?? [nil], of: name)
    }

    /// A reader that is reset in the midst of its download.
    private func vanish(_ name: String, _ contents: Contents) {
        for rounds in 0..<2 {
            let reader = front.connect()
            reader.holdsSends = true
            reader.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
            front.settle()
            if rounds == 1 { front.release(reader, count: 10) }
            front.reset(reader)
            front.pass(seconds: 2)
            #expect(reader.isClosed, "a connection that was reset is stuck")
        }
    }

    /// A writer that is reset in the midst of its body.
    private func vanishUploading(_ name: String, _ contents: Contents) throws {
        for bytes in [contents.small, contents.hot, contents.long] {
            let writer = front.connect()
            writer.send(try signed(name, bytes.count))
            writer.send(Array(bytes.prefix(bytes.count / 2)))
            front.settle()
            front.reset(writer)
            front.pass(seconds: 2)
            #expect(writer.isClosed, "a connection that was reset is stuck")
        }
    }
}

/// Some of 1...`count`, evenly spread: enough of them for each outcome.
private func spread(_ count: Int, for outcomes: [FaultPlan.Outcome]) -> [Int] {
    let wanted = min(count, max(6, outcomes.count))
    return (0..<wanted).map { 1 + $0 * (count - 1) / max(1, wanted - 1) }
}

@Suite struct `A fault that passes` {
    /// What goes wrong without lasting harm, and how.
    static let faults: [(OperationKind, [FaultPlan.Outcome])] = [
        (.accept, everyError),
        (.receive, everyError + [.error(.noBuffers), .error(.reset), .nothing]),
        (.receiveInto, everyError + [.error(.noBuffers), .error(.reset), .short, .nothing]),
        (.send, everyError + [.error(.noBuffers), .error(.brokenPipe), .short]),
        (.sendFile, everyError + [.error(.brokenPipe), .short, .nothing]),
        (.cork, everyError), (.poll, everyError), (.dropCached, everyError), (.close, everyError),
        (.read, everyError + [.error(.noMemory), .short, .nothing]),
        (.splice, everyError),
    ]

    @Test(arguments: faults)
    func `harms nobody but whom it hits`(
        kind: OperationKind, outcomes: [FaultPlan.Outcome]
    ) throws {
        let contents = Contents()
        let disk = SimulatedDisk()
        try StoredBed.run(disk, MemoryCatalog(instance: StoredBed.instance)) { bed in
            let plan = bed.front.plan
            try bed.play(contents, round: 0)
            try bed.expectNothingLeft("the round without a fault")
            var bytesUsed = try bed.largeBytesUsed()
            let before = plan.counts[kind, default: 0]
            try bed.play(contents, round: 1)
            let count = plan.counts[kind, default: 0] - before
            #expect(count > 0, "\(kind) is never asked for")
            for (index, number) in spread(count, for: outcomes).enumerated() {
                let outcome = outcomes[index % outcomes.count]
                plan.strike(kind, number: number, with: outcome)
                try bed.play(contents, round: 2 + index)
                plan.disarm()
                #expect(plan.hasStruck || index > 0, "\(kind) \(number)")
                // Those whose removal was refused.
                for (name, states) in bed.possible where states != [nil] { bed.delete(name) }
                try bed.expectNothingLeft("\(kind) \(number): \(outcome)")
                let used = try bed.largeBytesUsed()
                // A record that reads as damaged lets its object go, but not its object's space.
                let isDamage = kind == .read && (outcome == .short || outcome == .nothing)
                #expect(used == bytesUsed || isDamage, "\(kind) \(number): \(outcome): space")
                bytesUsed = used
            }
            #expect(!bed.isReadOnly)
        }
    }
}

@Suite struct `A fault that lasts` {
    static let faults: [(OperationKind, [FaultPlan.Outcome])] = [
        (.write, everyError + [.error(.noSpace), .short]), (.sync, everyError),
        (.allocate, everyError + [.error(.noSpace)]), (.open, everyError + [.error(.noMemory)]),
        // This one does not last, but pipes are kept, so that a store asks for few.
        (.openPipe, everyError),
    ]

    /// Each in a store of its own, because a failed write or flush stops all others: in one that is
    /// new, whose space is being prepared, or in one that has seen a round.
    @Test(arguments: faults, [0, 1])
    func `costs nobody what was promised, and a restart ends it`(
        fault: (OperationKind, [FaultPlan.Outcome]), round: Int
    ) throws {
        let (kind, outcomes) = fault
        let contents = Contents()
        for (index, number) in try spread(count(kind, round, contents), for: outcomes).enumerated()
        {
            let outcome = outcomes[index % outcomes.count]
            let what = "\(kind) \(number): \(outcome)"
            let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
            var promises: [String: [[UInt8]?]] = [:]
            try StoredBed.run(disk, catalog) { bed in
                for earlier in 0..<round { try bed.play(contents, round: earlier) }
                bed.front.plan.strike(kind, number: number, with: outcome)
                try bed.play(contents, round: round)
                bed.front.plan.disarm()
                try bed.expectNothingLeft(what)
                for name in bed.possible.keys { bed.get(name) }
                promises = bed.possible
            }
            try expectWhole(SimulatedDisk(disk.visible), catalog, promises, what)
        }
    }

    /// How many of them a round asks for that goes well.
    private func count(_ kind: OperationKind, _ round: Int, _ contents: Contents) throws -> Int {
        var count = 0
        let catalog = MemoryCatalog(instance: StoredBed.instance)
        try StoredBed.run(SimulatedDisk(), catalog) { bed in
            for earlier in 0..<round { try bed.play(contents, round: earlier) }
            let before = bed.front.plan.counts[kind, default: 0]
            try bed.play(contents, round: round)
            count = bed.front.plan.counts[kind, default: 0] - before
        }
        return count
    }

    private func expectWhole(
        _ disk: SimulatedDisk, _ catalog: MemoryCatalog, _ promises: [String: [[UInt8]?]],
        _ when: String
    ) throws {
        try StoredBed.run(disk, catalog) { bed in
            for (name, states) in promises {
                bed.believe(states, of: name)
                bed.get(name)
            }
            #expect(try bed.put("fresh", noise(3000, seed: 6)) == 201, "\(when)")
            #expect(try bed.put("fresh-large", noise(200_000, seed: 7)) == 201, "\(when)")
            for name in bed.possible.keys { bed.delete(name) }
            try bed.expectNothingLeft("\(when), after the restart")
            // The head of the one volume.
            #expect(try bed.largeBytesUsed() == 2 << 20, "\(when): space")
        }
    }
}
