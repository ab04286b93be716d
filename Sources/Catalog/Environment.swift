import CLMDB
import Synchronization

/// One open LMDB environment, and the gates at which its readers are stopped while its map moves.
///
/// Invariant: the map moves only while the registry and every gate are locked, so no reading
/// transaction is active; the one writer moves it, between its own transactions.
@safe
final class Environment: Sendable {
    /// `nonisolated(unsafe)`: LMDB's environment may be used by any thread, except for moving the
    /// map, which the gates guard, and closing it, which only `deinit` does.
    nonisolated(unsafe) private let handle: OpaquePointer
    private let registry = Mutex(Registry())

    private struct Registry {
        var gates: [ReadGate] = []
        var isMapped = true
    }

    init(path: String, mapBytes: UInt64, readersMax: UInt32) throws(CatalogError) {
        var opened: OpaquePointer?
        let status = unsafe clmdb_open(path, mapBytes, Tables.count, readersMax, &opened)
        try CatalogError.check(status, "open its file")
        guard let opened = unsafe opened else { preconditionFailure("LMDB opened nothing") }
        unsafe handle = opened
    }

    deinit { unsafe clmdb_close(handle) }

    func beginWriting() throws(CatalogError) -> Transaction {
        try unsafe Transaction(environment: handle, writes: true)
    }

    /// For the writer only: the map must not move meanwhile.
    func size() throws(CatalogError) -> clmdb_size {
        var size = clmdb_size()
        try CatalogError.check(unsafe clmdb_size(handle, &size), "measure its file")
        return size
    }

    /// Whether a file of `size` has all its pages, but for free ones at its end that were never
    /// written, which it then gets. Before anything else is read.
    func isWhole(_ size: clmdb_size) throws(CatalogError) -> Bool {
        if size.used_file_bytes <= size.file_bytes { return true }
        var size = size
        var isWhole = false
        let status = unsafe clmdb_lengthen(handle, &size, &isWhole)
        try CatalogError.check(status, "make its file longer")
        return isWhole
    }

    func reserve(from: UInt64, to bytes: UInt64) throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_reserve(handle, from, bytes), "reserve disk space")
    }

    func warm(_ bytes: UInt64) throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_warm(handle, bytes), "read its file")
    }

    func openGate() throws(CatalogError) -> ReadGate {
        try registry.withLock { registry throws(CatalogError) in
            guard registry.isMapped else { throw .outOfService }
            // Under the lock, because beginning a transaction reads the map.
            let transaction = try unsafe Transaction(environment: handle, writes: false)
            transaction.reset()
            let gate = ReadGate(transaction)
            registry.gates.append(gate)
            return gate
        }
    }

    func closeGate(_ gate: ReadGate) {
        registry.withLock { registry in registry.gates.removeAll { $0 === gate } }
        gate.close()
    }

    /// Maps `bytes` of the file. Throws without having changed anything when that much address
    /// space is not to be had; should LMDB lose its map all the same, readers find their gates
    /// closed instead of memory that is no longer there.
    func moveMap(to bytes: UInt64) throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_try_map(handle, bytes), "map more of its file")
        let status = registry.withLock { registry in
            let status = ReadGate.stopAll(registry.gates[...]) {
                unsafe clmdb_resize(handle, bytes)
            }
            registry.isMapped = status == 0
            return status
        }
        try CatalogError.check(status, "map its file again")
    }
}

/// Lets one reader through at a time, and none while the map moves. Uncontended in the steady
/// state: one lock and unlock a look-up.
final class ReadGate: Sendable {
    /// Suspended whenever the lock is free. Nil once the gate is closed, or the map lost.
    private let transaction: Mutex<Transaction?>

    init(_ transaction: consuming sending Transaction) {
        self.transaction = Mutex(transaction)
    }

    func close() {
        transaction.withLock { $0 = nil }
    }

    /// Runs `body` on a snapshot of the last commit, which ends with it.
    func withSnapshot<Answer: Sendable>(
        _ body: (borrowing Transaction) throws(CatalogError) -> Answer
    ) throws(CatalogError) -> Answer {
        try transaction.withLock { transaction throws(CatalogError) in
            guard transaction != nil else { throw .outOfService }
            try transaction!.renew()
            defer { transaction!.reset() }
            return try body(transaction!)
        }
    }

    /// Runs `action` while all of `gates` are shut, one by each level of the recursion. Unless it
    /// answers 0, they are never opened again.
    static func stopAll(_ gates: ArraySlice<ReadGate>, _ action: () -> Int32) -> Int32 {
        guard let gate = gates.first else { return action() }
        return gate.transaction.withLock { transaction in
            let status = stopAll(gates.dropFirst(), action)
            if status != 0 { transaction = nil }
            return status
        }
    }
}
