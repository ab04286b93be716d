/// Servers of the lab, and who uploads to them.

import BenchLoad
import BenchMachine
import BenchMeasure
import BenchNetwork
import Foundation

final class LabBench {
    let options: LabOptions
    private let undo: Undo
    private let place: Place
    private let program: String
    private var serverCount = 0
    /// Made once; a new one for another link. The kernel undoes it with this process.
    private var current: (name: String, link: RealLink)?

    private static let bodySeed: UInt64 = 0x6c61_6262_6f64_7931

    init(_ options: LabOptions, _ undo: Undo) throws {
        try RealLink.requireMeans()
        (self.options, self.undo) = (options, undo)
        var compared = Options()
        (compared.data, compared.millrace) = (options.data, options.millrace)
        compared.rows = []
        program = try Starting.millrace(compared)
        place = try Place.make(compared, repository: ".", undo: undo)
    }

    var fileSystem: String { FileSystemFacts(of: place.directory).name }

    /// Every variant once, in an order that turns around from round to round.
    func round(_ round: Int, _ link: LabLink, _ way: UploadWay, into run: inout LabRun) throws {
        let order = round.isMultiple(of: 2) ? options.variants : options.variants.reversed()
        for variant in order {
            let uploads = try visits(round, link, way, variant)
            for upload in uploads { run.add(upload, link, way, variant) }
            let seconds = uploads.map { Digits.fixed($0.seconds, 2) }.joined(separator: ", ")
            let failures = uploads.reduce(0) { $0 + $1.failures }
            say(
                "\(link.name) \(way.rawValue) \(variant.rawValue) \(round + 1): \(seconds) s,"
                    + " \(failures) failures")
        }
    }

    /// One client uploads several times to a server that did not know it.
    private func visits(
        _ round: Int, _ row: LabLink, _ way: UploadWay, _ variant: LabVariant
    ) throws -> [LabUpload] {
        let link = try link(row)
        return try withServer(variant.configuration, link) { server in
            try (0..<options.visits).map { visit in
                try self.visit(visit, round, row, way, link, server)
            }
        }
    }

    private func visit(
        _ visit: Int, _ round: Int, _ row: LabLink, _ way: UploadWay, _ link: RealLink,
        _ server: LabServer
    ) throws -> LabUpload {
        let number = UInt64(round * options.visits + visit)
        let body = body(row, number: number)
        // The same for every variant: what differs is how it is met.
        link.relay.restart(row.character, seed: SplitMix64.mix(number &+ 1))
        let start = Clocks.now()
        var client = ChunkingClient(body, to: server, from: link.client)
        let outcome = try client.upload(by: way)
        let seconds = Double(Clocks.now() - start) / 1e9
        let counts = link.relay.counts
        // From beside the server: the link has no part in it.
        let witness = ChunkingClient(body, to: server, from: link.server)
        let profiles = try witness.profiles()
        try witness.compare(outcome.path)
        return LabUpload(
            round: round, visit: visit, seconds: seconds, counts, outcome, profiles: profiles)
    }

    /// What every variant uploads under that number.
    func body(_ row: LabLink, number: UInt64) -> [UInt8] {
        BodyPattern(seed: LabBench.bodySeed).bytes(row.fileBytes, number: number)
    }

    func link(_ row: LabLink) throws -> RealLink {
        if let current, current.name == row.name { return current.link }
        current = nil
        let link = try RealLink(
            row.character, seed: 0, congestionControl: CongestionControl.wanted)
        guard link.congestionControl == CongestionControl.wanted else {
            throw BenchError("the lab's networks have \(link.congestionControl)")
        }
        current = (row.name, link)
        return link
    }

    // MARK: Servers

    /// A server of its own, that knows nobody, with these lines in front of its configuration.
    func withServer<Answer>(
        _ configuration: String, _ link: RealLink, _ body: (LabServer) throws -> Answer
    ) throws -> Answer {
        let (server, process, home) = try start(configuration, link)
        defer {
            process.kill()
            try? FileManager.default.removeItem(atPath: home)
        }
        return try body(server)
    }

    private func start(
        _ configuration: String, _ link: RealLink
    ) throws -> (LabServer, ServerProcess, home: String) {
        serverCount += 1
        let home = "\(place.directory)/lab-\(serverCount)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let token = "lab-\(UInt64.random(in: .min ... .max))"
        let file = home + ".toml"
        try (configuration + LabBench.configuration(token: token))
            .write(toFile: file, atomically: true, encoding: .utf8)
        let process = try Command.serve(
            link.server.entrance + [
                program, "serve", "--config", file, "--listen", "\(RealLink.serverAddress):0",
                "--data", home + "/data", "--cores", "\(options.serverCPU)",
            ], cpu: options.serverCPU, log: home + ".log")
        undo.add { process.stop() }
        var port: UInt16?
        try process.waitUntil {
            port = ServerLog.port(in: TextFile.read(process.log) ?? "")
            return port != nil
        }
        guard let port else { throw BenchError("millrace did not say where it listens") }
        let server = LabServer(
            port: port, token: token, congestionControl: CongestionControl.wanted)
        try process.waitUntil { ChunkingClient.isReady(server, beside: link.server) }
        return (server, process, home)
    }

    /// Everything that is not said here is Millrace's default.
    private static func configuration(token: String) -> String {
        """
        [metrics]
        listen = "127.0.0.1:0"

        [security]
        secret = "\(token)-secret"
        admin_token = "\(token)"

        """
    }
}
