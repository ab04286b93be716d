/// How a machine report comes about: from the plan that a start would make, and one ring on trial.

public import Configuration
import IO
import Synchronization
import Uring

extension MachineReport {
    /// The machine as it is now. Fails where a start would, for want of the cores that are named.
    public static func current(_ settings: Settings) throws(ServeError) -> MachineReport {
        let warnings = Mutex<[String]>([])
        let plan = try MachinePlan(
            settings, Journal { _, text, _ in warnings.withLock { $0.append(text) } })
        return MachineReport(
            plan, settings, files: .real, ring: RingReport.probed(),
            warnings: warnings.withLock { $0 })
    }

    init(
        _ plan: MachinePlan, _ settings: Settings, files: SystemFiles, ring: RingReport,
        warnings: [String]
    ) {
        kernel = RingProbe.kernelRelease()
        quota = plan.topology.quota
        processors = Processor.all(
            plan.topology, plan.places, areNamed: settings.server.cores != nil)
        nodes = Node.all(plan.topology, files)
        storage = Storage(
            path: settings.storage.path, fileSystem: plan.fileSystemType,
            device: plan.storageDevice, coresOnItsNode: plan.coresOnStorageNode)
        network = NetworkDevice.all(files)
        arenas = plan.places.enumerated().map { core, place in
            ArenaPlace(
                core: core, bytes: plan.memory.bytesPerCore, node: place.node,
                isLocked: plan.memory.isRegistered)
        }
        self.ring = ring
        self.warnings = warnings
    }
}

extension MachineReport.RingReport {
    static func probed() -> MachineReport.RingReport {
        do {
            let facts = try RingProbe.facts(entries: CoreDriver.ringEntries)
            return MachineReport.RingReport(
                facts, operationsMissing: RingProbe.missingOperations() ?? [],
                hasZeroCopy: RingProbe.hasZeroCopy())
        } catch {
            return MachineReport.RingReport(refusal: RingProbe.explain(error))
        }
    }

    private init(_ facts: RingFacts, operationsMissing: [String], hasZeroCopy: Bool) {
        submissionEntries = Int(facts.submissionEntries)
        completionEntries = Int(facts.completionEntries)
        setupFlags = facts.setupFlagNames
        features = facts.featuresPresent
        featuresMissing = facts.featuresMissing
        self.operationsMissing = operationsMissing
        self.hasZeroCopy = hasZeroCopy
    }
}
