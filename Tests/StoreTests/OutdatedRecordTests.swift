// A record that failed may be on the disk, beside a later one of its name. While a commit that is
// older than both is under way, a start looks at the first as if it might count.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A record that failed, and a later one of its name` {
    @Test(arguments: [3000, 150_000])
    func `leaves nothing of the first behind a power cut`(size: Int) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(), catalog: catalog, resilience: .breakingOnly)
        // One segment a volume, so that others are there when one fails.
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        try world.open()
        var expectations = Expectations()
        _ = try world.put("old", content(100_000, seed: 1)).get()
        expectations.acknowledge("old", content(100_000, seed: 1))
        world.settle()
        let ledger = try #require(world.shared).ledger
        let slow = try #require(world.run { try? await ledger.claim(Array("slow".utf8), nil) })
        // A large object's data is flushed before.
        world.disk.fail(.sync, number: size > StoreLimits.smallBytesMax ? 2 : 1)
        #expect(world.put("name", content(size, seed: 2)) == .failure(.readOnly))
        #expect(world.shared?.failedVolumes.map(\.description) == ["small-0000"])
        _ = try world.put("name", content(size, seed: 3)).get()
        expectations.acknowledge("name", content(size, seed: 3))
        world.settle()
        let failed = world.lateHeaders
        #expect(failed.count == 1)
        // The later one's segment goes back, and is not looked at.
        try world.giveSegmentsBack(reopening: false)
        let reader = catalog.makeReader()
        #expect(try reader.metadata().applied < slow)
        #expect(try reader.find("name".utf8.span)?.sequence == slow + 2)

        var images = [world.disk.visible]
        for seed in 0..<20 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            images.append(world.disk.powerCut(&random).image)
        }
        for image in images {
            let again = World(
                hardware, disk: SimulatedDisk(image),
                catalog: try CatalogSnapshot(catalog).restored())
            try again.open()
            #expect(contradictions(again, expectations) == [])
            #expect(again.close() == nil)
            // Nobody looks there again, unless the catalog is lost.
            #expect(failed.allSatisfy { isZero($0, again.disk.visible) })
            // The volumes alone say the same.
            let rebuilt = World(hardware, disk: SimulatedDisk(again.disk.visible))
            try rebuilt.open()
            #expect(contradictions(rebuilt, expectations) == [])
            #expect(rebuilt.close() == nil)
        }
    }

    private func isZero(_ place: BlockAddress, _ image: DiskImage) -> Bool {
        let path = VolumeName(place.volume).path
        return image.bytes(path, offset: place.byteOffset, count: VolumeLayout.blockSize)
            .allSatisfy { $0 == 0 }
    }
}
