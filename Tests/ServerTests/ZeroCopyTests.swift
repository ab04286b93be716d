// Goal:   what leaves without a copy is right however late its client takes it, is tried only where
//         it can pay, and never has more memory than can be spared.
// Method: see ZeroCopyBed.swift.

import IO
import Loop
import Simulator
import Testing

@testable import Server

@Suite struct `A download without a copy` {
    private let bytes = noise(1_500_000, seed: 1)

    @Test(arguments: [false, true])
    func `is for clients behind a card`(isNotifiedFirst: Bool) throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let client = bed.reader(of: "o") { $0.isNotifiedFirst = isNotifiedFirst }
            bed.expectWhole(client, bytes)
            #expect(bed.count(.sendZeroCopy) > 0 && bed.sends == bed.count(.sendZeroCopy))
            #expect(bed.copied == 0 && bed.lentBytes == 0)
            bed.leave(client)
        }
    }

    @Test func `is not for clients on this machine, which are asked for once`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            bed.front.queue = 0
            let client = bed.front.connect()
            for _ in 0..<3 {
                bed.ask("o", client)
                bed.expectWhole(client, bytes)
                client.forgetOutput()
            }
            #expect(bed.count(.incomingQueue) == 1 && bed.count(.sendZeroCopy) == 0)
            bed.leave(client)
        }
    }

    @Test func `is not made where it is switched off`() throws {
        try withZeroCopy(false) { bed in
            try bed.put("o", bytes)
            #expect(bed.get("o") == 200)
            #expect(bed.count(.incomingQueue) == 0 && bed.count(.sendZeroCopy) == 0)
        }
    }

    @Test func `is made where the kernel does not tell the queue, with copies`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            bed.front.plan.strike(.incomingQueue, number: 1, with: .error(KernelError(code: 92)))
            #expect(bed.get("o") == 200)
            #expect(bed.count(.sendZeroCopy) == 0)
        }
    }

    @Test(arguments: [(16_000, 0), (20_000, 1), (60_000, 1)])
    func `of a small object depends on its size`(size: Int, sends: Int) throws {
        try withZeroCopy { bed in
            try bed.put("o", noise(size, seed: 2))
            #expect(bed.get("o") == 200)
            #expect(bed.count(.sendZeroCopy) == sends)
        }
    }

    @Test func `ends on a connection whose card copies, and on that card for a minute`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let client = bed.reader(of: "o") { $0.isCopied = true }
            bed.expectWhole(client, bytes)
            let tried = bed.sends
            #expect(tried == 1 && bed.copied == 1)
            client.forgetOutput()
            bed.ask("o", client)
            bed.expectWhole(client, bytes)
            #expect(bed.get("o") == 200)
            #expect(bed.sends == tried, "it was tried again")
            bed.front.queue = FrontBed.card + 1
            #expect(bed.get("o") == 200)
            #expect(bed.sends > tried, "another card was not tried")
            bed.leave(client)
            bed.front.queue = FrontBed.card
            bed.front.pass(seconds: 60)
            let before = bed.sends
            #expect(bed.get("o") == 200)
            #expect(bed.sends > before, "it is never tried again")
        }
    }

    /// While its first bytes are on their way others come and go, in the memory that is left.
    @Test func `is right however late it is taken`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            try bed.put("other", noise(1_500_000, seed: 9))
            let client = bed.reader(of: "o") { $0.holdsAcknowledgements = true }
            #expect(bed.lentBytes > 0)
            for _ in 0..<10 { bed.get("other") }
            #expect(client.output.isEmpty || client.finalResponse?.isWhole != true)
            bed.front.acknowledge(client)
            bed.expectWhole(client, bytes)
            bed.leave(client)
        }
    }

    @Test func `is one send until the card has shown what it does`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let client = bed.reader(of: "o") { $0.holdsAcknowledgements = true }
            #expect(bed.sends == 1)
            bed.front.acknowledge(client)
            bed.expectWhole(client, bytes)
            client.forgetOutput()
            client.holdsAcknowledgements = true
            bed.ask("o", client)
            #expect(bed.sends > 2)
            bed.front.acknowledge(client)
            bed.expectWhole(client, bytes)
            bed.leave(client)
        }
    }

    @Test func `lends a quarter of the memory at most, and copies the rest`() throws {
        let long = noise(6_000_000, seed: 3)
        try withZeroCopy { bed in
            try bed.put("long", long)
            let most = bed.front.memory.bytesTotal / 4
            let readers = try (0..<4).map { _ in try bed.trustedReader(of: "long") }
            #expect(bed.lentBytes > most / 2 && bed.lentBytes <= most)
            #expect(bed.front.memory.queueLength == 0, "the others wait for memory")
            #expect(bed.get("long") == 200)
            for reader in readers {
                bed.front.acknowledge(reader)
                bed.expectWhole(reader, long)
                bed.leave(reader)
            }
            #expect(bed.lentBytes == 0)
        }
    }

    @Test func `copies while somebody waits for memory`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let readers = (0..<100).map { _ in bed.reader(of: "o") { $0.holdsSends = true } }
            #expect(bed.front.memory.isShort)
            let before = bed.sends
            for reader in readers.prefix(3) { bed.front.release(reader) }
            #expect(bed.sends == before)
            for reader in readers { bed.front.resume(reader) }
            for reader in readers {
                for _ in 0..<20 where reader.finalResponse?.isWhole != true {
                    bed.front.pass(seconds: 1)
                }
                bed.expectWhole(reader, bytes)
                bed.leave(reader)
            }
        }
    }

    /// It is no broken connection, and once is enough to know.
    @Test func `that the kernel refuses is made with copies`() throws {
        for error in [KernelError.notSupported, .noMemory, .noBuffers, .invalid] {
            try withZeroCopy { bed in
                try bed.put("o", bytes)
                bed.front.plan.strike(.sendZeroCopy, number: 1, with: .error(error))
                #expect(bed.get("o") == 200)
                #expect(bed.count(.sendZeroCopy) == 1 && bed.copied == 0)
            }
        }
    }

    @Test func `goes on with copies for who takes it too slowly`() throws {
        try withZeroCopy { bed in
            try bed.put("o", bytes)
            let client = bed.reader(of: "o") { $0.holdsSends = true }
            bed.front.release(client)
            #expect(client.heldSends.first?.isZeroCopy == true)
            bed.front.release(client, count: 1000)
            bed.front.pass(seconds: StoredBed.sendTimeout + 1)
            #expect(client.heldSends.first?.isZeroCopy == false)
            bed.front.resume(client)
            bed.expectWhole(client, bytes)
            bed.leave(client)
        }
    }
}

@Suite struct `A fault of a send without a copy` {
    private static let faults: [(OperationKind, FaultPlan.Outcome)] = [
        (.sendZeroCopy, .error(.cancelled)), (.sendZeroCopy, .error(.io)),
        (.sendZeroCopy, .error(KernelError(code: 4))), (.sendZeroCopy, .error(.wouldBlock)),
        (.sendZeroCopy, .error(.brokenPipe)), (.sendZeroCopy, .error(.reset)),
        (.sendZeroCopy, .short), (.sendZeroCopy, .nothing), (.incomingQueue, .error(.io)),
        (.send, .error(.reset)), (.send, .short), (.read, .error(.io)),
    ]

    @Test(arguments: faults)
    func `ends in right bytes or a clear end`(
        kind: OperationKind, outcome: FaultPlan.Outcome
    ) throws {
        try withZeroCopy { bed in
            try bed.put("small", noise(40_000, seed: 1))
            try bed.put("long", noise(1_700_000, seed: 2))
            bed.get("long")
            for number in 1...6 {
                for name in ["long", "small"] {
                    bed.front.plan.strike(kind, number: number, with: outcome)
                    bed.get(name)
                    bed.front.plan.disarm()
                    bed.get(name)
                    try bed.expectNothingLeft("\(kind), \(outcome), \(number)")
                }
            }
        }
    }
}
