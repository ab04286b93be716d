// One server for all tests that only need one: each works under names of its own.

import Foundation
import Testing

enum SharedServer {
    private static let started = Result {
        var options = ServerOptions()
        options.uploads = "max_size = \"64MiB\""
        return try RunningServer(options)
    }

    static func get() throws -> RunningServer { try started.get() }

    /// A connection to it.
    static func client() throws -> RawClient { try RawClient(get().port) }

    /// A name that no other test uses.
    static func name(_ hint: String = "object") -> String { "\(hint)-\(UUID().uuidString)" }
}

/// One more whose patience is short, for clients that are slow on purpose.
enum ImpatientServer {
    private static let started = Result {
        var options = ServerOptions()
        options.limits = """
            head_timeout = "2s"
            idle_timeout = "3s"
            body_timeout = "2s"
            """
        return try RunningServer(options)
    }

    static func get() throws -> RunningServer { try started.get() }

    /// A connection to it.
    static func client() throws -> RawClient { try RawClient(get().port) }
}
