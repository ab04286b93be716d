// Starts the servers that are compared.

import BenchLoad
import BenchMachine
import BenchMeasure
import Foundation

/// Starts the servers that are compared.
struct Starting {
    let options: Options
    let repository: String
    /// The run's own directory, on the file system under test.
    let directory: String
    let congestionControl: String?

    func start(_ side: Side) throws -> Subject {
        switch side {
        case .millrace: try millrace()
        case .nginx: try nginx()
        }
    }

    private func nginx() throws -> Subject {
        let home = directory + "/nginx"
        try FileManager.default.createDirectory(
            atPath: home + "/www", withIntermediateDirectories: true)
        for names in Objects.allNames {
            for number in 0..<UInt64(ObjectNames.folderCount) {
                try FileManager.default.createDirectory(
                    atPath: home + "/www" + names.folder(of: number),
                    withIntermediateDirectories: true)
            }
        }
        let port = try Connection.freePort()
        let template = repository + "/Bench/nginx.conf.template"
        guard var text = TextFile.read(template) else {
            throw BenchError("cannot read \(template)")
        }
        let affinity = "1" + String(repeating: "0", count: options.serverCPU)
        let user = Limits.isRoot ? "user root;" : ""
        for (name, value) in [
            ("USER", user), ("AFFINITY", affinity), ("DIRECTORY", home), ("PORT", "\(port)"),
        ] {
            text = text.replacingOccurrences(of: "${\(name)}", with: value)
        }
        let file = home + "/nginx.conf"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try Command.serve(
            [options.nginx, "-p", home, "-c", file, "-e", home + "/error.log"],
            cpu: options.serverCPU, log: home + "/output.log")
        let server = ServedAddress(port: port, secret: nil, congestionControl: congestionControl)
        try process.waitUntil { (try? Probe.status(of: "/", at: server)) != nil }
        return Subject(.nginx, process, server, root: home + "/www")
    }

    private func millrace() throws -> Subject {
        let home = directory + "/millrace"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let binary = try options.millrace ?? Starting.neighbour("millrace")
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw BenchError("no server at \(binary): build it, or say --millrace PATH")
        }
        let secret = "bench-\(UInt64.random(in: .min ... .max))"
        let file = directory + "/millrace.toml"
        try Starting.configuration(secret: secret).write(
            toFile: file, atomically: true, encoding: .utf8)
        let process = try Command.serve(
            [
                binary, "serve", "--config", file, "--listen", "127.0.0.1:0", "--data", home,
                "--cores", "\(options.serverCPU)",
            ],
            cpu: options.serverCPU, log: directory + "/millrace.log")
        var port: UInt16?
        try process.waitUntil {
            port = ServerLog.port(in: TextFile.read(process.log) ?? "")
            return port != nil
        }
        guard let port else { throw BenchError("millrace did not say where it listens") }
        let server = ServedAddress(port: port, secret: secret, congestionControl: congestionControl)
        try process.waitUntil { (try? Probe.status(of: "/ready", at: server)) == 200 }
        return Subject(.millrace, process, server, root: nil)
    }

    /// A program of the same build as this one.
    private static func neighbour(_ name: String) throws -> String {
        let own = try Place.resolved("/proc/self/exe") as NSString
        return own.deletingLastPathComponent + "/" + name
    }

    /// Everything that is not said here is Millrace's default.
    private static func configuration(secret: String) -> String {
        """
        [metrics]
        listen = "127.0.0.1:0"

        [security]
        secret = "\(secret)"

        [uploads]
        max_size = "15GiB"

        [limits]
        idle_timeout = "1h"
        connections_per_core = 16384

        """
    }
}
