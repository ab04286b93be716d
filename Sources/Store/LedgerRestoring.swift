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

    /// Whether the volume takes a block and gives it back. One: a disk that fails may take long to
    /// refuse each of many. Records that failed are left to their cores (`CleanupLater`).
    private func probe(_ volume: VolumeID) async -> Bool {
        let files = files.value
        guard let file = try? await files.file(volume) else { return false }
        let buffer = await files.memory.buffer(2 * VolumeLayout.blockSize)
        defer { files.memory.giveBack(buffer: buffer) }
        let block = buffer.part(from: 0, count: VolumeLayout.blockSize)
        let copy = buffer.part(from: VolumeLayout.blockSize, count: VolumeLayout.blockSize)
        files.memory.arena.zero(block)
        // Another one each time: what is read back is no older one.
        let text = "millrace probe \(state.health.counts.probes)"
        files.memory.arena.copy(Array(text.utf8).span.rawBytes, to: block)
        return await file.probe(block, readingInto: copy, files.memory.arena)
    }

    private func reopen(_ volume: VolumeID) {
        // One that was never completed is made again by whoever needs one.
        guard isKnown(volume) else { return }
        switch VolumeName(volume).volumeClass {
        case .small: segments.reopen(volume)
        case .large: extents.reopen(volume)
        }
    }

    /// What failed long enough ago cannot come any more.
    func endQuarantine() {
        let late = state.faults.contains(.settlesAtOnce) ? 0 : StoreResilience.lateNanosecondsMax
        guard loop.now >= late else { return }
        extents.endQuarantine(through: loop.now - late)
        segments.endQuarantine(through: loop.now - late)
    }

    /// What of the volume is not used for a while; of small ones also what cores are still to give
    /// back.
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
