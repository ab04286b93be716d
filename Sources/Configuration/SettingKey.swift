// One key of the configuration: its name, what it takes, what it means, and where it is kept.

/// A row of the key table. Parsing, checking, listing and the reference text all come from it.
public struct SettingKey: Sendable {
    public let section: String
    public let name: String
    /// Ends the sentence "expected …".
    public let expectation: String
    /// One sentence for the reference.
    public let summary: String
    /// Its value is never printed.
    public let isSecret: Bool
    let assign: @Sendable (RawValue, inout Settings) -> Bool
    private let write: @Sendable (Settings) -> String?

    /// "server.listen".
    public var path: String { section + "." + name }

    /// The key's value in `settings` as TOML, `nil` when unset or secret.
    public func value(in settings: Settings) -> String? { write(settings) }

    init<Value: Sendable>(
        _ path: String, _ form: ValueForm<Value>,
        _ place: any WritableKeyPath<Settings, Value> & Sendable, _ summary: String,
        isSecret: Bool = false
    ) {
        let parts = path.split(separator: ".")
        precondition(parts.count == 2, "a key's path is section.name")
        section = String(parts[0])
        name = String(parts[1])
        expectation = form.expectation
        self.summary = summary
        self.isSecret = isSecret
        assign = { raw, settings in
            guard let value = form.read(raw) else { return false }
            settings[keyPath: place] = value
            return true
        }
        write = { settings in form.write(settings[keyPath: place]) }
    }

    /// A key that is unset unless something sets it.
    init<Value: Sendable>(
        _ path: String, optional form: ValueForm<Value>,
        _ place: any WritableKeyPath<Settings, Value?> & Sendable, _ summary: String,
        isSecret: Bool = false
    ) {
        self.init(path, form.optional, place, summary, isSecret: isSecret)
    }
}

extension SettingKey {
    /// Every key there is, in the order of the reference.
    public static let all: [SettingKey] =
        [
            server, metrics, storage, security, uploads, downloads, performance, streaming, limits,
            logging,
        ].flatMap { $0 }

    /// The sections in the order of the reference, each once.
    static let sections: [String] = all.reduce(into: []) { sections, key in
        if sections.last != key.section { sections.append(key.section) }
    }

    static func named(_ path: String) -> SettingKey? { all.first { $0.path == path } }
}
