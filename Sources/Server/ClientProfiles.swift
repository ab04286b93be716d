/// The profiles of all clients, for all cores: a table behind a lock that is held for a look-up or
/// a change, a few times a transfer.

import Engine
import Store
import Synchronization

public final class ClientProfiles: Sendable {
    private let table: Mutex<ProfileTable>

    /// A client is forgotten so many seconds after its last transfer.
    public init(secondsKept: UInt64) {
        table = Mutex(ProfileTable(secondsKept: secondsKept))
    }

    func with<Answer>(_ body: (inout sending ProfileTable) -> sending Answer) -> sending Answer {
        table.withLock { body(&$0) }
    }
}
