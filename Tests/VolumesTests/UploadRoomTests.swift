// Goal:   however many pieces an upload is in, its record can say it, and it can be made whole:
//         what goes on at the front is always let in, and so is what only makes pieces fewer.
// Method: random chunks with edges amid blocks that break off anywhere, beside a model that knows
//         every byte (UploadRun); then the corners by hand.

import Testing

@testable import Volumes

@Suite struct `An upload in many pieces` {
    private static let block = UInt64(VolumeLayout.blockSize)
    private static let most = UploadRecordLimits.fragmentsMax

    private func claim(_ range: Range<UInt64>) -> ChunkClaim {
        ChunkClaim(offset: range.lowerBound, end: range.upperBound, isSequential: false)
    }

    /// Whether the chunk was let in. It brings `count` bytes and ends.
    private func send(
        _ run: inout UploadRun, _ range: Range<UInt64>, count: UInt64 = .max
    ) -> Bool {
        do throws(ChunkRefusal) { try run.begin(claim(range)) } catch {
            #expect(error == .tooScattered)
            return false
        }
        let index = run.writers.count - 1
        let end = range.lowerBound + min(count, range.upperBound - range.lowerBound)
        while run.writers[index].position < end, !run.writers[index].hasEnded {
            run.receive(index, most: Int(end - run.writers[index].position))
        }
        run.end(run.writers[index].number)
        run.writeOrphans()
        return true
    }

    // MARK: Any history

    @Test(arguments: 1...16 as ClosedRange<UInt64>)
    func `is never in more than its record can say, and can be made whole`(seed: UInt64) throws {
        var chance = Seeded(seed)
        let size = UInt64.random(in: 700_000...900_000, using: &chance)
        var run = UploadRun(chance.bytes(Int(size)), length: size)
        var refused = 0
        for number in 0..<400 {
            let start = UInt64.random(in: 0..<size, using: &chance)
            let range = start..<min(size, start + .random(in: 1...9000, using: &chance))
            let part = UInt64.random(in: 1...9000, using: &chance)
            switch Int.random(in: 0..<8, using: &chance) {
            case 0:
                // Wherever the front is, and however little comes of it.
                let front = run.state.offset
                if front < size {
                    #expect(send(&run, front..<size, count: part), "seed \(seed): the front")
                }
            case 1:
                if let gap = gapsThatAddNothing(run).randomElement(using: &chance) {
                    #expect(send(&run, gap, count: part), "seed \(seed): \(gap)")
                }
            case 2: try overlap(&run, range, &chance)
            default: if !send(&run, range, count: part) { refused += 1 }
            }
            #expect(run.state.fragments.count <= Self.most, "seed \(seed), step \(number)")
            guard run.problems.isEmpty else { break }
        }
        #expect(refused > 0, "seed \(seed): the limit was never reached")
        #expect(run.contradictions() == [])
        // In order, in parts that end amid blocks.
        while run.state.offset < size {
            let front = run.state.offset
            guard send(&run, front..<min(size, front + 50_001)) else { break }
        }
        run.orphans += run.state.wholeBlocks()
        run.writeOrphans()
        #expect(run.state.isComplete && run.contradictions() == [])
        #expect(run.state.checksums.finish(length: size) == run.checksums)
    }

    /// What is missing between two blocks that wait: to begin there makes the first of them whole.
    private func gapsThatAddNothing(_ run: UploadRun) -> [Range<UInt64>] {
        run.state.received.missing(in: 0..<run.size).filter { gap in
            let edge = gap.lowerBound / Self.block * Self.block
            return gap.lowerBound > edge && run.state.received.contains(edge..<gap.lowerBound)
        }
    }

    /// Two at the same time, of which each may break off anywhere.
    private func overlap(
        _ run: inout UploadRun, _ range: Range<UInt64>, _ chance: inout Seeded
    ) throws {
        let start = UInt64.random(in: 0..<run.size, using: &chance)
        let other = start..<min(run.size, start + 9000)
        guard !other.overlaps(range) else { return }
        do throws(ChunkRefusal) {
            try run.begin(claim(range))
            try run.begin(claim(other))
        } catch {
            #expect(error == .tooScattered)
        }
        for index in run.writers.indices {
            for _ in 0..<Int.random(in: 0..<3, using: &chance) {
                run.receive(index, most: .random(in: 0...9000, using: &chance))
            }
        }
        run.endAll()
    }

    // MARK: Corners

    /// As many blocks as may wait but for the one at the front, none of it: each with a byte amid
    /// it, and gaps between.
    private func full() -> UploadRun {
        var run = UploadRun([UInt8](repeating: 7, count: 1 << 20), length: 1 << 20)
        for number in 1..<UInt64(Self.most) {
            let place = 2 * number * Self.block + 100
            #expect(send(&run, place..<place + 1))
        }
        #expect(run.state.fragments.count == Self.most - 1)
        return run
    }

    @Test func `takes no new one, but all that touches those that wait`() {
        var run = full()
        #expect(!send(&run, 1_000_000..<1_000_001))
        #expect(!send(&run, 3 * Self.block..<3 * Self.block + 1))
        // Within a block that waits; and from one that it does not fill into the next.
        let first = 2 * Self.block
        #expect(send(&run, first + 200..<first + 201))
        #expect(!send(&run, first + 300..<first + 2 * Self.block))
        // What comes again brings nothing.
        #expect(send(&run, first + 100..<first + 101))
        #expect(run.contradictions() == [])
    }

    @Test func `takes what goes on behind a block's beginning, wherever it breaks off`() {
        var run = full()
        let first = 2 * Self.block
        #expect(send(&run, first..<first + 100))
        // Now all of the block up to there has come.
        for count in [1, 3995, 3996, 8000, 8192] as [UInt64] {
            var other = run
            let gap = first + 101..<first + 2 * Self.block + 100
            #expect(send(&other, gap, count: count))
            #expect(other.state.fragments.count <= Self.most)
            #expect(other.contradictions() == [])
            // The rest of it, from where it broke off.
            let rest = other.state.received.missing(in: gap)
            #expect(rest.allSatisfy { send(&other, $0) })
            #expect(other.contradictions() == [])
        }
    }

    /// Every one after the first begins within a block, or at its edge, that was the last one free.
    @Test(arguments: [1, 4095, 4096, 4097, 5000, 8192] as [UInt64])
    func `always goes on at its front`(count: UInt64) {
        var run = full()
        while run.state.offset < 700_000 {
            let front = run.state.offset
            guard send(&run, front..<1 << 20, count: max(count, 64 * (count % 2))) else {
                Issue.record("refused at \(front)")
                return
            }
            #expect(run.state.fragments.count <= Self.most)
        }
        #expect(run.contradictions() == [])
    }

    @Test func `keeps room for its front in runs and pieces, too`() throws {
        let count = UInt64(UploadRecordLimits.rangesMax)
        let runs = (1...count).map { 2 * $0 * Self.block..<(2 * $0 + 1) * Self.block }
        // As many as let one in ahead, one more, and as many as let in nobody.
        for (taken, isAhead, isFront) in [
            (4073, true, true), (4074, false, true), (4086, false, false),
        ] {
            let state = UploadState(
                length: nil, bytesMax: 1 << 40, generation: 1,
                received: try #require(ExtentMap(ranges: Array(runs.prefix(taken)))),
                space: SpaceMap(), checksums: BlockChecksums(), fragments: [:])
            #expect(admits(state, claim(1 << 30..<1 << 30 + 4096)) == isAhead, "\(taken)")
            #expect(admits(state, claim(0..<4096)) == isFront, "\(taken)")
        }
    }

    private func admits(_ state: UploadState, _ claim: ChunkClaim) -> Bool {
        (try? state.admit(claim)) == .granted
    }
}
