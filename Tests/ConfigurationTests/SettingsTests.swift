// Goal:   every key takes what it says it takes and nothing else, and every mistake is found where
//         it stands.
// Method: tables. The table of good and bad values must name every key, so a new key fails here
//         until it is tested.

import Testing

@testable import Configuration

@Suite struct `A configuration` {
    /// Key, values that are taken, values that are not; all as TOML.
    static let values: [(path: String, good: [String], bad: [String])] = [
        (
            "server.listen", ["\"0.0.0.0:0\"", "\"[::1]:80\""],
            ["\"localhost:80\"", "8080", "\"off\""]
        ),
        (
            "server.base_path", ["\"/\"", "\"/a\"", "\"/a/b-c_d.e~/\""],
            [
                "\"\"", "\"a\"", "\"//\"", "\"/a//b\"", "\"/../\"", "\"/./\"", "\"/a b/\"",
                "\"/%41/\"",
            ]
        ),
        (
            "server.cores", ["\"0,1\"", "\"0-3\"", "[0, 1]", "2"],
            ["\"\"", "[]", "[0, 0]", "[\"0\"]", "-1"]
        ),
        ("server.drain_timeout", ["\"0s\"", "\"1h\""], ["30", "\"2h\"", "\"-1s\""]),
        ("server.memory_per_core", ["\"4MiB\"", "67108864"], ["\"1MiB\"", "\"65GiB\"", "true"]),
        ("server.numa", ["true", "false"], ["\"true\"", "1"]),
        ("server.steering", ["\"hash\"", "\"cpu\""], ["\"CPU\"", "\"\"", "0", "true"]),
        ("metrics.listen", ["\"127.0.0.1:0\"", "\"off\""], ["\"no\"", "false", "\"OFF\""]),
        ("storage.path", ["\"/srv/x\"", "\"data\""], ["\"\"", "5"]),
        (
            "storage.capacity", ["\"1%\"", "\"100%\"", "\"1TiB\"", "268435456"],
            ["\"0%\"", "\"101%\"", "\"%\"", "\"1KB%\"", "\"90 %x\"", "\"1MiB\"", "0.9"]
        ),
        (
            "storage.volume_size", ["\"256MiB\"", "\"8TiB\""],
            ["\"255MiB\"", "\"9TiB\"", "8796093022209", "\"90%\""]
        ),
        (
            "storage.durability", ["\"durable\"", "\"written\""],
            ["\"Durable\"", "\"none\"", "true"]
        ),
        ("security.secret", ["\"x\"", "\"ü\""], ["\"\"", "1"]),
        ("security.secret_file", ["\"/run/secret\""], ["\"\"", "1"]),
        ("security.admin_token", ["\"a-._~+/=\""], ["\"\"", "\"a b\"", "\"ü\"", "1"]),
        ("security.admin_token_file", ["\"x\""], ["\"\"", "[]"]),
        ("security.upload_token", ["\"a-._~+/=\""], ["\"\"", "\"a b\"", "\"ü\"", "1"]),
        ("security.upload_token_file", ["\"x\""], ["\"\"", "[]"]),
        (
            "security.jwt_secret", ["\"0123456789abcdef0123456789abcdef\""],
            ["\"\"", "\"0123456789abcdef0123456789abcde\"", "1"]
        ),
        ("security.jwt_secret_file", ["\"x\""], ["\"\"", "1"]),
        ("security.jwt_audience", [], ["\"\"", "1"]),
        ("security.bad_signature_status", ["401", "403"], ["404", "\"403\"", "402"]),
        (
            "uploads.max_size", ["1", "\"15GiB\""],
            ["0", "\"1PB\"", "\"-1\""]
        ),
        ("uploads.unfinished_lifetime", ["\"60s\"", "\"30d\""], ["\"59s\"", "\"31d\"", "1"]),
        ("uploads.max_unfinished", ["50000", "10000000"], ["0", "10000001", "\"1\""]),
        ("uploads.max_unfinished_per_owner", ["1", "100000"], ["0", "10000001", "\"1\""]),
        ("uploads.sha256", ["true", "false"], ["1", "\"on\"", "\"sha-256\""]),
        (
            "uploads.max_unfinished_size",
            ["\"none\"", "\"60%\"", "\"100%\"", "\"1TiB\"", "1048576"],
            ["\"off\"", "\"0%\"", "\"101%\"", "\"1023KiB\"", "false", "0.5"]
        ),
        (
            "uploads.max_unfinished_size_per_owner", ["\"none\"", "\"1%\"", "\"1MiB\""],
            ["\"\"", "\"0%\"", "\"512KB\"", "0", "[]"]
        ),
        (
            "uploads.max_append_size", ["\"64KiB\"", "\"100MB\"", "16106127360"],
            ["\"63KiB\"", "\"16GiB\"", "0", "\"none\""]
        ),
        ("limits.head_size", ["\"8KiB\"", "\"64KiB\""], ["\"1023\"", "\"65KiB\""]),
        ("limits.fields", ["8", "1000"], ["7", "1001", "\"100\""]),
        ("limits.target_size", ["256", "\"16KiB\""], ["255", "\"33KiB\""]),
        ("limits.head_timeout", ["\"100ms\"", "\"24h\""], ["\"99ms\"", "\"25h\"", "10"]),
        ("limits.idle_timeout", ["\"100ms\"", "\"24h\""], ["\"0s\"", "\"2d\""]),
        ("limits.body_min_rate", ["0", "\"1GiB\""], ["-1", "\"2GiB\""]),
        ("limits.body_timeout", ["\"1s\""], ["\"0ms\"", "\"never\""]),
        ("limits.connections_per_core", ["16", "1000000"], ["15", "1000001", "\"16\""]),
        (
            "limits.reserved_size", ["\"25%\"", "\"1GiB\""],
            ["\"0%\"", "\"101%\"", "\"255MiB\"", "0.25"]
        ),
        (
            "limits.queue_delay_target", ["\"0s\"", "\"1ms\"", "\"10s\""],
            ["\"11s\"", "\"-1ms\"", "0", "\"off\""]
        ),
        (
            "limits.queue_delay_interval", ["\"10ms\"", "\"1m\""],
            ["\"9ms\"", "\"61s\"", "100"]
        ),
        ("limits.inflight_size", ["0", "\"64MiB\"", "\"1TiB\""], ["-1", "\"2TiB\"", "\"10%\""]),
        ("performance.adaptive_buffers", ["true", "false"], ["1", "\"on\""]),
        ("performance.zero_copy", ["true", "false"], ["1", "\"on\""]),
        (
            "performance.min_buffer_size", ["\"32KiB\"", "\"1MiB\"", "65536"],
            ["\"16KiB\"", "\"2MiB\"", "\"96KiB\"", "65537"]
        ),
        (
            "performance.max_buffer_size", ["\"32KiB\"", "\"512KiB\""],
            ["\"31KiB\"", "\"1025KiB\"", "true"]
        ),
        (
            "performance.buffer_optimization_interval", ["\"1s\"", "\"5m\"", "\"24h\""],
            ["\"999ms\"", "\"25h\"", "300"]
        ),
        (
            "performance.min_chunk_size", ["\"4KiB\"", "\"256KB\"", "10485760"],
            ["\"2KiB\"", "\"2GiB\"", "5000", "true"]
        ),
        (
            "performance.max_chunk_size", ["\"4MB\"", "\"10MiB\"", "1048576"],
            ["0", "\"1025MiB\"", "1048577", "\"\""]
        ),
        ("downloads.verify", ["\"once\"", "\"always\""], ["\"never\"", "true"]),
        ("performance.intelligent_chunking", ["false"], ["\"yes\"", "1"]),
        (
            "performance.chunk_adaptation_algorithm", ["\"fixed\"", "\"predictive\""],
            ["\"Adaptive\"", "true"]
        ),
        ("performance.client_profiling", ["false"], ["\"off\""]),
        ("performance.profile_persistence_duration", ["\"60s\"", "\"365d\""], ["\"59s\"", "24"]),
        ("downloads.precompressed", ["true", "false"], ["1", "\"br\""]),
        ("performance.connection_type_detection", ["true", "false"], ["1", "\"on\""]),
        ("streaming.range_requests", ["true", "false"], ["0", "\"off\""]),
        ("streaming.bandwidth_estimation", ["true", "false"], ["0", "\"off\""]),
        ("streaming.quality_adaptation", ["true", "false"], ["0", "\"off\""]),
        ("streaming.pacing", ["true", "false"], ["0", "\"off\""]),
        (
            "streaming.congestion_control", ["\"system\"", "\"adaptive\""],
            ["\"bbr\"", "\"\"", "true"]
        ),
        ("streaming.connection_multiplexing", ["false"], ["true", "\"no\""]),
        ("streaming.automatic_retry", ["true", "false"], ["1", "\"on\""]),
        ("streaming.exponential_backoff", ["true", "false"], ["1", "\"on\""]),
        ("streaming.circuit_breaker", ["true", "false"], ["1", "\"on\""]),
        ("logging.level", ["\"trace\"", "\"critical\""], ["\"warn\"", "\"\"", "3"]),
    ]

    @Test func `has a test for every key`() {
        #expect(Set(Self.values.map(\.path)) == Set(SettingKey.all.map(\.path)))
    }

    @Test(arguments: values.indices)
    func `takes every good value`(row: Int) throws {
        let (path, good, _) = Self.values[row]
        for value in good {
            let settings = try Settings.parse(toml: "\(path) = \(value)")
            // What was taken prints as something that reads back as the same.
            guard let printed = SettingKey.named(path)?.value(in: settings) else { continue }
            #expect(try Settings.parse(toml: "\(path) = \(printed)") == settings, "\(path)")
        }
    }

    @Test(arguments: values.indices)
    func `refuses every bad value where it stands`(row: Int) {
        let (path, _, bad) = Self.values[row]
        for value in bad {
            let error = problems("# first\n\(path) = \(value)\n")
            #expect(error.count == 1, "\(path) took \(value)")
            #expect(error.first?.line == 2)
            #expect(error.first?.text.hasPrefix("\(path): expected ") == true)
        }
    }

    @Test func `is the defaults when empty`() throws {
        #expect(try Settings.parse(toml: "") == Settings())
        #expect(try Settings.load(file: nil) == Settings())
    }

    @Test func `lists itself as a file that reads back the same`() throws {
        let text = """
            [server]
            cores = [1, 0]
            base_path = "/up"
            [storage]
            path = "a\\"b\\\\c\\tä\\u0001"
            capacity = "50%"
            """
        let settings = try Settings.parse(toml: text)
        #expect(settings.server.basePath == "/up/")
        #expect(try Settings.parse(toml: settings.listing()) == settings)
        #expect(try Settings.parse(toml: Settings().listing()) == Settings())
    }

    @Test func `explains every key in its reference`() {
        let reference = Settings.reference()
        for key in SettingKey.all {
            #expect(reference.contains("| `\(key.name)` | "), "\(key.path)")
            #expect(!key.summary.isEmpty && key.summary.hasSuffix("."))
        }
    }

    @Test func `may be written with dotted keys, inline tables and comments`() throws {
        let text = """
            server = { listen = "127.0.0.1:1", numa = false } # one line
            metrics.listen = 'off'
            "storage".'path' = \"""
            here\"""
            """
        let settings = try Settings.parse(toml: text)
        #expect(settings.server.listen.port == 1)
        #expect(!settings.server.usesNUMA)
        #expect(settings.metrics.listen == nil)
        #expect(settings.storage.path == "here")
    }
}

/// The problems of a configuration's text; empty when it has none.
func problems(_ text: String) -> [SettingsError.Problem] {
    do throws(SettingsError) {
        _ = try Settings.parse(toml: text, origin: "test.toml")
        return []
    } catch {
        return error.problems
    }
}
