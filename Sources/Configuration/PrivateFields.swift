// Small files of `name = "text"` lines that only their owner may read.

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
                path, containing: Array(text.utf8), suffix: hexadecimal(randomBytes(8)))
        } catch {
            throw SettingsError(origin: path, "\(error)")
        }
    }

    static func damaged(_ path: String) -> SettingsError {
        SettingsError(origin: path, "damaged; restore it from a backup, do not remove it")
    }
}

/// `count` bytes from the kernel's generator (`SystemRandomNumberGenerator` is getrandom(2) here).
func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

/// Two lower-case digits a byte.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
}

/// `nil` unless `text` is pairs of hexadecimal digits.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
    let values = digits.compactMap { $0 }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
}
