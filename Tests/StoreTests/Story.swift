/// What a scenario has done and what it was told, so that after a power cut somebody can say which
/// states are allowed: the last acknowledged one, or that of the operation that was under way.

import Catalog
import IO
import Simulator
import Volumes

@testable import Store

/// One step of a scenario.
enum Step: Sendable {
    case put(String, size: Int, seed: UInt64)
    case remove(String)
    /// Waits until clean-ups are done and the index is up to date.
    case settle
    /// So many seconds, in each of which cores do what they do then.
    case pass(Double)
}

/// The state of every name, as acknowledged and as possible.
struct Expectations: Sendable {
    struct State: Sendable {
        /// Nil is absent.
        var acknowledged: [UInt8]?
        /// What an operation under way, or one that failed, may have made of it.
        var possible: [[UInt8]?] = []
    }

    var names: [String: State] = [:]
    /// Changes with everything that is said or attempted.
    var version = 0

    mutating func attempt(_ name: String, _ outcome: [UInt8]?) {
        names[name, default: State()].possible.append(outcome)
        version += 1
    }

    mutating func acknowledge(_ name: String, _ outcome: [UInt8]?) {
        names[name] = State(acknowledged: outcome)
        version += 1
    }
}

/// A power cut that is to be survived.
struct PowerCut: Sendable {
    let image: DiskImage
    let catalog: CatalogSnapshot
    let expectations: Expectations
    let operation: Int
}

/// What a catalog had committed.
struct CatalogSnapshot: Sendable {
    var changes: [CatalogChange] = []
    var applied: UInt64 = 0

    init(_ catalog: MemoryCatalog) throws(CatalogError) {
        let reader = catalog.makeReader()
        for line in try reader.list(prefix: [], after: nil, limit: CatalogLimits.listingMax) {
            changes.append(.put(name: line.name, entry: line.entry))
        }
        var extents: [CatalogChange] = []
        try reader.forEachExtent { extents.append(.addExtent($0)) }
        changes += extents
        changes += try reader.leases().map { .addLease($0) }
        changes += try reader.removals().map { .addRemoval($0) }
        var uploads: [(CatalogUploadID, [UInt8])] = []
        try reader.forEachUpload { uploads.append(($0, $1)) }
        for (id, value) in uploads {
            changes.append(.putUpload(id, value: value))
            for page in try reader.uploadPages(id) {
                changes.append(.putUploadPage(id, page: page.page, value: page.value))
            }
        }
        applied = try reader.metadata().applied
    }

    func restored() throws(CatalogError) -> MemoryCatalog {
        let catalog = MemoryCatalog(instance: World.instance)
        try catalog.commit(changes, applied: applied)
        return catalog
    }
}

/// Plays steps on a world, one after the other, and collects power cuts on the way.
final class Story {
    let world: World
    private(set) var expectations = Expectations()
    private(set) var cuts: [PowerCut] = []
    private var seen: Set<[UInt64]> = []
    private var random: SeededRandom
    private var snapshot: (commits: Int, catalog: CatalogSnapshot)?
    private let catalog: MemoryCatalog
    private let cutsPerOperation: Int
    private(set) var failures: [StoreError] = []

    init(_ world: World, _ catalog: MemoryCatalog, seed: UInt64, cutsPerOperation: Int) {
        self.world = world
        self.catalog = catalog
        self.cutsPerOperation = cutsPerOperation
        random = SeededRandom(seed: seed)
    }

    func play(_ steps: [Step]) throws {
        if cutsPerOperation > 0 {
            world.machine.afterStep = { [unowned self] in
                if !world.disk.wasPreparation { try? cutPower() }
            }
        }
        defer { world.machine.afterStep = {} }
        for (index, step) in steps.enumerated() {
            let core = index % world.cores.count
            switch step {
            case .put(let name, let size, let seed):
                put(name, content(size, seed: seed), on: core)
            case .remove(let name): remove(name, on: core)
            case .settle: world.settle()
            case .pass(let seconds): world.pass(secondsCleaning: seconds)
            }
        }
    }

    private func put(_ name: String, _ bytes: [UInt8], on core: Int) {
        expectations.attempt(name, bytes)
        switch world.put(name, bytes, on: core) {
        case .success(.created), .success(.existsIdentical):
            expectations.acknowledge(name, bytes)
        case .success(.existsDifferent): break
        case .failure(let error): failures.append(error)
        }
    }

    private func remove(_ name: String, on core: Int) {
        expectations.attempt(name, nil)
        switch world.remove(name, on: core) {
        case .success: expectations.acknowledge(name, nil)
        case .failure(let error): failures.append(error)
        }
    }

    private func cutPower() throws {
        if snapshot?.commits != catalog.commitCount {
            snapshot = (catalog.commitCount, try CatalogSnapshot(catalog))
        }
        guard let snapshot else { return }
        for _ in 0..<(world.disk.hasVolatileState ? cutsPerOperation : 1) {
            let (image, choices) = world.disk.powerCut(&random)
            let moment = [
                UInt64(world.disk.durableCount), UInt64(snapshot.commits),
                UInt64(expectations.version),
            ]
            guard seen.insert(moment + choices).inserted else { continue }
            cuts.append(
                PowerCut(
                    image: image, catalog: snapshot.catalog, expectations: expectations,
                    operation: world.disk.operationCount))
        }
    }
}

/// Opens a store after a power cut and cuts the power again, at every operation of the recovery.
func cutsDuringRecovery(
    after cut: PowerCut, hardware: [Hardware], perOperation: Int
) throws -> [PowerCut] {
    let catalog = try cut.catalog.restored()
    let world = World(hardware, disk: SimulatedDisk(cut.image), catalog: catalog)
    var random = SeededRandom(seed: UInt64(cut.operation))
    var cuts: [PowerCut] = []
    var seen: Set<[UInt64]> = []
    world.machine.afterStep = {
        for _ in 0..<perOperation {
            let (image, choices) = world.disk.powerCut(&random)
            let moment = [UInt64(world.disk.durableCount), UInt64(catalog.commitCount)]
            guard seen.insert(moment + choices).inserted,
                let snapshot = try? CatalogSnapshot(catalog)
            else { continue }
            cuts.append(
                PowerCut(
                    image: image, catalog: snapshot, expectations: cut.expectations,
                    operation: world.disk.operationCount))
        }
    }
    try world.open()
    world.machine.afterStep = {}
    _ = world.close()
    return cuts
}

/// What is wrong with a store that was opened again; empty if nothing is.
func problems(after cut: PowerCut, hardware: [Hardware], tryingWrites: Bool) -> [String] {
    do {
        let world = World(
            hardware, disk: SimulatedDisk(cut.image), catalog: try cut.catalog.restored())
        try world.open()
        var problems = contradictions(world, cut.expectations)
        if tryingWrites {
            let bytes = content(9000, seed: 99)
            let fresh = content(90_000, seed: 98)
            for (name, bytes) in [("fresh-small", bytes), ("fresh-large", fresh)] {
                if case .failure(let error) = world.put(name, bytes) {
                    problems.append("takes no writes: \(error)")
                } else if (try? world.get(name).get()) != bytes {
                    problems.append("what is written afterwards does not come back")
                }
            }
            problems += contradictions(world, cut.expectations, checksSpace: false)
        }
        if let error = world.close() { problems.append("does not close: \(error)") }
        return problems
    } catch {
        return ["does not open: \(error)"]
    }
}

/// What a world shows and should not, by what was promised.
func contradictions(
    _ world: World, _ expectations: Expectations, checksSpace: Bool = true
) -> [String] {
    var problems = world.corruptions.map { "reports \($0)" }
    for (name, state) in expectations.names.sorted(by: { $0.key < $1.key }) {
        switch world.get(name) {
        case .failure(let error): problems.append("\(name) cannot be read: \(error)")
        case .success(let bytes):
            if !([state.acknowledged] + state.possible).contains(bytes) {
                problems.append("\(name) has \(bytes?.count ?? -1) bytes that nobody promised")
            }
        }
    }
    guard checksSpace else { return problems }
    var (small, large): (UInt64, UInt64) = (0, 0)
    for line in world.list() {
        small += UInt64(line.object.record.count)
        if line.object.kind == .large { large += (line.object.length + 4095) / 4096 }
    }
    large += (world.shared?.unfinishedBytes ?? 0) / UInt64(VolumeLayout.blockSize)
    let space = world.space
    if space.smallUsed != small { problems.append("\(space.smallUsed) small, not \(small) blocks") }
    if space.largeUsed != large { problems.append("\(space.largeUsed) large, not \(large) blocks") }
    return problems
}
