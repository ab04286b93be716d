// The same store on a real ring, a real file system and LMDB: what the simulator assumes, the
// kernel grants.

import Catalog
import Foundation
import Glibc
import IO
import Loop
import Runtime
import Synchronization
import Testing
import Uring

@testable import Store

@Suite struct `On a real disk` {
    /// Runs `work` with a store that lies in `directory`.
    private func withStore(
        in directory: String, _ work: @escaping @Sendable (TestCore) async throws -> Void
    ) throws {
        let arena = try unsafe ArenaMemory.map(count: 32 << 20)
        let loop = try EventLoop(index: 0)
        let memory = CoreMemory(arena: arena, loop: loop)
        var driver = try CoreDriver(loop: loop, memory: memory)
        let opened = unsafe open(directory, O_RDONLY | O_DIRECTORY)
        try #require(opened >= 0)
        defer { Glibc.close(opened) }
        let setup = StoreSetup(
            directory: Descriptor(opened), instance: World.instance, sealKey: [9, 9],
            catalog: try LMDBCatalog.open(
                at: directory + "/catalog", instance: World.instance, create: true),
            capacityBytes: 1 << 30, volumeBytes: 512 << 20, report: { _ in })
        let core = TestCore(loop, Box(memory))
        let failure = Failure()
        Task(executorPreference: loop) {
            await core.serve(setup, failure, work)
            loop.stop()
        }
        try driver.run()
        if let error = failure.error { throw error }
    }

    @Test func `objects are put, found, deleted and found again after a restart`() throws {
        let directory = FileManager.default.currentDirectoryPath + "/.build/store-test-\(getpid())"
        for part in ["", "/volumes", "/catalog"] {
            try FileManager.default.createDirectory(
                atPath: directory + part, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (small, large) = (content(5000, seed: 1), content(3_000_001, seed: 2))
        try withStore(in: directory) { core in
            for round in 0..<20 { _ = try await core.put("s\(round)", small) }
            _ = try await core.put("l", large)
            _ = try await core.put("w", large, .written)
            let removed = try await core.remove("s3")
            #expect(removed)
            let (first, second) = (try await core.get("s4"), try await core.get("l"))
            #expect(first == small)
            #expect(second == large)
            let range = try await core.verifiedRange("l")
            #expect(range == large)
        }
        try withStore(in: directory) { core in
            let gone = try await core.get("s3")
            #expect(gone == nil)
            let (first, second) = (try await core.get("s19"), try await core.get("w"))
            #expect(first == small)
            #expect(second == large)
            #expect(try await core.list().count == 21)
        }
    }
}

final class Failure: Sendable {
    private let stored = Mutex<(any Error)?>(nil)
    var error: (any Error)? { stored.withLock { $0 } }
    func store(_ error: any Error) { stored.withLock { $0 = error } }
}

extension TestCore {
    func serve(
        _ setup: StoreSetup, _ failure: Failure,
        _ work: @Sendable (TestCore) async throws -> Void
    ) async {
        do {
            let shared = try await StoreOpening.open(
                setup, loop: loop, memory: memory.value,
                indexingOn: BlockingQueue(label: "indexer"),
                lookingUpOn: BlockingQueue(label: "lookups"))
            shared.join(self)
            try open(shared)
            try await work(self)
            await close()
            try await shared.close()
        } catch {
            failure.store(error)
        }
    }

    /// A large object by the buffered descriptor, from where `fileRange` says that it lies; after a
    /// first reading, which verifies.
    func verifiedRange(_ name: String) async throws(StoreError) -> [UInt8] {
        guard let pinned = try await pin(name) else { return [] }
        defer { release(pinned) }
        _ = try await read(pinned)
        let large = try await objects.describe(pinned).segments[0]
        var bytes: [UInt8] = []
        while let range = objects.fileRange(large, offset: UInt64(bytes.count)) {
            var part = [UInt8](repeating: 0, count: Int(range.count))
            let count = unsafe pread(range.file.number, &part, part.count, Int(range.offset))
            guard count == part.count else { return [] }
            bytes += part
        }
        return bytes
    }
}
