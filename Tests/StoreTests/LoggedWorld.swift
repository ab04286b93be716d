/// A store whose cores have progress logs, for tests of what these are for.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
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

    /// Where the cores' logs lie, as the catalog knows.
    var logPlaces: [Extent] {
        get throws { try catalog.makeReader().leases().compactMap(\.progressLog) }
    }

    /// What the cores' logs have on the disk.
    var entries: [ProgressEntry] {
        get throws {
            let seal = try Seal(key: [1, 2, 3])
            let instance = InstanceID(high: World.instance.high, low: World.instance.low)
            var found: [ProgressEntry] = []
            for extent in try logPlaces {
                let bytes = world.disk.visible.bytes(
                    VolumeName(extent.volume).path, offset: extent.byteOffset,
                    count: Int(extent.byteCount))
                for block in 0..<extent.count {
                    let rest = bytes.span.rawBytes.extracting(
                        droppingFirst: Int(block) * VolumeLayout.blockSize)
                    let address = BlockAddress(volume: extent.volume, block: extent.start + block)
                    if case .entry(let entry) = ProgressEntry.look(
                        at: rest, address, instance: instance, seal: seal)
                    {
                        found.append(entry)
                    }
                }
            }
            return found
        }
    }

    /// Leaves no block of it: all that comes lies on the second one.
    func fillFirstVolume() throws {
        let ledger = try #require(world.shared).ledger
        for bytes in [1 << 20, 4096] as [UInt64] {
            var volume: VolumeID? = VolumeName(.large, number: 0).id
            while volume == VolumeName(.large, number: 0).id {
                volume = world.run { () async -> VolumeID? in
                    try? await ledger.reserve(bytes).first?.volume
                }
            }
            #expect(volume == VolumeName(.large, number: 1).id)
        }
    }

    func pass(seconds: UInt64) {
        let loop = world.machine.cores[0].loop
        world.run { await loop.sleep(until: loop.now + seconds * 1_000_000_000) }
    }
}

extension ProgressPolicy {
    static let ample = ProgressPolicy(settlesBefore: 0, logBlocks: 64)
}
