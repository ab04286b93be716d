/// Which CPUs, how much memory, what disk: decided once, before anything starts.

import Configuration
import IO

struct MachinePlan {
    let topology: Topology
    let places: [CorePlace]
    let memory: MemoryLock.Plan
    let fileSystemType: String
    /// Nil if the data directory's file system has none of its own.
    let storageDevice: BlockDevice?

    /// - Parameter coresMax: for who needs no more, whatever the settings say.
    init(
        _ settings: Settings, _ journal: Journal, coresMax: Int = .max
    ) throws(ServeError) {
        do {
            _ = try ResourceLimits.raise(.openFiles)
            _ = try ResourceLimits.raise(.lockedMemory)
        } catch {
            journal.warning("resource limits could not be raised: errno \(error.code)")
        }
        do {
            topology = try Topology.current()
            let found = try topology.plan(requestedCores: settings.server.cores?.indices)
                .prefix(coresMax)
            places =
                settings.server.usesNUMA
                ? Array(found) : found.map { CorePlace(cpu: $0.cpu, node: nil) }
        } catch { throw ServeError("\(error)") }
        do {
            memory = try MemoryLock.plan(
                requestedPerCore: settings.server.memoryPerCoreBytes, coreCount: places.count)
        } catch {
            throw ServeError("the memory lock limit cannot be read: errno \(error.code)")
        }
        if let warning = memory.warning { journal.warning(warning) }
        // The directory may be made only later.
        let place = FileSystem.existing(above: settings.storage.path)
        fileSystemType = (try? FileSystem.holding(place).type) ?? "unknown"
        storageDevice = BlockDevice.holding(place)
    }

    /// Positions of the cores whose CPUs are on the storage device's node; nil if that is unknown.
    var coresOnStorageNode: [Int]? {
        MachinePlan.cores(on: storageDevice?.node, places.map { topology.node(of: $0.cpu) })
    }

    static func cores(on node: Int?, _ nodes: [Int?]) -> [Int]? {
        node.map { node in nodes.indices.filter { nodes[$0] == node } }
    }
}
