// `[[security.secrets]]` and `[[security.tokens]]`: several credentials, each with a name by which
// what it uploads is known, and a tenant for whom it does.

/// One such table as it is configured.
public struct NamedCredential: Equatable, Sendable {
    public internal(set) var name = ""
    public internal(set) var secret: Secret?
    public internal(set) var secretFile: String?
    public internal(set) var tenant = NamedCredential.defaultTenant

    /// Whose credentials name none.
    public static let defaultTenant = "default"
}

/// A key of such a table; what `SettingKey` is for the others.
struct CredentialKey: Sendable {
    let name: String
    let expectation: String
    let summary: String
    let isSecret: Bool
    let assign: @Sendable (RawValue, inout NamedCredential) -> Bool
    /// As TOML; nil when it is unset or secret.
    let write: @Sendable (NamedCredential) -> String?

    init<Value: Sendable>(
        _ name: String, _ form: ValueForm<Value>,
        _ place: any WritableKeyPath<NamedCredential, Value> & Sendable, _ summary: String,
        isSecret: Bool = false
    ) {
        self.name = name
        expectation = form.expectation
        self.summary = summary
        self.isSecret = isSecret
        assign = { raw, credential in
            guard let value = form.read(raw) else { return false }
            credential[keyPath: place] = value
            return true
        }
        write = { credential in form.write(credential[keyPath: place]) }
    }
}

/// A kind of table that may stand several times.
struct CredentialTable: Sendable {
    let name: String
    let countMax: Int
    /// What one of them is.
    let meaning: String
    /// First its name, then the secret itself, then the file that holds it instead.
    let keys: [CredentialKey]
    let place: any WritableKeyPath<Settings, [NamedCredential]> & Sendable

    static let section = "security"
    var path: String { CredentialTable.section + "." + name }

    var nameKey: CredentialKey { keys[0] }
    var secretKey: CredentialKey { keys[1] }
    var fileKey: CredentialKey { keys[2] }

    static let all = [secrets, tokens]

    static func named(_ path: [String]) -> CredentialTable? {
        all.first { path.starts(with: [section, $0.name]) }
    }

    /// Each costs a signature that fits none of them a try.
    static let secrets = CredentialTable(
        name: "secrets", countMax: 16,
        meaning: "further keys that sign upload URLs: one for each issuer, or the old and the new"
            + " one while they change",
        keys: [
            CredentialKey(
                "id", .name, \.name,
                "Names what is uploaded by its URLs; stored with it, so it stays as long as those."
                    + " `\"secret\"` is the one that security.secret has."),
            CredentialKey(
                "secret", ValueForm<Secret>.uploadSecret.optional, \.secret,
                "The key itself.", isSecret: true),
            CredentialKey(
                "secret_file", ValueForm<String>.path.optional, \.secretFile,
                "A file that holds it instead; a newline at its end is not part of it."),
            CredentialKey(
                "tenant", .name, \.tenant, "For whom it signs; stored with what is uploaded."),
        ], place: \.security.secrets)

    static let tokens = CredentialTable(
        name: "tokens", countMax: 64,
        meaning: "further bearer tokens that may upload at /files, /upload and /chunked-upload",
        keys: [
            CredentialKey(
                "name", .name, \.name,
                "Names what is uploaded with it: nobody else may go on with that."),
            CredentialKey(
                "token", ValueForm<Secret>.bearerToken.optional, \.secret, "The token itself.",
                isSecret: true),
            CredentialKey(
                "token_file", ValueForm<String>.path.optional, \.secretFile,
                "A file that holds it instead."),
            CredentialKey(
                "tenant", .name, \.tenant, "For whom it uploads; stored with what is uploaded."),
        ], place: \.security.tokens)
}

extension ValueForm where Value == String {
    /// Of credentials and tenants. They are stored with objects, and stand in answers and logs.
    fileprivate static var name: ValueForm {
        text("1 to 32 letters, digits and -._") { text in
            let isPlain = text.utf8.allSatisfy {
                isASCIIAlphanumeric($0) || Array("-._".utf8).contains($0)
            }
            return isPlain && (1...32).contains(text.utf8.count) ? text : nil
        }
    }
}

extension Settings {
    /// What is wrong with an entry of a table, or with the table; `nil` after it was taken.
    mutating func assign(_ entry: TOMLEntry, to table: CredentialTable) -> String? {
        guard entry.path.count > 2, let index = Int(entry.path[2]) else {
            return "\(table.path) may stand several times: write [[\(table.path)]] and its keys"
                + " below"
        }
        guard index < table.countMax else {
            return entry.path.count > 3
                ? nil : "more than \(table.countMax) [[\(table.path)]] are not allowed"
        }
        while self[keyPath: table.place].count <= index {
            self[keyPath: table.place].append(NamedCredential())
        }
        guard entry.path.count > 3 else { return nil }
        let name = entry.path[3...].joined(separator: ".")
        guard let key = table.keys.first(where: { $0.name == name }) else {
            let nearest = nearestName(to: name, among: table.keys.map(\.name))
            return "unknown key \(table.path).\(name); did you mean \(table.path).\(nearest)?"
        }
        if key.assign(entry.value, &self[keyPath: table.place][index]) { return nil }
        let found = key.isSecret ? "" : ", found \(entry.value.shown)"
        return "\(table.path).\(name): expected \(key.expectation)\(found)"
    }

    /// Tables that are wrong as a whole, or together: the key to blame, and why.
    func contradictionsOfCredentials() -> [(key: String, text: String)] {
        CredentialTable.all.flatMap { table in
            self[keyPath: table.place].indices.flatMap { problems(at: $0, of: table) }
        } + takenName()
    }

    private func problems(
        at index: Int, of table: CredentialTable
    ) -> [(key: String, text: String)] {
        let credentials = self[keyPath: table.place]
        let credential = credentials[index]
        let place = "\(table.path).\(index)"
        let (name, secret, file) = (table.nameKey.name, table.secretKey.name, table.fileKey.name)
        var found: [(key: String, text: String)] = []
        if credential.name.isEmpty {
            found.append((place, "\(table.path): \(name) is missing"))
        } else if credentials[..<index].contains(where: { $0.name == credential.name }) {
            let text = "\(table.path): another one has the \(name) \(quoted(credential.name))"
            found.append(("\(place).\(name)", text))
        }
        switch (credential.secret, credential.secretFile) {
        case (nil, nil):
            found.append((place, "\(table.path): give \(secret) or \(file)"))
        case (.some, .some):
            let text = "\(table.path): give either \(secret) or \(file), not both"
            found.append(("\(place).\(file)", text))
        case (.some, nil), (nil, .some): break
        }
        return found
    }

    /// The one secret that stands alone has a name, too.
    private func takenName() -> [(key: String, text: String)] {
        guard security.secret != nil || security.secretFile != nil,
            let index = security.secrets.firstIndex(where: { $0.name == Secrets.onlyName })
        else { return [] }
        let text = "security.secrets: the id \(quoted(Secrets.onlyName)) is that of security.secret"
        return [("security.secrets.\(index).id", text)]
    }
}
