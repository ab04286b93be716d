/// The ledger's volumes that failed: seen to be quiet on every core, tried again now and then, and
/// taken into use once that goes well. The states are `VolumeHealth`'s.

import Checksums
import IO
import Loop
import Volumes

extension Ledger {
    /// A volume has stopped taking writes.
    func restore(_ volume: VolumeID) async {
        guard !isClosing else { return }
        restoring += 1
        defer { restoring -= 1 }
        closeFailed()
        if !state.faults.contains(.comesBackUnfenced) { await quiesce(volume) }
        while await waitForProbe(of: volume) {
            guard state.health.startProbe(of: volume, at: loop.now) else { continue }
            let works = await probe(volume)
            // Before others may ask for space, and before anybody writes.
            if works { reopen(volume) }
            state.health.probeEnded(of: volume, succeeded: works, at: loop.now)
            let name = VolumeName(volume)
            if works {
                return state.report(
                    .volumeRecovered(name, quarantinedBytes: quarantinedBytes(of: volume)))
            }
            let delay = state.health.nanosecondsUntilProbe(of: volume, at: loop.now) ?? 0
            state.report(.volumeStillFails(name, nextProbeNanoseconds: delay))
        }
    }

    /// Returns when no core will hear any more of what it asked of the volume before it failed.
    private func quiesce(_ volume: VolumeID) async {
        await files.value.opened(volume)?.quiesce()
        await state.quiesce(volume)
    }

    /// Returns when it is time to try; false if the store is closing instead.
    private func waitForProbe(of volume: VolumeID) async -> Bool {
        while !isClosing {
            guard let delay = state.health.nanosecondsUntilProbe(of: volume, at: loop.now)
            else { return false }
            guard delay > 0 else { return true }
            // In steps: whoever closes the store waits for this one.
            await loop.sleep(until: loop.now + min(delay, 100_000_000))
        }
        return false
    }

    /// Whether the volume works. What failed is made to have never been, as far as the disk lets
    /// it. One block is tried before: a disk that fails may take long to refuse each of many.
    private func probe(_ volume: VolumeID) async -> Bool {
        let files = files.value
        guard let file = try? await files.file(volume) else { return false }
        let buffer = await files.memory.buffer(2 * VolumeLayout.blockSize)
        defer { files.memory.giveBack(buffer: buffer) }
        let block = buffer.part(from: 0, count: VolumeLayout.blockSize)
        var zeroed: [BlockAddress] = []
        // A place that is bad for good keeps nobody from the others: a restart looks at it.
        var bad: Set<BlockAddress> = []
        var round = 0
        while await isWorking(file, buffer, round) {
            state.endDoubt(zeroed)
            zeroed = []
            let places = doubtfulRecords(on: volume).filter { !bad.contains($0) }
            guard !places.isEmpty else { return true }
            files.memory.arena.zero(block)
            for place in places {
                // Whoever closes the store does not wait for all of them.
                guard !isClosing else { return false }
                if await file.zeroUnseen(block, at: place.byteOffset) {
                    zeroed.append(place)
                } else {
                    bad.insert(place)
                }
            }
            round += 1
        }
        return false
    }

    private func doubtfulRecords(on volume: VolumeID) -> [BlockAddress] {
        state.faults.contains(.keepsFailedRecords) ? [] : state.doubtfulRecords(on: volume)
    }

    /// Whether it takes a block and gives it back, and all that was written before it is durable.
    /// `buffer` has room for two.
    private func isWorking(_ file: VolumeFile, _ buffer: Region, _ round: Int) async -> Bool {
        let arena = files.value.memory.arena
        let block = buffer.part(from: 0, count: VolumeLayout.blockSize)
        let copy = buffer.part(from: VolumeLayout.blockSize, count: VolumeLayout.blockSize)
        arena.zero(block)
        // Another one each time: what is read back is no older one.
        let text = "millrace probe \(state.health.counts.probes), \(round)"
        arena.copy(Array(text.utf8).span.rawBytes, to: block)
        return await file.probe(block, readingInto: copy, arena)
    }

    private func reopen(_ volume: VolumeID) {
        // One that was never completed is made again by whoever needs one.
        guard isKnown(volume) else { return }
        switch VolumeName(volume).volumeClass {
        case .small: segments.reopen(volume)
        case .large: extents.reopen(volume)
        }
    }

    /// What of the volume is not used before a restart; of small ones also what cores are still to
    /// give back.
    func quarantinedBytes(of volume: VolumeID) -> UInt64 {
        guard isKnown(volume) else { return 0 }
        let blocks =
            switch VolumeName(volume).volumeClass {
            case .small: segments.suspectBlocks(of: volume)
            case .large: extents.quarantinedBlocks(of: volume)
            }
        return blocks * UInt64(VolumeLayout.blockSize)
    }
}
