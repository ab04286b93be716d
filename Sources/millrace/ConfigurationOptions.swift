// The options by which every command finds the same configuration and the same data.

internal import ArgumentParser
internal import Configuration
internal import Foundation

struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Configuration file (TOML).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Data directory.", valueName: "dir"))
    var data: String?

    func settings(
        overrides: [SettingOverride] = [], environment: [String: String]
    ) throws -> Settings {
        var overrides = overrides
        if let data { overrides.append(SettingOverride("storage.path", data, from: "--data")) }
        return try Settings.load(file: config, overrides: overrides, environment: environment)
    }
}

func processEnvironment() -> [String: String] { ProcessInfo.processInfo.environment }
