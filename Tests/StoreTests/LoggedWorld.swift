/// A store whose cores have progress logs, for tests of what these are for.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Volumes

@testable import Store

/// A store whose cores log at once, and what it leaves behind.
final class LoggedWorld {
    static let bytes = content(400_000, seed: 201)

    let catalog = MemoryCatalog(instance: World.instance)
    let world: World
    let client = UploadClient("a", LoggedWorld.bytes)

    init(_ progress: ProgressPolicy, cores: Int = 1) throws {
        world = World(try World.hardware(cores: cores), catalog: catalog, progress: progress)
        try world.open()
        client.create(world, on: 0)
        // The first chunk that is settled has the core get itself a log.
        client.send(world, on: 0, to: 4096)
        world.settle()
    }

    /// The process dies; what it had written is there.
    func reopened(
        _ change: (inout DiskImage) -> Void = { _ in }
    ) throws -> World {
        catalog.crash()
        var image = world.disk.visible
        change(&image)
        let again = World(
            try World.hardware(cores: world.cores.count), disk: SimulatedDisk(image),
            catalog: catalog)
        try again.open()
        return again
    }

    /// What the catalog knows of the upload.
    var recorded: UploadRecord? {
        get throws {
            guard let id = client.id, let value = try catalog.makeReader().upload(id.catalog)
            else { return nil }
            return try UploadRecord.decode(value.span.rawBytes)
        }
    }

    var recordedOffset: UInt64? { get throws { try recorded?.received.prefixEnd } }

    func pass(seconds: UInt64) {
        let loop = world.machine.cores[0].loop
        world.run { await loop.sleep(until: loop.now + seconds * 1_000_000_000) }
    }
}

extension ProgressPolicy {
    static let ample = ProgressPolicy(settlesBefore: 0, logBlocks: 64)
}
