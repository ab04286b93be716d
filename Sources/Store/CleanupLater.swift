/// What is left of deleted objects whose volume had failed when their headers were to be zeroed:
/// their space is free once that was done on the volume that works again.

import IO
import Loop
import Volumes

/// One of them. The catalog has its removal, and nobody reads it any more.
struct CleanupLater {
    let removed: RemovedObject
    let isReleased: Bool
    /// Zeros were on their way to its header when something failed, and may still come.
    var isSuspect: Bool
    /// How often its place failed while its volume worked.
    var failures = 0

    init(_ removed: RemovedObject, isReleased: Bool, isSuspect: Bool) {
        (self.removed, self.isReleased) = (removed, isReleased)
        self.isSuspect = isSuspect
    }
}

extension ObjectStore {
    /// Keeps it for `cleanUpLate`. What is not kept, a restart finishes: the removal record stays.
    func postpone(_ cleanup: CleanupLater, because error: StoreError) {
        guard state.health.bringsBack, cleanups.count < StoreLimits.cleanupsMax,
            cleanup.failures < StoreLimits.cleanupTriesMax
        else { return state.report(.cleanupPostponed(error)) }
        cleanups.append(cleanup)
    }

    /// Frees what of deleted objects could not be freed while their volume took no writes. To be
    /// called about once a second, on this core.
    public func cleanUpLate() {
        guard !cleanups.isEmpty, !isCleaningUp else { return }
        isCleaningUp = true
        finishInBackground { [self] in
            for _ in 0..<min(cleanups.count, StoreLimits.cleanupsPerSecond) {
                await cleanUpAgain(cleanups.removeFirst())
            }
            isCleaningUp = false
        }
    }

    private func cleanUpAgain(_ cleanup: CleanupLater) async {
        var cleanup = cleanup
        let removed = cleanup.removed
        let mark = state.health.mark
        guard state.health.takesWrites(removed.record.volume) else {
            return cleanups.append(cleanup)
        }
        do throws(StoreError) {
            // Without the volume failing by it: the place may be bad for good.
            guard try await files.tryZeroingHeader(at: removed.record.address, since: mark) else {
                cleanup.isSuspect = true
                cleanup.failures += 1
                let path = VolumeName(removed.record.volume).path
                throw .kernel(operation: .write, path: path, error: .io)
            }
            try await files.file(removed.record.volume).flush(since: mark)
        } catch {
            cleanup.isSuspect = true
            return postpone(cleanup, because: error)
        }
        for extent in removed.data { await dropCached(extent) }
        await ledger.cleaned(
            removed, isReleased: cleanup.isReleased, isSuspect: cleanup.isSuspect)
    }
}
