/// A client that downloads the same over one connection, again and again, and feels what that does
/// to others on its link.

import BenchMachine

public struct DownloadingClient {
    private let line: LabLine
    private let server: LabServer
    private let network: NetworkNamespace?
    private let body: [UInt8]
    private let isProbed: Bool

    /// - Parameters:
    ///   - body: what it must get.
    ///   - isProbed: small requests go beside it.
    public init(
        _ body: [UInt8], from server: LabServer, to network: NetworkNamespace?,
        isProbed: Bool = true
    ) throws(LabFailure) {
        (self.server, self.network, self.body) = (server, network, body)
        self.isProbed = isProbed
        line = try LabLine(to: server, from: network)
    }

    /// How long it took, and how long small requests beside it, in milliseconds.
    public func download(
        _ path: String
    ) throws(LabFailure) -> (seconds: Double, probes: [Double]) {
        let probe = isProbed ? try TransferProbe(server, from: network) : nil
        let start = Clocks.now()
        let answer: LabAnswer
        do throws(LabFailure) { answer = try line.ask("GET", path, [], []) } catch {
            _ = probe?.stop()
            throw error
        }
        let seconds = Double(Clocks.now() - start) / 1e9
        let probes = probe?.stop() ?? []
        guard answer.status == 200 else {
            throw .refused(answer.status, of: "GET \(path)", answer.text)
        }
        guard answer.body == body else { throw .wrongBody }
        return (seconds, probes)
    }
}
