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
        StoreResilience(retries: false, backsOff: true, breaksCircuits: true)
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
