// The built server as a child process, on free ports, with data of its own.

import Cryptography
import Foundation
import Glibc
import Testing

/// What a test's server is told beyond the defaults of these tests.
struct ServerOptions: Sendable {
    var cores = "0"
    var memoryPerCore = "16MiB"
    var capacity = "2GiB"
    var volumeSize = "256MiB"
    var basePath = "/"
    var durability = "durable"
    /// Further TOML, tables included.
    var limits = ""
    var uploads = ""
    var security = ""
    var drainTimeout = "20s"
    var steering = "hash"

    func configuration(data: String) -> String {
        """
        [server]
        base_path = "\(basePath)"
        memory_per_core = "\(memoryPerCore)"
        drain_timeout = "\(drainTimeout)"
        steering = "\(steering)"
        [storage]
        path = "\(data)"
        capacity = "\(capacity)"
        volume_size = "\(volumeSize)"
        durability = "\(durability)"
        [security]
        secret = "\(RunningServer.secret)"
        admin_token = "\(RunningServer.adminToken)"
        \(security)
        [uploads]
        \(uploads)
        [limits]
        \(limits)

        """
    }
}

/// A server that has said where it listens.
final class RunningServer: Sendable {
    static let secret = "correct horse battery staple"
    static let adminToken = "admin-of-these-tests"

    let scratch: ScratchDirectory
    let process: ChildProcess
    let port: UInt16
    let metricsPort: UInt16
    let dataPath: String
    private let logPath: String

    /// Starts in a new directory, or in that of another one that has ended.
    init(
        _ options: ServerOptions = ServerOptions(), in scratch: ScratchDirectory? = nil,
        data: String? = nil
    ) throws {
        let scratch = try scratch ?? ScratchDirectory()
        self.scratch = scratch
        dataPath = data ?? scratch.path + "/data"
        (process, logPath) = try RunningServer.launch(options, in: scratch, data: dataPath)
        let (process, logPath) = (process, logPath)
        var ports: [UInt16] = []
        let isUp = eventually(withinSeconds: 60) {
            ports = RunningServer.ports(inLog: logPath)
            return ports.count == 2 || process.exitStatus != nil
        }
        guard isUp, ports.count == 2 else {
            throw Problem("no server: \(RunningServer.text(logPath))")
        }
        (port, metricsPort) = (ports[0], ports[1])
        guard try eventually(withinSeconds: 60, { try isReady() }) else {
            throw Problem("never ready: \(log)")
        }
    }

    /// Starts without waiting for anything.
    static func launch(
        _ options: ServerOptions, in scratch: ScratchDirectory, data: String? = nil,
        arguments: [String] = []
    ) throws -> (ChildProcess, logPath: String) {
        let identity = UUID().uuidString
        let data = data ?? scratch.path + "/data"
        let configuration = try scratch.write(
            Array(options.configuration(data: data).utf8), to: identity + ".toml")
        let logPath = scratch.path + "/" + identity + ".log"
        let listening = arguments.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        let process = try ChildProcess(
            Programs.millrace,
            [
                "serve", "--config", configuration, "--metrics-listen", "127.0.0.1:0", "--cores",
                options.cores,
            ] + listening + arguments, output: logPath)
        return (process, logPath)
    }

    static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// Of the lines that end in `address=127.0.0.1:PORT`: objects first, then metrics.
    private static func ports(inLog path: String) -> [UInt16] {
        text(path).split(separator: "\n").compactMap { line in
            guard let place = line.range(of: "address=127.0.0.1:") else { return nil }
            return UInt16(line[place.upperBound...].prefix { $0.isNumber })
        }
    }

    private func isReady() throws -> Bool {
        if process.exitStatus != nil { throw Problem("ended: \(log)") }
        guard let client = try? RawClient(port) else { return false }
        try client.send("GET /ready HTTP/1.1\r\nHost: h\r\n\r\n")
        guard let answer = try? client.response() else { throw Problem("no answer: \(log)") }
        return answer.status == 200
    }

    var log: String { RunningServer.text(logPath) }
    var url: String { "http://127.0.0.1:\(port)" }

    /// Asks it to stop and waits; 0 is a clean end.
    func stop() -> Int32? { process.end(SIGTERM) }

    /// One request on a connection of its own.
    func put(_ path: String, _ body: [UInt8]) throws -> RawClient.Response {
        try RawClient(port).put(path, body)
    }

    func get(_ path: String) throws -> RawClient.Response { try RawClient(port).get(path) }

    func delete(_ path: String) throws -> RawClient.Response { try RawClient(port).delete(path) }

    /// A sample of the metrics page: of one core, or added up over the cores.
    func metric(_ name: String, core: Int? = nil) throws -> Int {
        let client = try RawClient(metricsPort)
        try client.send("GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        guard let answer = try? client.response() else { throw Problem("no metrics: \(log)") }
        let page = String(decoding: answer.body, as: UTF8.self)
        let beginnings = core.map { ["{core=\"\($0)\""] } ?? ["{", " "]
        let samples = page.split(separator: "\n").filter { line in
            beginnings.contains { line.hasPrefix("millrace_\(name)\($0)") }
        }
        guard !samples.isEmpty else { throw Problem("no metric \(name)") }
        return samples.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            .reduce(0, +)
    }
}

/// Signed URLs, made without the program under test.
enum Signing {
    /// `path?v=…` for an object of that many bytes.
    static func v(_ path: String, _ size: Int) -> String {
        "/\(path)?v=" + code("\(path) \(size)")
    }

    static func v2(_ path: String, _ size: Int, type: String, as parameter: String = "v2") -> String
    {
        "/\(path)?\(parameter)=" + code("\(path)\0\(size)\0\(type)")
    }

    private static func code(_ message: String) -> String {
        let key = Array(RunningServer.secret.utf8)
        guard var authenticator = try? MessageAuthenticator(key: key.span) else { return "" }
        return authenticator.tag(of: Array(message.utf8).span).hexadecimal
    }
}

/// Bytes that differ everywhere and from one seed to another.
func pattern(_ count: Int, seed: Int) -> [UInt8] {
    let wordCount = (count + 7) / 8
    let start = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1
    let words = unsafe [UInt64](unsafeUninitializedCapacity: wordCount) { words, filled in
        var state = start
        for index in 0..<wordCount {
            state ^= state &<< 13
            state ^= state &>> 7
            state ^= state &<< 17
            unsafe words[index] = state
        }
        filled = wordCount
    }
    return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
}
