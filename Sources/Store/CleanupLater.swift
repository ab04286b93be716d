/// Headers that are zeroed later than they should be: of deleted objects whose volume had failed,
/// and of records that failed with it. Their space is free once that is durable.

import IO
import Loop
import Resilience
import Volumes

/// One of them.
struct CleanupLater {
    enum Remains {
        /// Of an object: the catalog has its removal, and nobody reads it any more.
        case deleted(RemovedObject, isReleased: Bool)
        case failed(FailedRecord)
    }

    let remains: Remains
    /// Until then what failed there may still come: see `StoreResilience.lateNanosecondsMax`.
    var notBefore: UInt64
    /// How often its place failed while its volume worked.
    var failures = 0

    var header: BlockAddress {
        switch remains {
        case .deleted(let removed, _): removed.record.address
        case .failed(let record): record.claimed.place.extent.address
        }
    }
}

/// A record that may be on the disk; nobody was told of it, and nobody reads it any more.
struct FailedRecord {
    let name: [UInt8]
    let claimed: ClaimedPlace
    /// The object that it removes, if it is a removal.
    var removes: UInt64?
    /// The space that it speaks of, if that is nobody else's.
    var data: [Extent] = []
    /// The upload that it was to be the object of.
    var upload: RecordedUpload?
}

extension ObjectStore {
    /// Has it zeroed by `cleanUpLate`, and its space given back then. What is not kept, a restart
    /// finishes.
    func doubt(_ record: FailedRecord) {
        _ = keep(CleanupLater(remains: .failed(record), notBefore: lateEnd))
    }

    /// The same for a deleted object. `isTried`: zeros failed there.
    func postpone(
        _ removed: RemovedObject, isReleased: Bool, isTried: Bool, because error: StoreError
    ) {
        let cleanup = CleanupLater(
            remains: .deleted(removed, isReleased: isReleased),
            notBefore: isTried
                ? lateEnd : state.suspects.end(in: removed.record, at: loop.now) ?? 0)
        if !keep(cleanup) { state.report(.cleanupPostponed(error, untilRestart: true)) }
    }

    /// When nothing comes any more that has failed by now.
    private var lateEnd: UInt64 {
        loop.now
            + (state.faults.contains(.settlesAtOnce) ? 0 : StoreResilience.lateNanosecondsMax)
    }

    private func keep(_ cleanup: CleanupLater) -> Bool {
        let volume = cleanup.header.volume
        guard state.health.bringsBack || state.health.takesWrites(volume),
            cleanups.count < StoreLimits.cleanupsMax
        else { return false }
        cleanups.append(cleanup)
        return true
    }

    /// Frees what could not be freed while its volume took no writes. To be called about once a
    /// second, on this core.
    public func cleanUpLate() {
        guard !cleanups.isEmpty, !isCleaningUp else { return }
        let due = takeDue()
        guard !due.isEmpty else { return }
        isCleaningUp = true
        finishInBackground { [self] in
            for cleanup in due { await cleanUpAgain(cleanup) }
            isCleaningUp = false
        }
    }

    private func takeDue() -> [CleanupLater] {
        var due: [CleanupLater] = []
        cleanups.removeAll { cleanup in
            guard due.count < StoreLimits.cleanupsPerSecond, loop.now >= cleanup.notBefore,
                state.health.takesWrites(cleanup.header.volume)
            else { return false }
            due.append(cleanup)
            return true
        }
        return due
    }

    private func cleanUpAgain(_ cleanup: CleanupLater) async {
        var cleanup = cleanup
        do throws(StoreError) {
            guard try await isZeroed(cleanup.header) else {
                cleanup.failures += 1
                let path = VolumeName(cleanup.header.volume).path
                throw .kernel(operation: .write, path: path, error: .io)
            }
        } catch { return keep(cleanup, because: error) }
        switch cleanup.remains {
        case .deleted(let removed, let isReleased):
            for extent in removed.data { await dropCached(extent) }
            await ledger.cleaned(removed, isReleased: isReleased)
        case .failed(let record): await settle(record)
        }
    }

    /// For another try: each time later, where it is the place itself that fails.
    private func keep(_ cleanup: CleanupLater, because error: StoreError) {
        var cleanup = cleanup
        cleanup.notBefore = lateEnd
        if cleanup.failures > 0 {
            cleanup.notBefore += state.health.policy.cleanupBackoff.delay(
                before: cleanup.failures - 1, random: cleanupJitter.next())
        }
        let isKept = keep(cleanup)
        if !isKept || cleanup.failures == StoreLimits.cleanupFailuresUntold {
            state.report(.cleanupPostponed(error, untilRestart: !isKept))
        }
    }

    /// Zeroes it durably, without the volume failing if that does not go well: the place may be bad
    /// for good.
    private func isZeroed(_ header: BlockAddress) async throws(StoreError) -> Bool {
        if state.faults.contains(.keepsFailedRecords) { return true }
        let mark = state.health.mark
        guard try await files.tryZeroingHeader(at: header, since: mark) else { return false }
        try await files.file(header.volume).flush(since: mark)
        return true
    }

    /// It is durably no more.
    private func settle(_ record: FailedRecord) async {
        packer.resolve(record.claimed.place, isUnused: true)
        if let removed = record.removes { state.endDoubt(aboutRemovalOf: removed) }
        await ledger.settled(
            record.name, sequence: record.claimed.sequence, freeing: record.data)
        guard let upload = record.upload else { return }
        for id in [upload.id] + upload.parts.map(\.id) {
            await state.owner(of: id)?.endDoubt(about: id)
        }
    }
}
