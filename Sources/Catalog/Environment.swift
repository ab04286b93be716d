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
    private let gates = Mutex<[ReadGate]>([])

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

    func reserve(_ bytes: UInt64) throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_reserve(handle, bytes), "reserve disk space")
    }

    func warm(_ bytes: UInt64) throws(CatalogError) {
        try CatalogError.check(unsafe clmdb_warm(handle, bytes), "read its file")
    }

    func openGate() throws(CatalogError) -> ReadGate {
        try gates.withLock { gates throws(CatalogError) in
            // Under the lock, because beginning a transaction reads the map.
            let transaction = try unsafe Transaction(environment: handle, writes: false)
            transaction.reset()
            let gate = ReadGate(transaction)
            gates.append(gate)
            return gate
        }
    }

    func closeGate(_ gate: ReadGate) {
        gates.withLock { gates in gates.removeAll { $0 === gate } }
        gate.close()
    }

    /// Maps `bytes` of the file instead of `present`. When the kernel refuses, the old map is
    /// restored; when even that is refused, every reader is closed for good.
    func moveMap(to bytes: UInt64, from present: UInt64) throws(CatalogError) {
        let outcome = gates.withLock { gates in
            ReadGate.stopAll(gates[...]) {
                let status = unsafe clmdb_resize(handle, bytes)
                guard status != 0 else { return .moved }
                let restored = unsafe clmdb_resize(handle, present)
                return restored == 0 ? .refused(code: status) : .lost(code: status)
            }
        }
        switch outcome {
        case .moved: return
        case .refused(let code), .lost(let code):
            throw .system(operation: "map more of its file", code: code)
        }
    }
}

enum MapOutcome: Sendable {
    case moved
    /// As before.
    case refused(code: Int32)
    /// Nothing is mapped: the environment can only be closed.
    case lost(code: Int32)
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

    /// Runs `action` while all of `gates` are shut, one held open by each level of the recursion.
    static func stopAll(
        _ gates: ArraySlice<ReadGate>, _ action: () -> MapOutcome
    ) -> MapOutcome {
        guard let gate = gates.first else { return action() }
        return gate.transaction.withLock { transaction in
            let outcome = stopAll(gates.dropFirst(), action)
            if case .lost = outcome { transaction = nil }
            return outcome
        }
    }
}
