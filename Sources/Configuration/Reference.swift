// The two texts made from the key table: what a configuration comes to, and what every key means.

extension Settings {
    /// Every key with the value it has here, as a TOML file. Of secrets only whether they are set.
    public func listing() -> String {
        SettingKey.sections.map { section in
            let lines = SettingKey.all.filter { $0.section == section }.map(line)
            return "[\(section)]\n" + lines.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    private func line(_ key: SettingKey) -> String {
        if let value = key.value(in: self) { return "\(key.name) = \(value)" }
        let isSet =
            switch key.path {
            case "security.secret": security.secret != nil
            case "security.admin_token": security.adminToken != nil
            case "security.upload_token": security.uploadToken != nil
            default: false
            }
        return isSet ? "# \(key.name) is set (hidden)" : "# \(key.name) is not set"
    }

    /// The reference of all keys in Markdown: a table a section.
    public static func reference() -> String {
        let defaults = Settings()
        return SettingKey.sections.map { section in
            let rows = SettingKey.all.filter { $0.section == section }.map { key in
                let value = key.value(in: defaults).map { "`\($0)`" } ?? "unset"
                return "| `\(key.name)` | \(value) | \(key.expectation) | \(key.summary) |"
            }
            return "### [\(section)]\n\n| key | default | takes | meaning |\n|---|---|---|---|\n"
                + rows.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }
}
