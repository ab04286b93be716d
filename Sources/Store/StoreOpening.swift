/// Opens a store: what lies on the volumes, and what is left to do there after a crash.

import Catalog
import IO
public import Loop
import Volumes

public enum StoreOpening {
    /// Opens the store of `setup` on core 0, whose `loop` and `memory` these are; a new one if
    /// there is nothing yet. Unfinished uploads' space is free again, removals are finished, and
    /// every acknowledged object is there.
    ///
    /// - Parameters:
    ///   - indexing: where catalog commits may block: a `BlockingQueue`.
    ///   - lookups: where look-ups may block if memory does not hold the catalog: another one.
    public static func open(
        _ setup: StoreSetup, loop: EventLoop, memory: CoreMemory,
        indexingOn indexing: any SerialExecutor, lookingUpOn lookups: any SerialExecutor
    ) async throws(StoreError) -> StoreShared {
        try await open(
            setup, loop: loop, memory: memory, indexingOn: indexing, lookingUpOn: lookups,
            faults: [])
    }

    static func open(
        _ setup: StoreSetup, loop: EventLoop, memory: CoreMemory,
        indexingOn indexing: any SerialExecutor, lookingUpOn lookups: any SerialExecutor,
        faults: StoreFaults
    ) async throws(StoreError) -> StoreShared {
        let state = StoreState(setup, faults: faults)
        let indexer = Indexer(setup.catalog, executor: indexing)
        let isInMemory = await warm(indexer, setup, loop)
        let files = VolumeFiles(
            loop: loop, memory: memory, state: state, directory: setup.directory)
        let recovery = Recovery(
            files: files, state: state, indexer: indexer, reader: try state.makeReader(),
            seal: try Seal(key: setup.sealKey))
        let opened = try await recovery.run(setup)
        let ledger = Ledger(opened, state: state, loop: loop, indexer: indexer)
        Task(executorPreference: loop) { await ledger.runIndexing() }
        if state.health.bringsBack {
            state.tellWhenStopped { volume in
                Task(executorPreference: loop) { await ledger.restore(volume) }
            }
        }
        return StoreShared(
            state: state, ledger: ledger, directory: setup.directory,
            coldLookups: isInMemory
                ? nil : ColdLookups(try state.makeReader(), executor: lookups))
    }

    /// Before recovery, whose look-ups would fetch the same pages one by one. It only reads, so a
    /// failure costs nothing but time, and where it matters the next look-up tells.
    /// Answers whether memory holds the catalog now.
    private static func warm(
        _ indexer: Indexer, _ setup: StoreSetup, _ loop: EventLoop
    ) async -> Bool {
        let start = loop.now
        switch await indexer.warm(limitBytes: setup.catalogWarmBytesMax) {
        case .success(.inMemory(let bytes)):
            let milliseconds = (loop.now - start) / 1_000_000
            setup.report(.catalogWarmed(bytes: bytes, milliseconds: milliseconds))
            return true
        case .success(.tooLarge(let bytes)):
            let limit = setup.catalogWarmBytesMax
            setup.report(.catalogTooLarge(bytes: bytes, limitBytes: limit))
        case .failure(let error): setup.report(.catalogNotWarmed("\(error)"))
        }
        return false
    }
}
