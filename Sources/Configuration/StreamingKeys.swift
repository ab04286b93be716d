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
        SettingKey(
            "streaming.range_requests", .flag, \.streaming.sendsRanges,
            "Send parts of objects to who asks for them. Off: Range is ignored, and Accept-Ranges"
                + " is none."),
        SettingKey(
            "streaming.bandwidth_estimation", .flag, \.streaming.estimatesLinks,
            "Ask the kernel, in the course of large transfers, what it knows of their links"
                + " (TCP_INFO). Off: it is not asked, and only client hints tell of links."),
        SettingKey(
            "streaming.quality_adaptation", .flag, \.streaming.adaptsQuality,
            "Buffers and sockets of large transfers follow what is known of their links: how large"
                + " buffers are at first and at most, and how much waits unsent in the kernel."),
        SettingKey(
            "streaming.pacing", .flag, \.streaming.paces,
            "With quality_adaptation, send at twice the measured rate of slow links at most,"
                + " evenly, instead of in bursts; not over connections that got bbr, which paces"
                + " itself."),
        SettingKey(
            "streaming.congestion_control", .word, \.streaming.congestionControl,
            "Who chooses it: the system for all connections, or, with quality_adaptation, this"
                + " server for those over mobile and satellite links, which get bbr where the"
                + " kernel allows it: many times as fast where packets are lost at random."),
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
