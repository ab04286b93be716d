// Who this store is: the UUID its volumes carry and the key that authenticates their records.

internal import Cryptography

/// Kept in `<data>/instance`, mode 0600, made once. Volumes are unreadable without it: their
/// records are authenticated by its key, so it belongs in every backup.
public struct InstanceIdentity: Equatable, Sendable {
    /// A random UUID (RFC 9562 version 4), 16 bytes in network order.
    public let identifier: [UInt8]
    /// 32 bytes.
    public let recordKey: Secret

    static let formatVersion = "1"
    static let fileName = "instance"

    /// The identity kept in `directory`; `nil` when there is none.
    ///
    /// - Throws: a file that others may read, is damaged, or is of a newer format.
    public static func load(
        from directory: String
    ) throws(SettingsError) -> InstanceIdentity? {
        let path = directory + "/" + fileName
        let keys = ["format", "identifier", "key"]
        guard let fields = try PrivateFields.load(path, keys: keys) else { return nil }
        guard fields["format"] == formatVersion else {
            throw SettingsError(
                origin: path, "made by a newer release: \(Release.version) reads format 1 only")
        }
        guard let identifier = bytes(of: fields["identifier"]),
            identifier.count == 16, let key = bytes(of: fields["key"]),
            key.count == 32
        else { throw PrivateFields.damaged(path) }
        return InstanceIdentity(identifier: identifier, recordKey: Secret(key))
    }

    /// The identity kept in `directory`, made when there is none. Only for a directory without
    /// volumes: a new identity would not recognise them.
    public static func loadOrMake(
        in directory: String
    ) throws(SettingsError) -> InstanceIdentity {
        if let identity = try load(from: directory) { return identity }
        let path = directory + "/" + fileName
        var identifier = Randomness.bytes(16)
        identifier[6] = identifier[6] & 0x0f | 0x40
        identifier[8] = identifier[8] & 0x3f | 0x80
        let text = """
            # Who this store is. Without it the volumes cannot be read: keep it in the backup.
            format = "\(formatVersion)"
            identifier = "\(Hexadecimal.string(identifier.span))"
            key = "\(randomHexadecimal(byteCount: 32))"

            """
        _ = try PrivateFields.create(path, in: directory, text)
        // Read back even when ours was first: what counts is what a restart will see.
        guard let identity = try load(from: directory) else { throw PrivateFields.damaged(path) }
        return identity
    }

    private static func bytes(of digits: String?) -> [UInt8]? {
        digits.flatMap { Hexadecimal.bytes(Array($0.utf8).span) }
    }
}
