// A directory that lives as long as a test holds it.

import Configuration
import Foundation
import Testing

final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "millrace-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes the file and answers its path.
    func write(bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    func write(_ text: String, to name: String) throws -> String {
        try write(bytes: Array(text.utf8), to: name)
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }

    func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + name).sorted()
    }

    /// Settings whose data directory is `data` in here.
    func settings(under data: String, _ text: String = "") throws -> Settings {
        try Settings.parse(toml: "storage.path = \"\(path)/\(data)\"\n" + text)
    }
}

/// The error that `body` threw; `nil` when it threw none.
func failure<Result>(_ body: () throws -> Result) -> SettingsError? {
    do {
        _ = try body()
    } catch let error as SettingsError {
        return error
    } catch {
        Issue.record("an error of another kind: \(error)")
    }
    return nil
}
