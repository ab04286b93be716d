// From file, flags and environment to one checked value: flags win over the file, the environment
// over both, and every mistake of the file is reported at once.

internal import Files

/// A value that a flag gives to a key.
public struct SettingOverride: Sendable {
    let key: String
    let text: String
    let origin: String

    /// - Parameters:
    ///   - key: a key of the table, "server.listen".
    ///   - text: the value, unquoted.
    ///   - origin: what an error names, "--listen".
    public init(_ key: String, _ text: String, from origin: String) {
        precondition(SettingKey.named(key) != nil, "a flag for \(key), which is no key")
        (self.key, self.text, self.origin) = (key, text, origin)
    }
}

extension Settings {
    /// A configuration larger than this is some other file.
    static let fileBytesMax = 1 << 20

    /// Reads `file` (defaults when `nil`), then applies flags and environment.
    ///
    /// - Parameter environment: only `MILLRACE_SECRET` and `MILLRACE_ADMIN_TOKEN` are looked at.
    /// - Throws: every mistake, with file, line and the nearest valid key.
    public static func load(
        file: String?, overrides: [SettingOverride] = [], environment: [String: String] = [:]
    ) throws(SettingsError) -> Settings {
        var settings = Settings()
        if let file { settings = try parse(toml: try contents(of: file), origin: file) }
        try settings.apply(overrides)
        try settings.apply(environment: environment)
        return settings
    }

    /// Reads a configuration's text. `origin` is what errors call it.
    public static func parse(
        toml text: String, origin: String = "configuration"
    ) throws(SettingsError) -> Settings {
        let document = try TOMLDocument(
            text, origin: origin, sections: SettingKey.sections,
            tables: CredentialTable.all.map(\.path))
        var settings = Settings()
        var problems: [SettingsError.Problem] = []
        for entry in document.entries {
            if let text = settings.assign(entry) {
                problems.append(.init(origin: origin, line: entry.line, text: text))
            }
        }
        if problems.isEmpty {
            let lines = Dictionary(
                document.entries.map { ($0.path.joined(separator: "."), $0.line) },
                uniquingKeysWith: { first, _ in first })
            problems = settings.contradictions().map { key, text in
                .init(origin: origin, line: lines[key] ?? nil, text: text)
            }
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return settings
    }

    /// What is wrong with the entry; `nil` after it was taken.
    private mutating func assign(_ entry: TOMLEntry) -> String? {
        if let table = CredentialTable.named(entry.path) { return assign(entry, to: table) }
        let path = entry.path.joined(separator: ".")
        guard let key = SettingKey.named(path) else {
            if SettingKey.sections.contains(path) {
                return "\(path) is a section: write [\(path)] and its keys below"
            }
            if entry.path.count == 1, entry.value == .table {
                return "unknown section [\(path)]; did you mean [\(nearestSection(to: path))]?"
            }
            return "unknown key \(path); did you mean \(nearestKey(to: entry.path))?"
        }
        if key.assign(entry.value, &self) { return nil }
        let found = key.isSecret ? "" : ", found \(entry.value.shown)"
        return "\(path): expected \(key.expectation)\(found)"
    }

    private mutating func apply(_ overrides: [SettingOverride]) throws(SettingsError) {
        for override in overrides {
            guard let key = SettingKey.named(override.key) else {
                preconditionFailure("checked when the override was made")
            }
            precondition(!key.isSecret, "secrets are never taken from flags")
            guard key.assign(.text(override.text), &self) else {
                throw SettingsError(
                    origin: override.origin,
                    "expected \(key.expectation), found \(RawValue.text(override.text).shown)")
            }
        }
        // The file was free of contradictions, so these come from a flag.
        let problems = contradictions().map { key, text in
            let origin = overrides.last { $0.key == key }?.origin ?? "flags"
            return SettingsError.Problem(origin: origin, line: nil, text: text)
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
    }

    private mutating func apply(environment: [String: String]) throws(SettingsError) {
        for (variable, path) in [
            ("MILLRACE_SECRET", "security.secret"),
            ("MILLRACE_ADMIN_TOKEN", "security.admin_token"),
            ("MILLRACE_UPLOAD_TOKEN", "security.upload_token"),
        ] {
            guard let value = environment[variable] else { continue }
            guard let key = SettingKey.named(path) else { preconditionFailure("no key \(path)") }
            guard key.assign(.text(value), &self) else {
                throw SettingsError(origin: variable, "expected \(key.expectation)")
            }
        }
        if environment["MILLRACE_SECRET"] != nil { security.secretFile = nil }
        if environment["MILLRACE_ADMIN_TOKEN"] != nil { security.adminTokenFile = nil }
        if environment["MILLRACE_UPLOAD_TOKEN"] != nil { security.uploadTokenFile = nil }
    }

    /// Keys that are fine alone and wrong together: the key to blame, and why.
    private func contradictions() -> [(key: String, text: String)] {
        var found: [(key: String, text: String)] = []
        if security.secret != nil, security.secretFile != nil {
            found.append(("security.secret_file", "give either secret or secret_file, not both"))
        }
        if security.adminToken != nil, security.adminTokenFile != nil {
            let text = "give either admin_token or admin_token_file, not both"
            found.append(("security.admin_token_file", text))
        }
        if security.uploadToken != nil, security.uploadTokenFile != nil {
            let text = "give either upload_token or upload_token_file, not both"
            found.append(("security.upload_token_file", text))
        }
        if security.jwtSecret != nil, security.jwtSecretFile != nil {
            let text = "give either jwt_secret or jwt_secret_file, not both"
            found.append(("security.jwt_secret_file", text))
        }
        if security.jwtAudience != nil, security.jwtSecret == nil, security.jwtSecretFile == nil {
            let text = "security.jwt_audience does nothing without security.jwt_secret"
            found.append(("security.jwt_audience", text))
        }
        found += contradictionsOfCredentials()
        if uploads.unfinishedPerOwnerMax > uploads.unfinishedMax {
            let text = "uploads.max_unfinished_per_owner is larger than uploads.max_unfinished"
            found.append(("uploads.max_unfinished_per_owner", text))
        }
        if uploads.unfinishedSizeIsLessThanPerOwner {
            let text =
                "uploads.max_unfinished_size_per_owner is larger than uploads.max_unfinished_size"
            found.append(("uploads.max_unfinished_size_per_owner", text))
        }
        if let metrics = metrics.listen, metrics.port != 0, metrics == server.listen {
            found.append(("metrics.listen", "\(metrics) is already server.listen"))
        }
        if performance.bufferBytesMin > performance.bufferBytesMax {
            let text = "performance.min_buffer_size is larger than performance.max_buffer_size"
            found.append(("performance.min_buffer_size", text))
        }
        if performance.chunkBytesMin > performance.chunkBytesMax {
            let text = "performance.min_chunk_size is larger than performance.max_chunk_size"
            found.append(("performance.min_chunk_size", text))
        }
        if limits.targetBytesMax > limits.headBytesMax {
            let text = "limits.target_size is larger than limits.head_size, which contains it"
            found.append(("limits.target_size", text))
        }
        return found
    }

    private static func contents(of file: String) throws(SettingsError) -> String {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try readFile(file, byteCountMax: fileBytesMax)
        } catch {
            throw SettingsError(origin: file, "\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsError(origin: file, "not UTF-8 text")
        }
        return text
    }
}

extension Settings.UploadsSection {
    /// As far as that can be told before the capacity is known.
    fileprivate var unfinishedSizeIsLessThanPerOwner: Bool {
        switch (unfinishedSize, unfinishedSizePerOwner) {
        case (.bytes(let all), .bytes(let one)): all < one
        case (.share(let all), .share(let one)): all < one
        case (.bytes, .share), (.share, .bytes), (nil, _), (_, nil): false
        }
    }
}
