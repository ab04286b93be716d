/// Opens the store of a data directory on the cores that will serve it.

import Catalog
import Configuration
import IO
import Loop
import Server
import Store

struct StoreStart: Sendable {
    let settings: Settings
    let directory: DataDirectory
    let journal: Journal

    func open(_ cores: [Core]) async throws(ServeError) -> StoreShared {
        throw ServeError("not yet")
    }
}
