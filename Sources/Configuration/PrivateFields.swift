// Small files of `name = "text"` lines that only their owner may read.

internal import Cryptography
internal import Files

/// Reads and makes such files. Errors name the file and never what is in it.
enum PrivateFields {
    static let bytesMax = 64 << 10

    /// Exactly the fields named by `keys`, each a text; `nil` when there is no file.
    static func load(
        _ path: String, keys: [String]
    ) throws(SettingsError) -> [String: String]? {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try readFile(path, byteCountMax: bytesMax, access: .ownerOnly)
        } catch {
            if error.isMissing { return nil }
            throw SettingsError(origin: path, "\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            let document = try? TOMLDocument(text, origin: path, sections: [])
        else { throw damaged(path) }
        var fields: [String: String] = [:]
        for entry in document.entries {
            guard case .text(let value) = entry.value, entry.path.count == 1 else {
                throw damaged(path)
            }
            fields[entry.path[0]] = value
        }
        guard Set(fields.keys) == Set(keys) else { throw damaged(path) }
        return fields
    }

    /// Makes the directory and the file. `false`: another process made the file first.
    static func create(
        _ path: String, in directory: String, _ text: String
    ) throws(SettingsError) -> Bool {
        do throws(FileError) {
            try makeDirectory(directory)
            return try createPrivateFile(
                path, containing: Array(text.utf8), suffix: randomHexadecimal(byteCount: 8))
        } catch {
            throw SettingsError(origin: path, "\(error)")
        }
    }

    static func damaged(_ path: String) -> SettingsError {
        SettingsError(origin: path, "damaged; restore it from a backup, do not remove it")
    }
}

/// Digits of `byteCount` bytes that nobody can guess, two a byte.
func randomHexadecimal(byteCount: Int) -> String {
    Hexadecimal.string(Randomness.bytes(byteCount).span)
}
