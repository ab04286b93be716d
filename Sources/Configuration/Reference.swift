// The two texts made from the key table: what a configuration comes to, and what every key means.

extension Settings {
    /// Every key with the value it has here, as a TOML file. Of secrets only whether they are set.
    public func listing() -> String {
        SettingKey.sections.map { section in
            let lines = SettingKey.all.filter { $0.section == section }.map(line)
            let tables = section == CredentialTable.section ? credentialTables : []
            return (["[\(section)]\n" + lines.joined(separator: "\n") + "\n"] + tables)
                .joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// Each that there is.
    private var credentialTables: [String] {
        CredentialTable.all.flatMap { table in
            self[keyPath: table.place].map { credential in
                let lines = table.keys.map { key in
                    if let value = key.write(credential) { return "\(key.name) = \(value)" }
                    let isSet = key.isSecret && credential.secret != nil
                    return "# \(key.name) is \(isSet ? "set (hidden)" : "not set")"
                }
                return "[[\(table.path)]]\n" + lines.joined(separator: "\n") + "\n"
            }
        }
    }

    private func line(_ key: SettingKey) -> String {
        if let value = key.value(in: self) { return "\(key.name) = \(value)" }
        let isSet =
            switch key.path {
            case "security.secret": security.secret != nil
            case "security.admin_token": security.adminToken != nil
            case "security.upload_token": security.uploadToken != nil
            case "security.jwt_secret": security.jwtSecret != nil
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
            let tables =
                section == CredentialTable.section ? CredentialTable.all.map(reference) : []
            return ([referenceTable("[\(section)]", rows)] + tables).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func reference(_ table: CredentialTable) -> String {
        let rows = table.keys.map { key in
            let value = key.write(NamedCredential()).map { "`\($0)`" } ?? "unset"
            let isName = key.name == table.nameKey.name
            return "| `\(key.name)` | \(isName ? "none: it has to be given" : value)"
                + " | \(key.expectation) | \(key.summary) |"
        }
        return referenceTable(
            "[[\(table.path)]]", rows, about: "Up to \(table.countMax) \(table.meaning).\n\n")
    }

    private static func referenceTable(
        _ title: String, _ rows: [String], about: String = ""
    ) -> String {
        "### \(title)\n\n\(about)| key | default | takes | meaning |\n|---|---|---|---|\n"
            + rows.joined(separator: "\n") + "\n"
    }
}
