// The secrets of a server: from the configuration, else from `<data>/secrets`, else made there.

internal import Files

/// What signs upload URLs and what opens /admin, ready for use.
public struct Secrets: Equatable, Sendable {
    /// Signs upload URLs; its bytes are the HMAC key as they are.
    public let upload: Secret
    /// The bearer token of /admin and DELETE.
    public let admin: Secret
    /// The bearer token that may upload at /files, if there is one beside the admin's.
    public let token: Secret?
    /// Made by this very call: to be shown to the operator once.
    public let uploadIsNew: Bool
    public let adminIsNew: Bool

    /// 256 bits, as strong as the HMAC they key.
    static let generatedByteCount = 32
    static let fileBytesMax = 64 << 10
    static let fileName = "secrets"

    /// The secrets that `settings` mean. What they do not give is taken from `<data>/secrets`,
    /// which is made (mode 0600, the data directory with it) when it is missing.
    ///
    /// - Throws: a `secret_file` that cannot be read, a `secrets` file that others may read or that
    ///   is damaged, a directory that cannot be written.
    public static func prepare(for settings: Settings) throws(SettingsError) -> Secrets {
        let given = try Given(settings)
        if let upload = given.upload, let admin = given.admin {
            return Secrets(
                upload: upload, admin: admin, token: given.token, uploadIsNew: false,
                adminIsNew: false)
        }
        let (kept, isNew) = try Kept.loadOrMake(in: settings.storage.path)
        return Secrets(
            upload: given.upload ?? kept.upload, admin: given.admin ?? kept.admin,
            token: given.token,
            uploadIsNew: isNew && given.upload == nil, adminIsNew: isNew && given.admin == nil)
    }

    /// The upload secret that a server with these settings uses; nothing is made.
    /// `nil` when none is configured and no server has made one yet.
    public static func existingUploadSecret(
        for settings: Settings
    ) throws(SettingsError) -> Secret? {
        if let given = try Given(settings).upload { return given }
        return try Kept.load(from: Kept.path(in: settings.storage.path))?.upload
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

/// What the configuration gives, its files read.
private struct Given {
    let upload: Secret?
    let admin: Secret?
    let token: Secret?

    init(_ settings: Settings) throws(SettingsError) {
        let security = settings.security
        var upload = security.secret
        if let file = security.secretFile { upload = try Given.read(file) }
        var admin = security.adminToken
        if let file = security.adminTokenFile { admin = try Given.readToken(file) }
        var token = security.uploadToken
        if let file = security.uploadTokenFile { token = try Given.readToken(file) }
        (self.upload, self.admin, self.token) = (upload, admin, token)
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
