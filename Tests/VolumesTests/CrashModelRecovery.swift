// The other half of the crash model: losing un-flushed blocks, recovering, and judging the result.

import Checksums

@testable import Volumes

extension CrashModel {
    /// All subsets of at most this many blocks are tried, and this many random ones of more.
    private static let exhaustiveMax = 4

    /// Stops here: some of the un-flushed blocks are on disk, in whatever combination.
    mutating func crash() {
        let count = unflushed.count
        let isExhaustive = count <= CrashModel.exhaustiveMax
        for trial in 0..<(isExhaustive ? 1 << count : 12) {
            var image = durable
            for (index, write) in unflushed.enumerated() {
                let survives =
                    isExhaustive ? trial >> index & 1 == 1 : Bool.random(using: &chance)
                if survives { CrashModel.put(write, into: &image) }
            }
            crashes += 1
            judge(image)
        }
    }

    private mutating func judge(_ image: [UInt8]) {
        let plan = replay(image, applied: 0)
        let live = outcome(of: plan)
        check(live)
        checkAccounts(plan)

        var catalog = catalog
        let behind = replay(image, applied: applied)
        for effect in behind.effects {
            switch effect {
            case .put(let record): catalog[record.name] = record.header.stamp.sequence
            case .remove(let record): catalog[record.name] = nil
            }
        }
        if catalog != live { violations.insert("the catalog differs from the volumes") }

        var interrupted = image
        for dead in plan.headersToZero + plan.torn.map(\.header.reference)
        where Bool.random(using: &chance) {
            let zeros = [UInt8](repeating: 0, count: VolumeLayout.blockSize)
            CrashModel.put((dead.address.block, zeros), into: &interrupted)
        }
        if outcome(of: replay(interrupted, applied: 0)) != live {
            violations.insert("an interrupted recovery changed the outcome")
        }
    }

    private mutating func replay(_ image: [UInt8], applied: UInt64) -> ReplayPlan {
        let end = CrashModel.firstBlock + UInt32(CrashModel.blockCount)
        var scan = RecoveryScan(
            volume: CrashModel.small, blocks: CrashModel.firstBlock..<end, instance: ours)
        var replay = Replay(applied: applied)
        while true {
            let step = scan.next(
                in: image.span.rawBytes, firstBlock: CrashModel.firstBlock, seal: TestSeal())
            switch step {
            case .record(let record): replay.add(record)
            case .torn(let record): replay.addTorn(record)
            case .finished: return replay.plan()
            case .newerFormat, .needsBlocks:
                violations.insert("the scan lost its way")
                return replay.plan()
            }
        }
    }

    private func outcome(of plan: ReplayPlan) -> [[UInt8]: UInt64] {
        var live: [[UInt8]: UInt64] = [:]
        for effect in plan.effects {
            switch effect {
            case .put(let record): live[record.name] = record.header.stamp.sequence
            case .remove: break
            }
        }
        return live
    }

    /// Everything that was acknowledged is there and nothing else is; what is under way may have
    /// happened or not.
    private mutating func check(_ live: [[UInt8]: UInt64]) {
        var expected = acknowledged.mapValues { $0.header.stamp.sequence }
        if live == expected { return }
        if let underWay {
            expected[underWay.name] = underWay.outcome?.header.stamp.sequence
            if live == expected { return }
        }
        violations.insert("an acknowledgement was broken")
    }

    /// No block is claimed twice, and after the clean-up exactly the live objects' are used.
    private mutating func checkAccounts(_ plan: ReplayPlan) {
        var segments = CrashModel.segments()
        var extents = CrashModel.extents()
        do throws(ClaimError) {
            for extent in plan.live + plan.dying + plan.headerExtents {
                if extent.volume == CrashModel.small {
                    try segments.claim(extent)
                } else {
                    try extents.claim(extent)
                }
            }
        } catch {
            violations.insert("a block was claimed twice")
            return
        }
        for extent in plan.dying + plan.headerExtents {
            if extent.volume == CrashModel.small {
                segments.release(extent)
            } else {
                extents.release([extent])
            }
        }
        let used = segments.statistics.usedBlocks + extents.statistics.usedBlocks
        if used != plan.live.reduce(0, { $0 + UInt64($1.count) }) {
            violations.insert("a block was lost")
        }
    }
}
