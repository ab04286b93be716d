/// HTTP over one blocking connection of the lab: a request at a time, every answer read whole.

import BenchMachine
public import BenchMeasure
import IO

/// Where the server of a lab is, and for whom it works.
public struct LabServer: Sendable {
    public let address: UInt32
    public let port: UInt16
    public let token: String
    /// Of clients' sockets; nil leaves the system's.
    public let congestionControl: String?

    public init(
        address: UInt32 = RealLink.serverNumber, port: UInt16, token: String,
        congestionControl: String?
    ) {
        (self.address, self.port, self.token) = (address, port, token)
        self.congestionControl = congestionControl
    }
}

/// Why an upload did not get on.
public enum LabFailure: Error, Equatable, CustomStringConvertible {
    /// The connection is no more, or nothing came over it for a long time.
    case broken
    /// An answer that this client did not expect.
    case refused(Int, of: String, String)
    case response(BadResponse)
    /// What was read back is not what was sent.
    case wrongBody
    case network(String)
    case hopeless(failures: Int)

    public var description: String {
        switch self {
        case .broken: "the connection broke"
        case .refused(let status, let what, let text): "\(what): \(status) \(text)"
        case .response(let error): "not an answer: \(error)"
        case .wrongBody: "what was read back is not what was sent"
        case .network(let text): text
        case .hopeless(let failures): "an upload that failed \(failures) times was given up"
        }
    }
}

struct LabAnswer {
    let status: Int
    /// By their lowercase names.
    let fields: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body.prefix(200), as: UTF8.self) }
    var offset: Int? { fields["upload-offset"].flatMap { Int($0) } }

    /// What `Millrace-Chunk` says, of one request at a time: its parameters tell of more.
    var advisedBytes: Int? {
        fields["millrace-chunk"].flatMap { Int($0.prefix { $0.isNumber }) }.flatMap {
            $0 > 0 ? $0 : nil
        }
    }

    /// `head` ends with its empty line.
    init(_ head: ResponseHead, _ text: String, body: [UInt8]) {
        status = head.status
        var fields: [String: String] = [:]
        for line in text.split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
        (self.fields, self.body) = (fields, body)
    }
}

final class LabLine: Sendable {
    private let socket: Descriptor
    private let server: LabServer

    /// No link of the lab is silent for so long.
    private static let patienceSeconds = 20
    private static let pieceBytes = 64 << 10

    /// From `network` on, or from that of this thread.
    init(to server: LabServer, from network: NetworkNamespace?) throws(LabFailure) {
        self.server = server
        let opened: Descriptor?
        do {
            opened =
                try network.map { network in
                    try network.inside { LabLine.open(server) }
                } ?? LabLine.open(server)
        } catch {
            throw .network("no way into a network of the lab: \(error)")
        }
        guard let opened else { throw .broken }
        socket = opened
    }

    deinit { OpenFile.close(socket) }

    /// Nil: nobody answers, or the link was cut amid it.
    private static func open(_ server: LabServer) -> Descriptor? {
        try? Connection.open(
            to: server.address, port: server.port, congestionControl: server.congestionControl,
            patienceSeconds: patienceSeconds)
    }

    /// Sends a request and answers what comes back. `fields` are whole lines.
    func ask(
        _ method: String, _ target: String, _ fields: [String] = [], _ content: ArraySlice<UInt8>
    ) throws(LabFailure) -> LabAnswer {
        let lines = [
            "\(method) \(target) HTTP/1.1", "Host: lab", "User-Agent: millrace-bench",
            "Authorization: Bearer \(server.token)", "Content-Length: \(content.count)",
        ]
        let head = (lines + fields).map { $0 + "\r\n" }.joined() + "\r\n"
        do throws(KernelError) {
            try Connection.send(Array(head.utf8), to: socket)
            var sent = content.startIndex
            while sent < content.endIndex {
                let end = min(sent + LabLine.pieceBytes, content.endIndex)
                try Connection.send(Array(content[sent..<end]), to: socket)
                sent = end
            }
        } catch {
            throw .broken
        }
        return try answer(hasBody: method != "HEAD")
    }

    private func answer(hasBody: Bool) throws(LabFailure) -> LabAnswer {
        var bytes: [UInt8] = []
        while true {
            let head: ResponseHead?
            do throws(BadResponse) { head = try ResponseHead.read(bytes.span) } catch {
                throw .response(error)
            }
            guard let head else {
                try receive(into: &bytes, LabLine.pieceBytes)
                continue
            }
            let end = head.headCount + (hasBody ? head.contentLength : 0)
            while bytes.count < end { try receive(into: &bytes, end - bytes.count) }
            let text = String(decoding: bytes[..<head.headCount], as: UTF8.self)
            return LabAnswer(head, text, body: Array(bytes[head.headCount..<end]))
        }
    }

    private func receive(into bytes: inout [UInt8], _ countMax: Int) throws(LabFailure) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: min(countMax, 1 << 20))
        let count: Int
        do throws(KernelError) {
            count = try Connection.receive(into: &bytes, start..<bytes.count, of: socket)
        } catch {
            throw .broken
        }
        guard count > 0 else { throw .broken }
        bytes.removeLast(bytes.count - start - count)
    }
}
