// Goal:   what is said of uploads that are put together is held against their bytes before anybody
//         sees them; and what is told of the whole afterwards is right across its segments.
// Method: parts of lengths around a unit, right and wrong digests, with and without a kept SHA-256.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Uploads that are put together and said to be something` {
    private static let lists: [[Int]] = [
        [0], [3, 0, 7], [40_000, 30_000], [65_536, 65_537, 1, 200_001], [1, 131_072],
    ]

    private func pieces(_ lengths: [Int]) -> [[UInt8]] {
        lengths.enumerated().map { content($0.element, seed: UInt64(700 + $0.offset)) }
    }

    private func join(
        _ world: World, _ parts: [UploadID], _ expected: ObjectDigests
    ) -> Result<UploadStatus, UploadError> {
        world.ask { core throws(UploadError) in
            try await core.join("whole", parts, expected: expected)
        }
    }

    @Test(arguments: lists, [false, true])
    func `are published if they are that`(lengths: [Int], keeps: Bool) throws {
        let world = World(try World.hardware(cores: 2))
        world.keepsSHA256 = keeps
        try world.open()
        let pieces = pieces(lengths)
        let bytes = pieces.flatMap { $0 }
        let right = ObjectDigests.of(bytes)
        let parts = try pieces.enumerated().map { try world.part($0.element, on: $0.offset % 2) }
        for wrong in [
            ObjectDigests(sha256: Array(repeating: 7, count: 32)),
            ObjectDigests(sha256: right.sha256, crc32c: (right.crc32c ?? 0) ^ 1),
        ] {
            guard case .failure(.mismatch) = join(world, parts, wrong) else {
                Issue.record("\(wrong) was right")
                continue
            }
            // They are as they were.
            for (part, piece) in zip(parts, pieces) {
                #expect(try world.status(part).get().offset == UInt64(piece.count))
            }
            #expect(try world.get("whole").get() == nil)
        }
        #expect(try join(world, parts, right).get().isFinished)
        #expect(try world.get("whole").get() == bytes)
        let core = world.core
        let told = world.run { await core.digests(of: "whole") }
        #expect(told == right)
        if bytes.count > StoreLimits.smallBytesMax {
            let kept = world.run { try? await core.sha256("whole") }
            #expect(kept == right.sha256)
        }
        world.settle()
        #expect(lostBlocks(inSegmentsOf: pieces, world) == [])
        #expect(world.close() == nil)
    }

    /// Parts of which only the progress log has the last bytes.
    @Test func `are all there though only the log had their ends`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware(cores: 2)
        let world = World(
            hardware, catalog: catalog,
            progress: ProgressPolicy(settlesBefore: 0, logBlocks: 64))
        try world.open()
        let pieces = pieces([100_001, 70_000, 65_537])
        let parts = try pieces.enumerated().map { index, piece in
            let id = try world.ask(on: index % 2) { core throws(UploadError) in
                try await core.createPart(length: UInt64(piece.count)).id
            }.get()
            for end in [10_000, 30_001, piece.count] {
                let status = try world.status(id).get()
                let part = Array(piece[Int(status.offset)..<end])
                _ = try world.ask { core throws(UploadError) in
                    try await core.append(id, at: status.offset, part)
                }.get()
                world.settle()
            }
            return id
        }
        #expect(world.progressEntries > 2)
        let bytes = pieces.flatMap { $0 }
        #expect(try join(world, parts, .of(bytes)).get().isFinished)
        // The process dies before anything else.
        catalog.crash()
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(try again.get("whole").get() == bytes)
        for part in parts { #expect(again.status(part).failure == .notFound) }
        again.settle()
        #expect(lostBlocks(inSegmentsOf: pieces, again) == [])
        #expect(again.close() == nil)
    }

    /// A segment ends within a block.
    private func lostBlocks(inSegmentsOf pieces: [[UInt8]], _ world: World) -> [String] {
        let wanted = JoinState(pieces).blocks
        let used = world.space.largeUsed - world.progressBlocks
        return used == wanted ? [] : ["\(used) large, not \(wanted) blocks"]
    }
}

extension TestCore {
    fileprivate func join(
        _ name: String, _ parts: [UploadID], expected: ObjectDigests
    ) async throws(UploadError) -> UploadStatus {
        var terms = UploadTerms(
            name: Array(name.utf8), owner: Array("me".utf8), mediaType: Array("a/b".utf8),
            length: nil, dialect: .tus)
        terms.parts = parts
        terms.expected = expected
        return try await objects.concatenateUploads(terms, secondsToLive: 3600)
    }

    fileprivate func digests(of name: String) async -> ObjectDigests? {
        guard let pinned = try? await objects.find(Array(name.utf8)) else { return nil }
        defer { objects.release(pinned) }
        return try? await objects.digests([.sha256, .crc32c], of: pinned)
    }
}
