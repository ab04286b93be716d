// Goal:   the sizes of buffers are tried on live transfers, and keep to the configuration.

import Testing

@Suite(.serialized) struct `Buffers of large transfers` {
    @Test func `are tried in two sizes, unless they are fixed`() throws {
        for isAdaptive in [true, false] {
            let server = try RunningServer(
                ServerOptions(
                    limits: """
                        [performance]
                        adaptive_buffers = \(isAdaptive)
                        max_buffer_size = "512KiB"
                        """))
            let bytes = pattern(5 << 20, seed: 90)
            #expect(try server.put("o", bytes).status == 201)
            #expect(try RawClient(server.port).get("o").body == bytes)
            // Of the upload, and of the download.
            #expect(try server.metric("buffer_trials_total") == (isAdaptive ? 2 : 0))
            #expect(try server.metric("buffer_size_changes_total") == 0)
            #expect(try server.metric("pool_transfers") == 0)
            // Of either way.
            #expect(try server.metric("optimal_buffer_size_bytes") == 2 * 512 << 10)
            #expect(server.stop() == 0)
        }
    }
}
