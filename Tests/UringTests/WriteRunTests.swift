// Goal:   writes that follow each other in a file are one request to the kernel, and each still
//         gets its own answer: also where they fail, together or in part.
// Method: the decider by itself, with made-up answers; then the real kernel and a disk.

import Glibc
import IO
import Testing

@testable import Uring

@Suite struct `A run of writes` {
    private static let file = Descriptor(7)

    private static func token(_ number: Int) -> Token { Token(.waiter, slot: UInt32(number)) }

    private static func region(_ number: Int, _ count: UInt32 = 8192) -> Region {
        Region(offset: UInt32(number) << 16, count: count)
    }

    /// A run of `count` writes of 8 KiB, from offset 4096 on.
    private static func run(_ count: Int) -> (runs: WriteRuns, slot: Int) {
        var runs = WriteRuns()
        let joins = (0..<count).map { number in
            runs.join(file, 4096 + UInt64(number) * 8192, region(number), token(number))
        }
        #expect(joins.allSatisfy { $0 })
        guard let closed = runs.close() else { preconditionFailure("no run is open") }
        #expect(closed.file == file && closed.offset == 4096 && closed.parts.count == count)
        for (number, part) in closed.parts.enumerated() {
            #expect(runs.source(of: part) == region(number))
        }
        return (runs, closed.slot)
    }

    /// What each part is told.
    private static func answers(_ count: Int, _ result: Int32) -> [Int32] {
        var (runs, slot) = run(count)
        var told: [Int32] = []
        runs.end(slot, result) { token, result in
            #expect(token == Self.token(told.count))
            told.append(result)
        }
        return told
    }

    @Test func `gives each its share of the answer`() {
        #expect(Self.answers(3, 3 * 8192) == [8192, 8192, 8192])
        #expect(Self.answers(1, 8192) == [8192])
    }

    @Test func `that fails has failed for all`() {
        #expect(Self.answers(3, -5) == [-5, -5, -5])
    }

    @Test func `that ends short leaves the rest with less`() {
        #expect(Self.answers(3, 8192 + 4096) == [8192, 4096, 0])
        #expect(Self.answers(2, 0) == [0, 0])
    }

    @Test(
        arguments: [
            (file, 4096 + 8192 + 4096, 8192), (file, 4096, 8192), (Descriptor(8), 12288, 8192),
            (file, 12288, UInt32(WriteRuns.bytesMax)),
        ] as [(Descriptor, UInt64, UInt32)])
    func `takes only what follows it, and not too much`(
        file: Descriptor, offset: UInt64, count: UInt32
    ) {
        var runs = WriteRuns()
        let isFirst = runs.join(Self.file, 4096, Self.region(0), Self.token(0))
        let isNext = runs.join(file, offset, Self.region(1, count), Self.token(1))
        #expect(isFirst && !isNext)
        let closed = [runs.close()?.parts.count, runs.close()?.parts.count]
        #expect(closed == [1, nil])
    }

    @Test func `has no more parts than the kernel is given`() {
        var (runs, slot) = Self.run(WriteRuns.partsMax)
        var told = 0
        runs.end(slot, 1 << 20) { _, result in told += result == 8192 ? 1 : 0 }
        #expect(told == WriteRuns.partsMax)
        let joins = (0...WriteRuns.partsMax).map { number in
            runs.join(Self.file, UInt64(number) * 512, Self.region(0, 512), Self.token(1))
        }
        #expect(joins == Array(repeating: true, count: WriteRuns.partsMax) + [false])
    }

    @Test func `keeps its place until it is answered`() {
        var (runs, first) = Self.run(2)
        let isIn = runs.join(Self.file, 0, Self.region(9), Self.token(9))
        let second = runs.close()
        #expect(isIn && second?.slot != first)
        var told: [Int32] = []
        runs.end(first, -5) { told.append($1) }
        #expect(told == [-5, -5])
        let isThirdIn = runs.join(Self.file, 0, Self.region(9), Self.token(9))
        let third = runs.close()
        #expect(isThirdIn && third?.slot == first)
    }
}

@Suite struct `Writes that follow each other` {
    #if arch(arm64)
        private static let direct: Int32 = 0o200000
    #else
        private static let direct: Int32 = 0o40000
    #endif

    /// Twenty of 8 KiB, from memory in which they lie apart, and one elsewhere in the file.
    @Test(arguments: [false, true])
    func `reach the file in one piece, registered or not`(isRegistered: Bool) throws {
        var asker = try Asker()
        if isRegistered { try asker.ring.registerArena() }
        let directory = try TemporaryDirectory()
        let file = try directory.open("direct", O_RDWR | O_CREAT | Self.direct)
        var expected: [UInt8] = []
        var tokens: [Token] = []
        for number in 0..<20 {
            let bytes = pattern(8192, seed: number)
            let source = asker.region(at: (19 - number) * (24 << 10), holding: bytes)
            expected += bytes
            tokens.append(
                asker.start(
                    .write(file: file.descriptor, offset: UInt64(expected.count), source: source)))
        }
        let apart = asker.region(at: 1 << 20, holding: pattern(4096, seed: 99))
        tokens.append(asker.start(.write(file: file.descriptor, offset: 1 << 20, source: apart)))
        let counts = try tokens.map { try asker.result(of: $0) }
        #expect(counts == Array(repeating: 8192, count: 20) + [4096])
        let target = Region(offset: 1536 << 10, count: UInt32(expected.count))
        let read = try asker.ask(.read(file: file.descriptor, offset: 8192, target: target))
        #expect(read == Int32(expected.count) && asker.bytes(target) == expected)
        let last = Region(offset: 1536 << 10, count: 4096)
        _ = try asker.ask(.read(file: file.descriptor, offset: 1 << 20, target: last))
        #expect(asker.bytes(last) == asker.bytes(apart))
    }

    @Test(arguments: [false, true])
    func `fail together`(isRegistered: Bool) throws {
        var asker = try Asker()
        if isRegistered { try asker.ring.registerArena() }
        let directory = try TemporaryDirectory()
        _ = try directory.file("file", holding: [1])
        let file = try directory.open("file", O_RDONLY)
        let tokens = (0..<3).map { number in
            asker.start(
                .write(
                    file: file.descriptor, offset: UInt64(number) * 4096,
                    source: Region(offset: UInt32(number) << 16, count: 4096)))
        }
        for token in tokens {
            let result = try asker.result(of: token)
            #expect(KernelError(result: result) == .badDescriptor)
        }
    }
}
