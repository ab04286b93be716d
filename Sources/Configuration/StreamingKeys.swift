// The keys of [streaming]: how transfers adapt to links and to faults, each part with its switch.

extension SettingKey {
    static let streaming: [SettingKey] = [
        SettingKey(
            "streaming.connection_multiplexing", .multiplexing, \.streaming.multiplexes,
            "Several requests at once on one connection. There is no HTTP/2 yet, so it stays off.")
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
