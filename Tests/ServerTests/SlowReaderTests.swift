// Goal:   clients that do not read what they asked for keep no memory from others for longer than a
//         moment, get all of it if they read on, and are let go if they never do.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Server

/// What it takes for something to come of what others hold, in seconds; far less than any timeout.
private let secondsMax = 20

/// What one of them needs in memory is 64 KiB at least, and up to 1 MiB; all have 7 MiB.
struct Crowd: Sendable {
    let count: Int
    let size: Int
    /// Whether it is the head already that they do not take, for what came before it.
    let takesHead: Bool
}

@Suite struct `Readers that stop` {
    private static let crowds = [
        [Crowd(count: 130, size: 60_000, takesHead: true)],
        [Crowd(count: 100, size: 1_500_000, takesHead: true)],
        [Crowd(count: 60, size: 1_500_000, takesHead: false)],
        // Heads have room of their own, which ends before they could hold all memory.
        [
            Crowd(count: 70, size: 60_000, takesHead: false),
            Crowd(count: 30, size: 1_500_000, takesHead: true),
        ],
    ]

    /// On this machine, and behind a network card, to which sends leave without a copy.
    private static let queues: [Int32] = [0, 8193]

    private func with(
        _ crowds: [Crowd], _ queue: Int32, _ body: (StoredBed, [Client], [[UInt8]]) throws -> Void
    ) throws {
        // Nothing leaves from the page cache, which needs no memory of ours.
        var settings = StoredBed.settings
        settings.verifiesAlways = true
        settings.sendsZeroCopy = true
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            bed.front.queue = queue
            try bed.put("cold", noise(200_000, seed: 2))
            try bed.put("small", noise(3000, seed: 3))
            var readers: [Client] = []
            var bodies: [[UInt8]] = []
            for crowd in crowds {
                let bytes = noise(crowd.size, seed: 1)
                readers += try join(crowd, bytes, bed)
                bodies += Array(repeating: bytes, count: crowd.count)
            }
            #expect(bed.front.memory.queueLength > 0, "they do not hold all memory")
            try body(bed, readers, bodies)
            for reader in readers { bed.front.reset(reader) }
            try bed.expectNothingLeft("after the readers")
        }
    }

    private func join(_ crowd: Crowd, _ bytes: [UInt8], _ bed: StoredBed) throws -> [Client] {
        // A small one is in memory from its first reader on.
        let names = (0..<crowd.count).map { crowd.size < 65_536 ? "small-\($0)" : "large" }
        for name in Set(names) { try bed.put(name, bytes) }
        return names.map { name in
            let reader = bed.front.connect()
            reader.holdsSends = true
            reader.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            if crowd.takesHead { bed.front.release(reader) }
            return reader
        }
    }

    /// How many seconds pass until `client` has its answer, or until that takes too long.
    private func secondsUntilWhole(_ bed: StoredBed, _ client: Client) -> Int {
        var seconds = 0
        while client.finalResponse?.isWhole != true, !client.isClosed, seconds < secondsMax {
            bed.front.pass(seconds: 1)
            seconds += 1
        }
        return seconds
    }

    @Test(arguments: crowds, queues)
    func `keep nobody waiting who reads`(crowds: [Crowd], queue: Int32) throws {
        try with(crowds, queue) { bed, _, _ in
            for name in ["cold", "small"] {
                let client = bed.front.connect()
                client.send("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n")
                bed.front.settle()
                #expect(secondsUntilWhole(bed, client) < secondsMax)
                client.endSending()
            }
        }
    }

    @Test(arguments: crowds, queues)
    func `keep nobody waiting who sends`(crowds: [Crowd], queue: Int32) throws {
        try with(crowds, queue) { bed, _, _ in
            let start = bed.front.now
            let large = try bed.put("new", noise(300_000, seed: 4))
            let small = try bed.put("new-small", noise(30_000, seed: 5))
            #expect(large == 201 && small == 201)
            #expect(bed.front.now - start < UInt64(2 * secondsMax) * 1_000_000_000)
        }
    }

    /// As one program reads that has opened many downloads: the others wait for their turn.
    @Test(arguments: crowds, queues)
    func `get all of it one behind the other`(crowds: [Crowd], queue: Int32) throws {
        try with(crowds, queue) { bed, readers, bodies in
            let start = bed.front.now
            for reader in readers {
                bed.front.resume(reader)
                #expect(secondsUntilWhole(bed, reader) < secondsMax)
            }
            let hasAll = zip(readers, bodies).map { $0.finalResponse?.body == $1 }
            #expect(!hasAll.contains(false))
            // Nobody was cut for being late.
            let limit = StoredBed.settings.sendTimeoutSeconds
            #expect(bed.front.now - start < UInt64(limit) * 1_000_000_000)
        }
    }

    @Test(arguments: crowds, queues)
    func `keep nothing from who needs all memory`(crowds: [Crowd], queue: Int32) throws {
        try with(crowds, queue) { bed, _, _ in
            let (core, start) = (bed.front.core, bed.front.now)
            let hasAll = try bed.front.finish { await core.hasAllBuffers() }
            #expect(hasAll)
            #expect(bed.front.now - start < UInt64(secondsMax) * 1_000_000_000)
        }
    }

    @Test(arguments: crowds, queues)
    func `for good are let go`(crowds: [Crowd], queue: Int32) throws {
        try with(crowds, queue) { bed, readers, _ in
            bed.front.pass(seconds: 5 * Int(StoredBed.settings.sendTimeoutSeconds))
            let isClosed = readers.map { $0.isClosed }
            #expect(!isClosed.contains(false))
        }
    }
}

@Suite struct `A send that ends` {
    private static let cancelled = -KernelError.cancelled.code

    @Test(
        arguments: [
            (100, false, false, SendOutcome.moved), (100, true, false, .moved),
            (100, false, true, .moved), (100, true, true, .moved),
            (99, false, false, .failed), (99, true, false, .moved), (99, false, true, .yielded),
            (99, true, true, .yielded), (1, false, true, .yielded),
            (0, false, false, .failed), (0, true, true, .failed),
            (cancelled, false, false, .failed), (cancelled, true, false, .failed),
            (cancelled, false, true, .yielded), (cancelled, true, true, .failed),
            (-KernelError.brokenPipe.code, false, true, .failed),
            (-KernelError.reset.code, true, true, .failed),
        ] as [(Int32, Bool, Bool, SendOutcome)])
    func `of 100 bytes is judged by what went out and who cut it`(
        result: Int32, isLate: Bool, hasToYield: Bool, expected: SendOutcome
    ) {
        let outcome = SendOutcome(result, of: 100, isLate: isLate, hasToYield: hasToYield)
        #expect(outcome == expected)
    }
}

@Suite struct `A slow reader of what is in the page cache` {
    private static let timeout = Int(StoredBed.settings.sendTimeoutSeconds)

    /// `reader` has the head of an object that leaves from the page cache, and no more.
    private func withReader(_ body: (StoredBed, Client, [UInt8]) throws -> Void) throws {
        let bytes = noise(200_000, seed: 1)
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        try StoredBed.run(disk, catalog) { bed in
            try bed.put("o", bytes)
            for _ in 0..<3 { bed.get("o") }
            let reader = bed.front.connect()
            reader.holdsSends = true
            reader.send("GET /o HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            bed.front.release(reader)
            #expect(reader.pollToken != nil, "it does not wait for the socket")
            try body(bed, reader, bytes)
            try bed.expectNothingLeft("after the reader")
        }
    }

    @Test func `gets all of it if it takes some of it in time`() throws {
        try withReader { bed, reader, bytes in
            for _ in 0..<10 {
                reader.room = 20_000
                bed.front.pass(seconds: Self.timeout + 1)
            }
            let hasAll = reader.finalResponse?.body == bytes
            #expect(hasAll)
            reader.endSending()
        }
    }

    @Test(arguments: [0, 1, 3])
    func `is let go once it takes nothing for that long`(pieces: Int) throws {
        try withReader { bed, reader, _ in
            for _ in 0..<pieces {
                reader.room = 20_000
                bed.front.pass(seconds: Self.timeout + 1)
            }
            #expect(!reader.isClosed)
            bed.front.pass(seconds: Self.timeout + 1)
            #expect(reader.isClosed)
        }
    }
}

extension Core {
    /// Waits for all of them, so an answer is a yes.
    fileprivate func hasAllBuffers() async -> Bool {
        var taken: [Region] = []
        while taken.count * BufferPool.largest < memory.bytesTotal {
            taken.append((await memory.lease(BufferPool.largest)).detach())
        }
        for region in taken { memory.giveBack(BufferLease(attaching: region)) }
        return true
    }
}
