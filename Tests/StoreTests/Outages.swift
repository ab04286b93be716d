// Disks that fail for a while: how a test makes them, and waits for their end.

import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

extension StoreResilience {
    /// Everything on, and the same each time.
    static var seeded: StoreResilience {
        var resilience = StoreResilience(retries: true, backsOff: true, breaksCircuits: true)
        resilience.seed = 7
        return resilience
    }

    /// Volumes come back, but nothing is asked again.
    static var breakingOnly: StoreResilience {
        var resilience = StoreResilience(retries: false, backsOff: true, breaksCircuits: true)
        resilience.seed = 7
        return resilience
    }
}

let second: UInt64 = 1_000_000_000

extension World {
    /// From now on, and for so long, operations of those kinds on that volume fail.
    func fail(
        _ kinds: Set<OperationKind>, of path: String, seconds: Double,
        with outcome: FaultPlan.Outcome = .error(.io)
    ) {
        let start = machine.now
        disk.plan.outages.append(
            FaultPlan.Outage(
                kinds, of: path, start..<start + UInt64(seconds * Double(second)), with: outcome))
    }

    /// Lets that much time go by.
    func pass(seconds: Double) {
        let loop = Box(machine.cores[0].loop)
        let end = machine.now + UInt64(seconds * Double(second))
        run { await loop.value.sleep(until: end) }
    }

    /// Lets time go by until every volume takes writes; false if none comes back in ten minutes.
    func waitUntilRecovered() -> Bool {
        let end = machine.now + 600 * second
        _ = machine.run {
            shared?.failedVolumes.isEmpty == true || machine.now > end
        }
        return shared?.failedVolumes.isEmpty == true
    }

    /// Where an object's record lies.
    func volume(of name: String) -> String? {
        let core = core
        let pinned = run { () async -> Pinned? in
            let pinned = try? await core.pin(name)
            if let pinned { await core.release(pinned) }
            return pinned
        }
        return pinned.map { VolumeName($0.object.record.volume).description }
    }

    var opens: Int {
        events.all.count { if case .volumeFailed = $0 { true } else { false } }
    }

    var recoveries: Int {
        events.all.count { if case .volumeRecovered = $0 { true } else { false } }
    }

    var health: VolumeHealth {
        guard let shared else { preconditionFailure("the store is not open") }
        return shared.state.health
    }
}

extension TestCore {
    /// Where headers are to be zeroed, once they may be.
    var lateHeaders: [BlockAddress] { objects.cleanups.map(\.header) }
}

extension World {
    /// Of core 0.
    var lateHeaders: [BlockAddress] {
        let core = core
        return run { await core.lateHeaders }
    }

    /// The same as `pass`, with what the server has its cores do once a second.
    func pass(secondsCleaning seconds: Double) {
        let end = machine.now + UInt64(seconds * Double(second))
        while machine.now < end {
            for (index, core) in cores.enumerated() {
                run(on: index) {
                    await core.cleanUpLate()
                    await core.keepUp()
                }
            }
            pass(seconds: min(1, max(0.001, Double(end - machine.now) / Double(second))))
        }
    }

    /// Core 0's segment goes back with all that was freed in it, and is not looked at any more.
    func giveSegmentsBack(reopening reopens: Bool) throws {
        let (core, shared) = (core, shared)
        run { await core.close() }
        pass(seconds: 0.4)
        guard reopens, let shared else { return }
        let isOpen = run { (try? await core.open(shared)) != nil }
        precondition(isOpen, "a core does not open once more")
    }
}
