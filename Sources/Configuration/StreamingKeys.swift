// The keys of [streaming]: how transfers adapt to links and to faults, each part with its switch.

extension SettingKey {
    static let streaming: [SettingKey] = [
        SettingKey(
            "streaming.connection_multiplexing", .multiplexing, \.streaming.multiplexes,
            "Several requests at once on one connection. There is no HTTP/2 yet, so it stays off."),
        SettingKey(
            "streaming.automatic_retry", .flag, \.streaming.retries,
            "Reads of a volume, and writes that nobody was told of, are asked again if their error"
                + " may pass: up to four times, and fewer where much fails. Never a flush."),
        SettingKey(
            "streaming.exponential_backoff", .flag, \.streaming.backsOff,
            "Before each of those a random delay of up to 10 ms, 20 ms, 40 ms, 80 ms. Off: 10 ms."),
        SettingKey(
            "streaming.circuit_breaker", .flag, \.streaming.breaksCircuits,
            "A volume that failed is tried again after 1 s, then 2 s, up to 60 s, and takes writes"
                + " again once that succeeds. Off: not before a restart."),
    ]
}

extension ValueForm where Value == Bool {
    fileprivate static var multiplexing: ValueForm {
        ValueForm(
            expectation: "false (true needs HTTP/2, which this version does not speak)",
            read: { if case .boolean(false) = $0 { false } else { nil } },
            write: { "\($0)" })
    }
}
