// Goal:   the steps of a chunk cover it once, from front to back, and each is legal: blocks that
//         are written are whole, empty and nobody's; what lies on the volume is compared; the rest
//         goes to the owner, block by block.
// Method: random chunks over random sets of what has come, each walked whole and with breaks.

import Testing

@testable import Volumes

@Suite struct `The steps of a chunk` {
    private static let block = UInt64(VolumeLayout.blockSize)
    private static let unit = UInt64(VolumeLayout.checksumUnit)

    /// What the core that receives it knows.
    private struct Chunk {
        var start: UInt64
        var end: UInt64?
        var length: UInt64?
        var stored = ExtentMap()
        var held: Set<UInt64> = []

        static func random(_ chance: inout Seeded) -> Chunk {
            let size = UInt64.random(in: 1...300_000, using: &chance)
            let edges = [edge(size, &chance), edge(size, &chance)].sorted()
            var chunk = Chunk(start: edges[0], end: edges[1])
            if Bool.random(using: &chance) { chunk.length = size }
            if Int.random(in: 0..<4, using: &chance) == 0 { chunk.end = nil }
            for _ in 0..<Int.random(in: 0...6, using: &chance) {
                let run = [edge(size, &chance), edge(size, &chance)].sorted()
                chunk.stored.insert(run[0]..<run[1])
            }
            for _ in 0..<Int.random(in: 0...6, using: &chance) {
                let held = UInt64.random(in: 0...size / block, using: &chance)
                if !chunk.stored.overlaps(held * block..<(held + 1) * block) {
                    chunk.held.insert(held)
                }
            }
            return chunk
        }

        private static func edge(_ size: UInt64, _ chance: inout Seeded) -> UInt64 {
            let place = UInt64.random(in: 0...size, using: &chance)
            return Bool.random(using: &chance) ? place : place / block * block
        }

        var steps: ChunkSteps {
            ChunkSteps(end: end, length: length, stored: stored, held: held)
        }
    }

    @Test(arguments: 1...16 as ClosedRange<UInt64>)
    func `cover it once, each of them legal`(seed: UInt64) {
        var chance = Seeded(seed)
        for _ in 0..<120 {
            let chunk = Chunk.random(&chance)
            let countMax = VolumeLayout.checksumUnit * .random(in: 1...17, using: &chance)
            var position = chunk.start
            // A chunk without an end goes on for as long as somebody asks.
            let limit = chunk.end ?? chunk.start + 400_000
            while position < limit {
                guard let step = chunk.steps.next(at: position, countMax: countMax) else {
                    Issue.record("seed \(seed): no step at \(position) of \(chunk)")
                    return
                }
                let wrong = illegal(step, at: position, in: chunk, countMax: countMax)
                guard wrong == nil else {
                    Issue.record("seed \(seed): \(wrong ?? "") of \(chunk)")
                    return
                }
                position += UInt64(step.count)
            }
            if chunk.end != nil {
                #expect(position == limit)
                #expect(chunk.steps.next(at: position, countMax: countMax) == nil)
            }
        }
    }

    /// What is wrong with a step; nil if nothing is.
    private func illegal(
        _ step: ChunkSteps.Step, at position: UInt64, in chunk: Chunk, countMax: Int
    ) -> String? {
        let range = step.offset..<step.offset + UInt64(step.count)
        guard step.offset == position, step.count > 0, step.count <= countMax else {
            return "\(step) at \(position), of \(countMax)"
        }
        if let end = chunk.end, range.upperBound > end { return "\(step) passes the end" }
        switch step.kind {
        case .compare: return chunk.stored.contains(range) ? nil : "\(step) compares with nothing"
        case .part: return illegalPart(range, chunk)
        case .write: return illegalWrite(range, chunk)
        }
    }

    private func illegalPart(_ range: Range<UInt64>, _ chunk: Chunk) -> String? {
        let number = range.lowerBound / Self.block
        let block = number * Self.block..<(number + 1) * Self.block
        if range.upperBound > block.upperBound { return "a part of two blocks: \(range)" }
        if chunk.stored.overlaps(range) { return "a part that is stored: \(range)" }
        // A whole, empty block is written: else every byte would pass the owner.
        let isEmpty = !chunk.stored.overlaps(block) && !chunk.held.contains(number)
        let isWhole =
            range.lowerBound == block.lowerBound
            && chunk.end.map { $0 >= block.upperBound } ?? true
        return isEmpty && isWhole ? "a whole block as a part: \(range)" : nil
    }

    private func illegalWrite(_ range: Range<UInt64>, _ chunk: Chunk) -> String? {
        if range.lowerBound % Self.block != 0 { return "a write within a block: \(range)" }
        let isLast = range.upperBound == chunk.length
        if range.upperBound % Self.block != 0, !isLast { return "a write of a part: \(range)" }
        if chunk.stored.overlaps(range) { return "a write over what came: \(range)" }
        let blocks = range.lowerBound / Self.block..<VolumeLayout.blocks(for: range.upperBound)
        if blocks.contains(where: chunk.held.contains) {
            return "a write of a held block: \(range)"
        }
        // A buffer that starts within a unit ends with it, so that the next ones hold whole units.
        let isWithinUnit = range.lowerBound % Self.unit != 0
        let unitEnd = (range.lowerBound / Self.unit + 1) * Self.unit
        return isWithinUnit && range.upperBound > unitEnd ? "\(range) leaves its unit" : nil
    }

    @Test func `are few where nothing has come`() {
        let chunk = Chunk(start: 0, end: 10 << 20, length: 10 << 20)
        var position: UInt64 = 0
        var count = 0
        while let step = chunk.steps.next(at: position, countMax: 1 << 20) {
            position += UInt64(step.count)
            count += 1
        }
        #expect(position == 10 << 20 && count == 10)
    }

    @Test func `of nothing are none`() {
        let chunk = Chunk(start: 70_000, end: 70_000, length: 70_000)
        #expect(chunk.steps.next(at: 70_000, countMax: 65_536) == nil)
    }
}
