// Starts the servers that are compared.

import BenchLoad
import BenchMachine
import BenchMeasure
import Foundation

/// Starts the servers that are compared, each with a directory of its own.
struct Starting {
    let options: Options
    let repository: String
    /// The run's own directory, on the file system under test.
    let directory: String
    let congestionControl: String?
    let programs: [Side: String]
    /// More lines of `[limits]`.
    var limits: [String] = []

    /// - Parameters:
    ///   - ablation: what `reduced` does without.
    func start(_ side: Side, without ablation: Ablation? = nil) throws -> Subject {
        guard let program = programs[side] else {
            preconditionFailure("\(side.rawValue) was to be left out")
        }
        let home = home(of: side, without: ablation)
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        guard !side.isMillrace else { return try startMillrace(side, at: home, ablation) }
        try makeFolders(of: side, under: home + "/www")
        let port = try Connection.freePort()
        let (template, command) = Starting.recipe(side, program, home)
        try configure(template, for: side, home, port)
        let process = try Command.serve(
            command, cpu: options.serverCPU, log: home + "/output.log")
        let server = ServedAddress(port: port, secret: nil, congestionControl: congestionControl)
        try process.waitUntil { (try? Probe.status(of: "/ready", at: server)) == 200 }
        return Subject(side, process, server, storage: .tree(home + "/www"))
    }

    /// Where a server's objects lie.
    func home(of side: Side, without ablation: Ablation?) -> String {
        "\(directory)/\(side.rawValue)" + (ablation.map { "-\($0.name)" } ?? "")
    }

    /// The template of a peer's configuration and the command that reads what was made of it.
    private static func recipe(
        _ side: Side, _ program: String, _ home: String
    ) -> (template: String, command: [String]) {
        let file = home + "/conf"
        return switch side {
        case .millrace, .plain, .reduced:
            preconditionFailure("Millrace's configuration is not from a template")
        case .nginx, .nginxDirect:
            ("nginx.conf", [program, "-p", home, "-c", file, "-e", home + "/error.log"])
        case .lighttpd: ("lighttpd.conf", [program, "-D", "-f", file])
        case .caddy:
            (
                "Caddyfile",
                [
                    "env", "HOME=\(home)", "XDG_DATA_HOME=\(home)", "XDG_CONFIG_HOME=\(home)",
                    program, "run", "--adapter", "caddyfile", "--config", file,
                ]
            )
        case .h2o: ("h2o.conf", [program, "-m", "worker", "-c", file])
        }
    }

    /// Fills the template in. nginx's two configurations differ in how large files are read.
    private func configure(
        _ template: String, for side: Side, _ home: String, _ port: UInt16
    ) throws {
        let path = "\(repository)/Bench/\(template).template"
        guard var text = TextFile.read(path) else { throw BenchError("cannot read \(path)") }
        let isDirect = side == .nginxDirect
        // Started as root, both would serve as somebody else, who may not read the directory.
        let user = side == .h2o ? "user: root" : "user root;"
        for (name, value) in [
            ("USER", Limits.isRoot ? user : ""),
            ("AFFINITY", "1" + String(repeating: "0", count: options.serverCPU)),
            ("LARGE", isDirect ? "aio threads; directio 1m; output_buffers 2 1m;" : ""),
            ("DIRECTORY", home), ("PORT", "\(port)"),
        ] {
            text = text.replacingOccurrences(of: "${\(name)}", with: value)
        }
        try text.write(toFile: home + "/conf", atomically: true, encoding: .utf8)
    }

    /// Every folder that objects of the rows will lie in, and a file that tells that it serves.
    private func makeFolders(of side: Side, under root: String) throws {
        let rows = options.rows.filter { $0.takes(side) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for names in rows.flatMap(Objects.names) {
            for number in 0..<UInt64(ObjectNames.folderCount) {
                try FileManager.default.createDirectory(
                    atPath: root + names.folder(of: number), withIntermediateDirectories: true)
            }
        }
        try "ready\n".write(toFile: root + "/ready", atomically: true, encoding: .utf8)
    }

    /// What was stored in `home` by an earlier one is there again.
    func startMillrace(
        _ side: Side, at home: String, _ ablation: Ablation? = nil
    ) throws -> Subject {
        guard let program = programs[side] else {
            preconditionFailure("\(side.rawValue) was to be left out")
        }
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let secret = "bench-\(UInt64.random(in: .min ... .max))"
        let token = "bench-\(UInt64.random(in: .min ... .max))"
        let file = home + ".toml"
        // Keys with their sections in front stand before the first section.
        let keys =
            [Starting.chunkKey] + (options.readsDisk ? [Ablation.readingDisk] : [])
            + (ablation?.configuration ?? [])
        let lines = keys.map { $0 + "\n" }.joined()
        let text =
            lines + Starting.configuration(secret: secret, token: token)
            + limits.map { $0 + "\n" }.joined()
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try Command.serve(
            (ablation?.prefix(isRoot: Limits.isRoot) ?? []) + [
                program, "serve", "--config", file, "--listen", "127.0.0.1:0", "--data", home,
                "--cores", "\(options.serverCPU)",
            ],
            cpu: options.serverCPU, log: home + ".log")
        var port: UInt16?
        try process.waitUntil {
            port = ServerLog.port(in: TextFile.read(process.log) ?? "")
            return port != nil
        }
        guard let port else { throw BenchError("millrace did not say where it listens") }
        let server = ServedAddress(port: port, secret: secret, congestionControl: congestionControl)
        try process.waitUntil { (try? Probe.status(of: "/ready", at: server)) == 200 }
        return Subject(
            side, process, server, storage: .volumes(home + "/volumes"), adminToken: token)
    }

    /// The server that the options name, or that of the same build as this program.
    static func millrace(_ options: Options) throws -> String {
        let own = try Place.resolved("/proc/self/exe") as NSString
        let program = options.millrace ?? own.deletingLastPathComponent + "/millrace"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchError("no server at \(program): build it, or say --millrace PATH")
        }
        return program
    }

    /// Numbered chunks are as long as the server says: as long as those of the other dialects.
    private static let chunkKey =
        "performance.min_chunk_size = \"\(Row.chunkBytes >> 20)MiB\""

    /// Everything that is not said here is Millrace's default.
    private static func configuration(secret: String, token: String) -> String {
        """
        [metrics]
        listen = "127.0.0.1:0"

        [security]
        secret = "\(secret)"
        admin_token = "\(token)"

        [uploads]
        max_size = "15GiB"

        [limits]
        idle_timeout = "1h"
        connections_per_core = 16384

        """
    }
}
