/// Which writes that are asked in one turn become one: those that follow each other in a file.
///
///     join ──▶ open run ──close──▶ in flight, one request ──end──▶ an answer for each
///                 └─ whatever does not follow it closes it
///
/// One request instead of eight saves seven times what the kernel does for each: a look at the
/// file's extents, a request of the block layer, a completion.

import CUring
import IO

struct WriteRuns {
    /// A run to be handed to the kernel; its parts are `regions[parts]`.
    struct Closed {
        let slot: Int
        let file: Descriptor
        let offset: UInt64
        let parts: Range<Int>
    }

    static let partsMax = Int(CURING_PARTS_MAX)
    /// Beyond this, what a request costs is the bytes'.
    static let bytesMax: UInt64 = 256 << 10

    private struct Run {
        var file = Descriptor(-1)
        var offset: UInt64 = 0
        var end: UInt64 = 0
        var count = 0
    }

    private var runs: [Run] = []
    /// What is written and who asked, `partsMax` for each run.
    private(set) var regions: [curing_region] = []
    private(set) var tokens: [Token] = []
    private var unused: [Int] = []
    private var open: Int?

    /// Whether the write became a part of the open run, or the first one of a new run because none
    /// was open. If not, `close` first.
    mutating func join(
        _ file: Descriptor, _ offset: UInt64, _ source: Region, _ token: Token
    ) -> Bool {
        let slot: Int
        if let open {
            slot = open
            let run = runs[open]
            guard run.file == file, run.end == offset, run.count < WriteRuns.partsMax,
                offset + UInt64(source.count) - run.offset <= WriteRuns.bytesMax
            else { return false }
        } else {
            slot = begin(file, offset)
        }
        let part = slot * WriteRuns.partsMax + runs[slot].count
        regions[part] = curing_region(offset: source.offset, count: source.count)
        tokens[part] = token
        runs[slot].count += 1
        runs[slot].end += UInt64(source.count)
        return true
    }

    private mutating func begin(_ file: Descriptor, _ offset: UInt64) -> Int {
        let slot: Int
        if let last = unused.popLast() {
            slot = last
        } else {
            slot = runs.count
            runs.append(Run())
            let parts = WriteRuns.partsMax
            regions.append(contentsOf: repeatElement(curing_region(), count: parts))
            tokens.append(contentsOf: repeatElement(Token(.ignored), count: parts))
        }
        runs[slot] = Run(file: file, offset: offset, end: offset)
        open = slot
        return slot
    }

    /// The open run, which gets no more parts; nil if there is none.
    mutating func close() -> Closed? {
        guard let slot = open else { return nil }
        open = nil
        let run = runs[slot]
        return Closed(slot: slot, file: run.file, offset: run.offset, parts: parts(of: slot))
    }

    /// The run in `slot` was answered with `result`: passes each part's share of it to `body`. What
    /// failed has failed for all; of a short write, those behind its end got nothing.
    mutating func end(_ slot: Int, _ result: Int32, _ body: (Token, Int32) -> Void) {
        var left = max(result, 0)
        for part in parts(of: slot) {
            let share = min(left, Int32(regions[part].count))
            left -= share
            body(tokens[part], result < 0 ? result : share)
        }
        forget(slot)
    }

    /// What a part writes.
    func source(of part: Int) -> Region {
        Region(offset: regions[part].offset, count: regions[part].count)
    }

    private func parts(of slot: Int) -> Range<Int> {
        let first = slot * WriteRuns.partsMax
        return first..<first + runs[slot].count
    }

    /// The run in `slot` is not one of ours any more.
    mutating func forget(_ slot: Int) {
        runs[slot].count = 0
        unused.append(slot)
    }
}
