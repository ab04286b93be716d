// Goal:   an upload's owner takes every byte once, loses none and writes none twice, whoever sends
//         what, in which pieces and how late; and refuses what does not fit together.
// Method: random histories beside a model that knows every byte; two writers and the end in every
//         order; the refusals by hand.

import Testing

@testable import Volumes

@Suite struct `The state of an upload` {
    private static let block = UInt64(VolumeLayout.blockSize)

    // MARK: Any history

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func `loses and doubles no byte`(seed: UInt64) throws {
        var chance = Seeded(seed)
        for _ in 0..<4 {
            // Long enough for whole units now and then: the model looks at every byte.
            let most = Int.random(in: 0..<6, using: &chance) == 0 ? 90_000 : 20_000
            let size = Int.random(in: 1...most, using: &chance)
            let isKnown = Bool.random(using: &chance)
            var run = UploadRun(chance.bytes(size), length: isKnown ? UInt64(size) : nil)
            for number in 0..<120 {
                try step(&run, &chance)
                let found = number % 12 == 0 ? run.contradictions() : run.problems
                guard found.isEmpty else {
                    Issue.record("seed \(seed): \(found)")
                    return
                }
            }
            try complete(&run)
        }
    }

    private func step(_ run: inout UploadRun, _ chance: inout Seeded) throws {
        let index = run.writers.indices.randomElement(using: &chance)
        switch (Int.random(in: 0..<12, using: &chance), index) {
        case (0, _), (_, nil):
            do throws(ChunkRefusal) { try run.begin(claim(run, &chance)) } catch {
                guard case .wrongOffset(let expected) = error else {
                    Issue.record("refused: \(error)")
                    return
                }
                // Only a claim that guessed can be wrong about where it goes on.
                #expect(expected == run.state.offset)
            }
        case (1...5, let index?):
            let isBroken = Int.random(in: 0..<8, using: &chance) == 0
            run.receive(index, most: isBroken ? .random(in: 0...9000, using: &chance) : .max)
        case (6...8, let index?): try run.tell(index)
        case (9...10, let index?): run.writeBlock(of: index)
        case (_, let index?):
            if run.isQuiet(index) || Int.random(in: 0..<6, using: &chance) == 0 {
                run.end(run.writers[index].number)
                if Bool.random(using: &chance) { run.writeOrphans() }
            }
        }
    }

    /// In order or anywhere, with a known end or none; its edges are often near those of blocks.
    private func claim(_ run: UploadRun, _ chance: inout Seeded) -> ChunkClaim {
        let known = run.state.length
        if Int.random(in: 0..<3, using: &chance) == 0 {
            let guess = Bool.random(using: &chance) ? run.state.offset : edge(run, &chance)
            let end = Bool.random(using: &chance) ? max(guess, edge(run, &chance)) : nil
            return ChunkClaim(offset: guess, end: end, isSequential: true, length: known)
        }
        let edges = [edge(run, &chance), edge(run, &chance)].sorted()
        return ChunkClaim(offset: edges[0], end: edges[1], isSequential: false)
    }

    private func edge(_ run: UploadRun, _ chance: inout Seeded) -> UInt64 {
        let place = UInt64.random(in: 0...run.size, using: &chance)
        guard Bool.random(using: &chance) else { return place }
        let near = place / Self.block * Self.block + .random(in: 0...2, using: &chance)
        return min(run.size, near)
    }

    /// Sends what is missing, and looks whether the whole is the whole.
    private func complete(_ run: inout UploadRun) throws {
        run.endAll()
        for missing in run.state.received.missing(in: 0..<run.size) {
            try run.begin(
                ChunkClaim(
                    offset: missing.lowerBound, end: missing.upperBound, isSequential: false))
            while let last = run.writers.indices.last, !run.writers[last].hasEnded {
                run.receive(last)
            }
        }
        run.endAll()
        try run.state.end(at: run.size)
        #expect(run.state.isComplete)
        // The end was told last: only now it is known that the last block is one.
        run.orphans += run.state.wholeBlocks()
        run.writeOrphans()
        #expect(run.contradictions() == [])
        #expect(run.state.checksums.finish(length: run.size) == run.checksums)
        #expect(run.state.received.ranges == [0..<run.size])
    }

    // MARK: Every order

    /// Cuts within a block, at its edge, and so that one writer repeats what the other's block
    /// waits for.
    @Test(arguments: [(5000, 5000), (4096, 4096), (8191, 8191), (9000, 4500), (6000, 12_000)])
    func `is whole after two writers in every order`(first: Int, second: Int) throws {
        var chance = Seeded(UInt64(first))
        let truth = chance.bytes(12_289)
        var run = UploadRun(truth, length: 12_289)
        if second < first {
            // What both send again is there already, and its block waits.
            try run.begin(
                ChunkClaim(offset: 0, end: UInt64(second), isSequential: true))
            run.receive(0)
            run.receive(0)
            run.endAll()
        }
        let claims = [
            ChunkClaim(offset: 0, end: UInt64(min(first, second)), isSequential: false),
            ChunkClaim(offset: UInt64(min(first, second)), end: 12_289, isSequential: false),
        ]
        var leaves = 0
        explore(run, claims, begun: 0, &leaves)
        #expect(leaves > 10)
    }

    /// Everything that may happen next, each on a copy.
    private func explore(
        _ run: UploadRun, _ claims: [ChunkClaim], begun: Int, _ leaves: inout Int
    ) {
        var isLeaf = true
        if begun < claims.count {
            isLeaf = false
            attempt(run, claims, begun: begun + 1, &leaves) { next in
                try next.begin(claims[begun])
                // What it receives nobody else can see before it tells.
                let last = next.writers.count - 1
                while !next.writers[last].hasEnded { next.receive(last) }
            }
        }
        for (index, writer) in run.writers.enumerated() {
            isLeaf = false
            if !writer.blocks.isEmpty {
                attempt(run, claims, begun: begun, &leaves) { next in next.writeBlock(of: index) }
            } else if !writer.reports.isEmpty {
                attempt(run, claims, begun: begun, &leaves) { next in try next.tell(index) }
            } else {
                attempt(run, claims, begun: begun, &leaves) { next in
                    next.end(writer.number)
                    #expect(next.state.isComplete == (begun == 2 && next.writers.isEmpty))
                    next.writeOrphans()
                }
            }
        }
        guard isLeaf else { return }
        leaves += 1
        #expect(run.contradictions() == [])
        #expect(run.state.checksums.finish(length: run.size) == run.checksums)
    }

    private func attempt(
        _ run: UploadRun, _ claims: [ChunkClaim], begun: Int, _ leaves: inout Int,
        _ change: (inout UploadRun) throws -> Void
    ) {
        var next = run
        do { try change(&next) } catch { Issue.record("refused: \(error)") }
        guard next.problems.isEmpty else {
            Issue.record("\(next.problems)")
            return
        }
        explore(next, claims, begun: begun, &leaves)
    }

    // MARK: Blocks

    @Test func `compares what comes again with a block that was written meanwhile`() throws {
        var chance = Seeded(3)
        var run = UploadRun(chance.bytes(8192), length: 8192)
        try run.begin(ChunkClaim(offset: 0, end: 1000, isSequential: true))
        run.receive(0)
        run.endAll()
        // Both know the first block as one that waits.
        try run.begin(ChunkClaim(offset: 0, end: 1000, isSequential: false))
        try run.begin(ChunkClaim(offset: 1000, end: 8192, isSequential: false))
        run.receive(1)
        try run.tell(1)
        run.writeBlock(of: 1)
        #expect(run.state.fragments.isEmpty)
        // The one that is late neither loses nor changes anything; wrong bytes are told so.
        let number = run.writers[0].number
        var wrong = ChunkReport()
        wrong.parts = [BlockPart(offset: 999, bytes: [run.truth[999] ^ 1])]
        var other = run.state
        #expect(throws: ChunkRefusal.differs(at: 999)) { try other.take(wrong, from: number) }
        run.receive(0)
        try run.tell(0)
        #expect(run.contradictions() == [])
        run.endAll()
    }

    @Test func `writes the short last block only once its end is known`() throws {
        var state = UploadState(length: nil, bytesMax: 1 << 30)
        let writer = state.open(ChunkClaim(offset: 0, end: nil, isSequential: true))
        var report = ChunkReport()
        report.parts = [BlockPart(offset: 0, bytes: [1, 2, 3])]
        #expect(try state.take(report, from: writer) == [])
        state.close(writer)
        #expect(state.wholeBlocks() == [] && !state.isComplete)
        try state.end(at: 3)
        #expect(state.isComplete)
        #expect(state.wholeBlocks().map(\.bytes) == [[1, 2, 3]])
        #expect(state.wholeBlocks() == [])
    }

    @Test func `gives back what lies behind the last byte, but not what a writer may bring`() {
        var state = UploadState(length: 40_960, bytesMax: 1 << 30)
        let writer = state.open(ChunkClaim(offset: 0, end: 20_000, isSequential: true))
        state.add(space: [Extent(volume: VolumeID(1), start: 7, count: 10)], at: 0)
        #expect(state.releaseUnused() == [Extent(volume: VolumeID(1), start: 12, count: 5)])
        #expect(state.missingSpace(for: 0..<20_000) == [])
        #expect(state.missingSpace(for: 16_383..<40_960) == [5..<10])
        state.close(writer)
        #expect(state.releaseUnused() == [Extent(volume: VolumeID(1), start: 7, count: 5)])
        #expect(state.space.isEmpty)
    }
}

extension `The state of an upload` {
    /// Blocks 0 to 9, of which 0, 1 and a part of 4 have come.
    @Test func `leaves the places of what has not come, where something else may`() throws {
        var state = UploadState(length: 40_960, bytesMax: 1 << 30)
        let first = state.open(ChunkClaim(offset: 0, end: 40_960, isSequential: false))
        state.add(space: [Extent(volume: VolumeID(1), start: 7, count: 6)], at: 0)
        state.add(space: [Extent(volume: VolumeID(2), start: 70, count: 4)], at: 6)
        var report = ChunkReport()
        report.written = [0..<8192]
        report.blocks = [.init(number: 0, checksum: 1), .init(number: 1, checksum: 2)]
        report.parts = [BlockPart(offset: 16_500, bytes: [1, 2, 3])]
        _ = try state.take(report, from: first)
        state.close(first)
        // Nobody asks of what has come, nor of what is not in the range.
        var asked: [Extent] = []
        let none = state.suspectSpace(for: 4096..<24_576) {
            asked.append($0)
            return false
        }
        let (before, behind) = (
            Extent(volume: VolumeID(1), start: 9, count: 2),
            Extent(volume: VolumeID(1), start: 12, count: 1)
        )
        #expect(none == [] && asked == [before, behind])
        let left = state.suspectSpace(for: 0..<30_000) { $0.volume == VolumeID(1) }
        #expect(left == [2..<4, 5..<6])
        #expect(state.suspectSpace(for: 30_000..<30_001) { _ in true } == [7..<8])
        #expect(state.suspectSpace(for: 30_000..<30_000) { _ in true } == [])
        // They keep their places until there are others.
        #expect(state.missingSpace(for: 0..<40_960) == [])
        let other = Extent(volume: VolumeID(1), start: 100, count: 2)
        #expect(state.lay([other], under: 2..<4) == [before])
        #expect(state.space.location(ofBlock: 3)?.fileOffset == 101 * 4096)
        #expect(state.space.location(ofBlock: 5)?.fileOffset == 12 * 4096)
    }
}

@Suite struct `An upload refuses` {
    private func claim(
        _ offset: UInt64, _ end: UInt64?, isSequential: Bool = true, length: UInt64? = nil
    ) -> ChunkClaim {
        ChunkClaim(offset: offset, end: end, isSequential: isSequential, length: length)
    }

    /// Of which those ranges have come.
    private func state(
        _ received: [Range<UInt64>], length: UInt64? = nil, fragments: Int = 0, pieces: Int = 0,
        partials: Int = 0
    ) throws -> UploadState {
        var space = SpaceMap()
        for piece in 0..<pieces {
            space.add(
                at: UInt64(2 * piece),
                [Extent(volume: VolumeID(1), start: UInt32(2 * piece), count: 1)])
        }
        var checksums = BlockChecksums()
        for unit in 0..<partials { checksums.add(block: UInt64(16 * unit), checksum: 1) }
        let blocks = (0..<fragments).map { (UInt64($0), [UInt8](repeating: 0, count: 4096)) }
        return UploadState(
            length: length, bytesMax: 1 << 40, generation: 1,
            received: try #require(ExtentMap(ranges: received)), space: space,
            checksums: checksums, fragments: Dictionary(uniqueKeysWithValues: blocks))
    }

    @Test func `another offset than its own`() throws {
        let state = try state([0..<100, 200..<300])
        for offset in [0, 99, 101, 300] as [UInt64] {
            #expect(throws: ChunkRefusal.wrongOffset(expected: 100)) {
                try state.admit(claim(offset, offset + 1))
            }
        }
        #expect(try state.admit(claim(100, 101)) == .granted)
        #expect(try state.admit(claim(250, 400, isSequential: false)) == .granted)
    }

    @Test func `what lies behind its end`() throws {
        let known = try state([0..<100], length: 1000)
        #expect(throws: ChunkRefusal.tooLong(limit: 1000)) { try known.admit(claim(100, 1001)) }
        #expect(throws: ChunkRefusal.tooLong(limit: 1000)) {
            try known.admit(claim(1001, nil, isSequential: false))
        }
        #expect(try known.admit(claim(100, 1000)) == .granted)
        let told = try state([0..<100])
        #expect(throws: ChunkRefusal.tooLong(limit: 500)) {
            try told.admit(claim(100, 501, length: 500))
        }
        #expect(throws: ChunkRefusal.tooLong(limit: 1 << 40)) {
            try told.admit(claim(100, 1 << 40 + 1))
        }
        #expect(throws: ChunkRefusal.tooLong(limit: 1 << 40)) {
            try told.admit(claim(100, 200, length: 1 << 40 + 1))
        }
    }

    @Test func `a length that contradicts another, or what has come`() throws {
        let known = try state([0..<100], length: 1000)
        #expect(throws: ChunkRefusal.inconsistentLength) {
            try known.admit(claim(100, 200, length: 1001))
        }
        var told = try state([0..<100])
        #expect(throws: ChunkRefusal.inconsistentLength) {
            try told.admit(claim(100, 100, length: 99))
        }
        #expect(throws: ChunkRefusal.inconsistentLength) { try told.end(at: 99) }
        #expect(told.length == nil)
        try told.end(at: 100)
        #expect(told.isComplete)
        #expect(throws: ChunkRefusal.inconsistentLength) { try told.end(at: 101) }
    }

    @Test func `other bytes for the same place`() throws {
        var state = UploadState(length: 4096, bytesMax: 4096)
        let writer = state.open(claim(0, 4096))
        var report = ChunkReport()
        report.parts = [BlockPart(offset: 10, bytes: [1, 2, 3])]
        _ = try state.take(report, from: writer)
        report.parts = [BlockPart(offset: 8, bytes: [7, 7, 1, 2, 4])]
        #expect(throws: ChunkRefusal.differs(at: 12)) { try state.take(report, from: writer) }
        #expect(state.received.ranges == [10..<13])
        report.parts = [BlockPart(offset: 8, bytes: [7, 7, 1, 2, 3])]
        _ = try state.take(report, from: writer)
        #expect(state.received.ranges == [8..<13])
    }

    /// One more of each would not fit into the record.
    @Test func `to lie in more pieces than its record can say`() throws {
        let next = claim(1 << 30, 1 << 30 + 5000, isSequential: false)
        let runs = (0..<UInt64(UploadRecordLimits.rangesMax)).map { 8192 * $0..<8192 * $0 + 4096 }
        #expect(throws: ChunkRefusal.tooScattered) { try state(runs).admit(next) }
        let fragments = UploadRecordLimits.fragmentsMax
        #expect(throws: ChunkRefusal.tooScattered) {
            try state([], fragments: fragments - 1).admit(next)
        }
        #expect(try state([], fragments: fragments - 2).admit(next) == .granted)
        #expect(throws: ChunkRefusal.tooScattered) {
            try state([], pieces: UploadRecordLimits.piecesMax).admit(next)
        }
        #expect(throws: ChunkRefusal.tooScattered) {
            try state([], partials: UploadRecordLimits.partialUnitsMax).admit(next)
        }
    }

    @Test func `nobody that it would have to cut short`() throws {
        var state = UploadState(length: 10_000, bytesMax: 10_000)
        let first = state.open(claim(0, 4000, isSequential: false))
        let second = state.open(claim(4000, 8000, isSequential: false))
        #expect(
            try state.admit(claim(3999, 4001, isSequential: false)) == .preempts([first, second]))
        #expect(try state.admit(claim(7999, 9000, isSequential: false)) == .preempts([second]))
        #expect(try state.admit(claim(8000, 9000, isSequential: false)) == .granted)
        // One that goes on at the front waits for all: they may bring what it goes on behind.
        #expect(try state.admit(claim(5, 6)) == .preempts([first, second]))
        state.close(first)
        state.close(second)
        #expect(try state.admit(claim(0, 4000)) == .granted)
    }
}
