// The secrets of a server: from the configuration, else from `<data>/secrets`, else made there.

internal import Files

/// What signs upload URLs, what may upload, and what opens /admin, ready for use.
public struct Secrets: Equatable, Sendable {
    /// One of several keys or tokens, and whose uploads it makes.
    public struct Credential: Equatable, Sendable {
        /// As it is called in the configuration.
        public let name: String
        /// Stored with what it uploads: nobody else may go on with that.
        public let owner: String
        public let tenant: String
        public let secret: Secret
    }

    /// Sign upload URLs; their bytes are HMAC keys as they are. At least one; the first is the one
    /// that `millrace sign` takes if it is not told otherwise.
    public let signing: [Credential]
    /// The bearer token of /admin and DELETE.
    public let admin: Secret
    /// The bearer tokens that may upload, beside the admin's.
    public let tokens: [Credential]
    /// The key of JSON Web Tokens, if any count.
    public let jwt: Secret?
    /// Made by this very call: to be shown to the operator once.
    public let uploadIsNew: Bool
    public let adminIsNew: Bool

    public var upload: Secret { signing[0].secret }

    /// 256 bits, as strong as the HMAC they key.
    static let generatedByteCount = 32
    static let fileBytesMax = 64 << 10
    static let fileName = "secrets"
    /// What the one secret is called that stands alone, or was made.
    static let onlyName = "secret"

    /// The secrets that `settings` mean. What they do not give is taken from `<data>/secrets`,
    /// which is made (mode 0600, the data directory with it) when it is missing.
    ///
    /// - Throws: a `secret_file` that cannot be read, two credentials that are the same, a
    ///   `secrets` file that others may read or that is damaged, a directory that cannot be
    ///   written.
    public static func prepare(for settings: Settings) throws(SettingsError) -> Secrets {
        let given = try Given(settings)
        if !given.signing.isEmpty, let admin = given.admin {
            return Secrets(
                signing: given.signing, admin: admin, tokens: given.tokens, jwt: given.jwt,
                uploadIsNew: false, adminIsNew: false)
        }
        let (kept, isNew) = try Kept.loadOrMake(in: settings.storage.path)
        return Secrets(
            signing: given.signing.isEmpty ? [.only(kept.upload)] : given.signing,
            admin: given.admin ?? kept.admin, tokens: given.tokens, jwt: given.jwt,
            uploadIsNew: isNew && given.signing.isEmpty,
            adminIsNew: isNew && given.admin == nil)
    }

    /// The upload secret of that id, else the first, that a server with these settings uses;
    /// nothing is made. `nil` when none is configured and no server has made one yet.
    ///
    /// - Throws: also an id that no secret has.
    public static func existingUploadSecret(
        for settings: Settings, id: String? = nil
    ) throws(SettingsError) -> Secret? {
        var signing = try Given(settings).signing
        if signing.isEmpty {
            let kept = try Kept.load(from: Kept.path(in: settings.storage.path))
            signing = kept.map { [.only($0.upload)] } ?? []
        }
        guard let id, !signing.isEmpty else { return signing.first?.secret }
        guard let found = signing.first(where: { $0.name == id }) else {
            let names = signing.map(\.name).joined(separator: ", ")
            throw SettingsError(
                origin: "security.secrets",
                "no secret has the id \(quoted(id)); there are: \(names)")
        }
        return found.secret
    }

    /// The admin token that a server with these settings uses; nothing is made. `nil` as above.
    public static func existingAdminToken(
        for settings: Settings
    ) throws(SettingsError) -> Secret? {
        if let given = try Given(settings).admin { return given }
        return try Kept.load(from: Kept.path(in: settings.storage.path))?.admin
    }

    /// The token that a file holds; a newline at its end is not part of it.
    public static func token(inFile file: String) throws(SettingsError) -> Secret {
        try Given.readToken(file)
    }

    /// Whether the files that `settings` name for secrets can be read. For `config check`.
    public static func check(_ settings: Settings) throws(SettingsError) {
        _ = try Given(settings)
    }
}

extension Secrets.Credential {
    /// Names of owners are stored with uploads: these two are older than the tables, and a secret
    /// that moves into one keeps its own.
    fileprivate static func only(_ secret: Secret) -> Secrets.Credential {
        Secrets.Credential(
            name: Secrets.onlyName, owner: Secrets.onlyName,
            tenant: NamedCredential.defaultTenant, secret: secret)
    }

    fileprivate static func onlyToken(_ secret: Secret) -> Secrets.Credential {
        Secrets.Credential(
            name: "upload_token", owner: "uploadToken", tenant: NamedCredential.defaultTenant,
            secret: secret)
    }

    /// The kinds are kept apart: a token is not a secret of the same name.
    fileprivate init(_ configured: NamedCredential, _ secret: Secret, of table: CredentialTable) {
        let isOnly =
            table.name == CredentialTable.secrets.name && configured.name == Secrets.onlyName
        let kind = table.name == CredentialTable.secrets.name ? "secret" : "token"
        self.init(
            name: configured.name,
            owner: isOnly ? Secrets.onlyName : "\(kind):\(configured.name)",
            tenant: configured.tenant, secret: secret)
    }
}

/// What the configuration gives, its files read.
private struct Given {
    let signing: [Secrets.Credential]
    let admin: Secret?
    let tokens: [Secrets.Credential]
    let jwt: Secret?

    init(_ settings: Settings) throws(SettingsError) {
        let security = settings.security
        var upload = security.secret
        if let file = security.secretFile { upload = try Given.read(file) }
        var admin = security.adminToken
        if let file = security.adminTokenFile { admin = try Given.readToken(file) }
        var token = security.uploadToken
        if let file = security.uploadTokenFile { token = try Given.readToken(file) }
        self.admin = admin
        var jwt = security.jwtSecret
        if let file = security.jwtSecretFile { jwt = try Given.readTokenKey(file) }
        self.jwt = jwt
        signing = try Given.several(
            upload.map { [.only($0)] } ?? [], security.secrets, .secrets, Given.read)
        tokens = try Given.several(
            token.map { [.onlyToken($0)] } ?? [], security.tokens, .tokens, Given.readToken)
    }

    /// `first` and those of a table: each another one, else nobody could say whose an upload is.
    private static func several(
        _ first: [Secrets.Credential], _ configured: [NamedCredential], _ table: CredentialTable,
        _ read: (String) throws(SettingsError) -> Secret
    ) throws(SettingsError) -> [Secrets.Credential] {
        var found = first
        for credential in configured {
            var secret = credential.secret
            if let file = credential.secretFile { secret = try read(file) }
            guard let secret else { preconditionFailure("a table that was checked has a secret") }
            let next = Secrets.Credential(credential, secret, of: table)
            for other in found {
                if other.owner == next.owner {
                    throw SettingsError(
                        origin: table.path,
                        "two have the \(table.nameKey.name) \(quoted(next.name))")
                }
                if other.secret == secret {
                    throw SettingsError(
                        origin: table.path,
                        "\(quoted(next.name)) and \(quoted(other.name)) are the same"
                            + " \(table.secretKey.name)")
                }
            }
            found.append(next)
        }
        return found
    }

    private static func readTokenKey(_ file: String) throws(SettingsError) -> Secret {
        let key = try read(file)
        guard isTokenKey(key.bytes) else {
            throw SettingsError(
                origin: file, "the key of JSON Web Tokens has at least 32 bytes (RFC 7518 §3.2)")
        }
        return key
    }

    static func readToken(_ file: String) throws(SettingsError) -> Secret {
        let token = try read(file)
        guard isBearerToken(token.bytes) else {
            throw SettingsError(origin: file, "a token is letters, digits and -._~+/= (RFC 6750)")
        }
        return token
    }

    private static func read(_ file: String) throws(SettingsError) -> Secret {
        var bytes: [UInt8]
        do throws(FileError) {
            bytes = try readFile(file, byteCountMax: Secrets.fileBytesMax)
        } catch {
            throw SettingsError(origin: file, "\(error)")
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw SettingsError(origin: file, "the file holds no secret") }
        return Secret(bytes)
    }
}

/// What `<data>/secrets` holds.
private struct Kept {
    let upload: Secret
    let admin: Secret

    static func path(in directory: String) -> String { directory + "/" + Secrets.fileName }

    static func load(from path: String) throws(SettingsError) -> Kept? {
        guard let fields = try PrivateFields.load(path, keys: ["secret", "admin_token"]) else {
            return nil
        }
        guard let upload = fields["secret"], let admin = fields["admin_token"],
            !upload.isEmpty, isBearerToken(Array(admin.utf8))
        else { throw PrivateFields.damaged(path) }
        return Kept(upload: Secret(upload), admin: Secret(admin))
    }

    static func loadOrMake(in directory: String) throws(SettingsError) -> (Kept, isNew: Bool) {
        let path = path(in: directory)
        if let kept = try load(from: path) { return (kept, false) }
        let upload = randomHexadecimal(byteCount: Secrets.generatedByteCount)
        let admin = randomHexadecimal(byteCount: Secrets.generatedByteCount)
        let text = """
            # Made by millrace at its first start. Keep it private, and in the backup.
            secret = "\(upload)"
            admin_token = "\(admin)"

            """
        let isNew = try PrivateFields.create(path, in: directory, text)
        if isNew { return (Kept(upload: Secret(upload), admin: Secret(admin)), true) }
        // Another process was first; what it made counts.
        guard let kept = try load(from: path) else { throw PrivateFields.damaged(path) }
        return (kept, false)
    }
}
