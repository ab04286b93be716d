// One upload as its owner and its receivers treat it, without disks, cores or time, beside a model
// that knows every byte: what the tests of `UploadState` play with.

import Checksums

@testable import Volumes

private let blockSize = VolumeLayout.blockSize

struct UploadRun {
    /// A request on the core that receives it. It waits for the blocks that its reports made whole.
    struct Writer {
        let number: UInt64
        let claim: ChunkClaim
        let steps: ChunkSteps
        var position: UInt64
        var hasEnded = false
        /// Told in this order, late.
        var reports: [ChunkReport] = []
        var blocks: [UploadState.WholeBlock] = []
    }

    /// What its client sends.
    let truth: [UInt8]
    var state: UploadState
    var writers: [Writer] = []
    /// Blocks that became whole as somebody ended, and are still to be written.
    var orphans: [UploadState.WholeBlock] = []
    private(set) var volume: [UInt8]
    private(set) var received: BoolModel
    /// By block: how often its owner was told to write it.
    private(set) var wholeCounts: [UInt64: Int] = [:]
    private(set) var problems: [String] = []
    private var nextFree: UInt32 = 10

    init(_ truth: [UInt8], length: UInt64?, bytesMax: UInt64 = 1 << 40) {
        self.truth = truth
        state = UploadState(length: length, bytesMax: bytesMax)
        let blocks = (truth.count + blockSize - 1) / blockSize
        volume = Array(repeating: 0, count: blocks * blockSize)
        received = BoolModel(count: truth.count)
    }

    var size: UInt64 { UInt64(truth.count) }

    // MARK: Requests

    /// Lets a chunk in, after whoever stands in its way has ended.
    mutating func begin(_ claim: ChunkClaim) throws(ChunkRefusal) {
        while case .preempts(let numbers) = try state.admit(claim) {
            for number in numbers { end(number) }
        }
        let number = state.open(claim)
        let range = claim.offset..<(claim.end ?? claim.offset)
        // As if something might come late to all that has not come.
        if number % 3 == 0 {
            for blocks in state.suspectSpace(for: range, where: { _ in true }) {
                _ = state.lay([place(for: blocks)], under: blocks)
            }
        }
        reserve(range)
        let steps = ChunkSteps(
            end: claim.end, length: state.length, stored: state.stored(in: claim.range),
            held: Set(state.fragments.keys))
        writers.append(
            Writer(number: number, claim: claim, steps: steps, position: claim.offset))
    }

    private mutating func reserve(_ range: Range<UInt64>) {
        for missing in state.missingSpace(for: range) {
            state.add(space: [place(for: missing)], at: missing.lowerBound)
        }
    }

    private mutating func place(for blocks: Range<UInt64>) -> Extent {
        let extent = Extent(volume: VolumeID(1), start: nextFree, count: UInt32(blocks.count))
        // A gap between two reservations, so that pieces stay apart.
        nextFree = extent.end + 1
        return extent
    }

    /// The next step of a writer, of which only `most` bytes come; fewer than it has end it.
    mutating func receive(_ index: Int, most: Int = .max) {
        let writer = writers[index]
        let limit = writer.claim.end ?? size
        guard !writer.hasEnded, writer.position < limit,
            let step = writer.steps.next(at: writer.position, countMax: VolumeLayout.checksumUnit)
        else { return writers[index].hasEnded = true }
        let count = min(step.count, most, Int(limit - writer.position))
        if count < step.count { writers[index].hasEnded = true }
        guard count > 0 else { return }
        let end = step.offset + UInt64(count)
        reserve(step.offset..<end)
        var report = ChunkReport()
        switch step.kind {
        case .write:
            let whole = step.offset + UInt64(count / blockSize * blockSize)
            if whole > step.offset { write(step.offset..<whole, into: &report) }
            if end > whole { report.parts = [part(whole..<end)] }
        case .part: report.parts = [part(step.offset..<end)]
        case .compare:
            let range = Int(step.offset)..<Int(end)
            if volume[range] != truth[range] { problems.append("\(range) is not on the volume") }
        }
        writers[index].position = end
        if !report.isEmpty { writers[index].reports.append(report) }
    }

    private func part(_ range: Range<UInt64>) -> BlockPart {
        BlockPart(
            offset: range.lowerBound,
            bytes: Array(truth[Int(range.lowerBound)..<Int(range.upperBound)]))
    }

    private mutating func write(_ range: Range<UInt64>, into report: inout ChunkReport) {
        put(range)
        report.written = [range]
        var block = range.lowerBound / UInt64(blockSize)
        let unitBlocks = UInt64(PartialUnit.blockCount)
        while block * UInt64(blockSize) < range.upperBound {
            let start = Int(block) * blockSize
            if block % unitBlocks == 0, (block + unitBlocks) * UInt64(blockSize) <= range.upperBound
            {
                report.units.append(
                    ChunkReport.Sum(
                        number: block / unitBlocks,
                        checksum: sum(start..<start + VolumeLayout.checksumUnit)))
                block += unitBlocks
            } else {
                report.blocks.append(
                    ChunkReport.Sum(number: block, checksum: sum(start..<start + blockSize)))
                block += 1
            }
        }
    }

    private func sum(_ range: Range<Int>) -> UInt32 {
        let bytes = Array(truth[range])
        return crc32c(bytes.span.rawBytes)
    }

    /// Puts whole blocks on the volume, where nothing that has come may lie.
    private mutating func put(_ range: Range<UInt64>) {
        if state.stored(in: range).byteCount > 0 {
            problems.append("\(range) is written over what had come")
        }
        let end = min(Int(range.upperBound), truth.count)
        volume.replaceSubrange(
            Int(range.lowerBound)..<end, with: truth[Int(range.lowerBound)..<end])
    }

    // MARK: What reaches the owner

    /// A writer tells its next news; not before the blocks of the last ones are written.
    mutating func tell(_ index: Int) throws(ChunkRefusal) {
        guard writers[index].blocks.isEmpty, !writers[index].reports.isEmpty else { return }
        let report = writers[index].reports.removeFirst()
        for range in report.written { received.set(range) }
        for part in report.parts { received.set(part.range) }
        let blocks = try state.take(report, from: writers[index].number)
        count(blocks)
        writers[index].blocks = blocks
    }

    private mutating func count(_ blocks: [UploadState.WholeBlock]) {
        for block in blocks { wholeCounts[block.number, default: 0] += 1 }
    }

    /// The owner writes one of the blocks that a writer waits for.
    mutating func writeBlock(of index: Int) {
        guard !writers[index].blocks.isEmpty else { return }
        finish(writers[index].blocks.removeFirst())
    }

    mutating func writeOrphans() {
        for block in orphans { finish(block) }
        orphans = []
    }

    private mutating func finish(_ block: UploadState.WholeBlock) {
        let start = block.number * UInt64(blockSize)
        put(start..<start + UInt64(blockSize))
        let end = Int(start) + block.bytes.count
        if block.bytes != Array(truth[Int(start)..<end]) {
            problems.append("block \(block.number) has other bytes")
        }
        state.wrote(block)
    }

    /// Whether nothing of that writer is on its way any more.
    func isQuiet(_ index: Int) -> Bool {
        writers[index].hasEnded && writers[index].reports.isEmpty && writers[index].blocks.isEmpty
    }

    /// Ends a writer, however far it has come: all that it has to tell is told before.
    mutating func end(_ number: UInt64) {
        guard let index = writers.firstIndex(where: { $0.number == number }) else { return }
        while !writers[index].reports.isEmpty || !writers[index].blocks.isEmpty {
            while !writers[index].blocks.isEmpty { writeBlock(of: index) }
            do throws(ChunkRefusal) { try tell(index) } catch {
                problems.append("the same bytes were refused: \(error)")
            }
        }
        writers.remove(at: index)
        state.close(number)
        let blocks = state.wholeBlocks()
        count(blocks)
        orphans += blocks
    }

    mutating func endAll() {
        for writer in writers { end(writer.number) }
        writeOrphans()
    }

    // MARK: What must hold at any time

    /// All that is wrong; empty if nothing is.
    func contradictions() -> [String] {
        var found = problems
        let runs = received.runs(of: true, in: received.all)
        if state.received.ranges != runs { found.append("\(state.received.ranges), not \(runs)") }
        if state.received.byteCount != received.count { found.append("a byte counts twice") }
        let prefix = runs.first?.lowerBound == 0 ? runs[0].upperBound : 0
        if state.offset != prefix { found.append("the offset is \(state.offset)") }
        let stored = state.stored(in: received.all)
        for run in stored.ranges {
            let range = Int(run.lowerBound)..<Int(run.upperBound)
            if volume[range] != truth[range] { found.append("\(range) is not on the volume") }
        }
        for run in runs { found += missing(of: run, stored) }
        for (block, times) in wholeCounts where times > 1 {
            found.append("block \(block) was to be written \(times) times")
        }
        return found
    }

    /// What of a run is in no fragment and does not lie on the volume.
    private func missing(of run: Range<UInt64>, _ stored: ExtentMap) -> [String] {
        var found: [String] = []
        for range in stored.missing(in: run) {
            var start = Int(range.lowerBound)
            while start < Int(range.upperBound) {
                let block = start / blockSize
                let end = min((block + 1) * blockSize, Int(range.upperBound))
                let place = start - block * blockSize
                let bytes = state.fragments[UInt64(block)]?.bytes
                if bytes?[place..<place + end - start].elementsEqual(truth[start..<end]) != true {
                    found.append("bytes \(start)..<\(end) are lost")
                }
                start = end
            }
        }
        return found
    }

    /// The checksums that the whole has to have.
    var checksums: [UInt32] {
        stride(from: 0, to: truth.count, by: VolumeLayout.checksumUnit).map {
            sum($0..<min(truth.count, $0 + VolumeLayout.checksumUnit))
        }
    }
}
