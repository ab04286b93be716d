/// Which CPUs, how much memory, what file system: decided once, before anything starts.

import Configuration
import IO

struct MachinePlan {
    let places: [CorePlace]
    let memory: MemoryLock.Plan
    let fileSystemType: String

    init(_ settings: Settings, _ journal: Journal) throws(ServeError) {
        do {
            _ = try ResourceLimits.raise(.openFiles)
            _ = try ResourceLimits.raise(.lockedMemory)
        } catch {
            journal.warning("resource limits could not be raised: errno \(error.code)")
        }
        do {
            let found = try Topology.current().plan(requestedCores: settings.server.cores?.indices)
            places =
                settings.server.usesNUMA ? found : found.map { CorePlace(cpu: $0.cpu, node: nil) }
        } catch { throw ServeError("\(error)") }
        do {
            memory = try MemoryLock.plan(
                requestedPerCore: settings.server.memoryPerCoreBytes, coreCount: places.count)
        } catch {
            throw ServeError("the memory lock limit cannot be read: errno \(error.code)")
        }
        if let warning = memory.warning { journal.warning(warning) }
        fileSystemType = (try? FileSystem.holding(settings.storage.path).type) ?? "unknown"
    }
}
