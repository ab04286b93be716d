/// Objects of the source file, one at a time over one connection by blocking calls: what is done
/// before and after the timed rounds.

import BenchMachine
public import BenchMeasure
import IO

public struct LargeTransfer: ~Copyable {
    private let socket: Descriptor
    private var text: RequestText
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private static let comparesMax = 1 << 20

    /// Connects to `server`.
    public init(to server: ServedAddress, names: ObjectNames) throws(LoadFailure) {
        let text = try RequestText(names: names, secret: server.secret)
        let socket = try LoadFailure.during("connect") { () throws(KernelError) in
            try server.connect()
        }
        self.text = text
        self.socket = socket
    }

    deinit { OpenFile.close(socket) }

    /// Deletes object `number`, by the token if the server asks for one.
    public mutating func delete(_ number: UInt64, token: String?) throws(LoadFailure) {
        try delete(text.names.path(number), token: token)
    }

    /// The same by its path.
    public mutating func delete(_ path: String, token: String?) throws(LoadFailure) {
        try send(LargeTransfer.request("DELETE", path, token: token))
        let head = try receiveHead().head
        guard head.status == 204 else { throw .status(head.status, of: path) }
    }

    /// What is found at `path`, whole.
    public mutating func fetch(_ path: String, token: String?) throws(LoadFailure) -> [UInt8] {
        try send(LargeTransfer.request("GET", path, token: token))
        let (head, received) = try receiveHead()
        guard head.status == 200 else { throw .status(head.status, of: path) }
        var body = Array(buffer[head.headCount..<received])
        while body.count < head.contentLength {
            let count = try LargeTransfer.receive(socket, into: &buffer, 0..<buffer.count)
            body += buffer[..<count]
        }
        guard body.count == head.contentLength else { throw .lengthChanged(of: path) }
        return body
    }

    private static func request(_ method: String, _ path: String, token: String?) -> [UInt8] {
        let field = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return Array("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(field)\r\n".utf8)
    }

    /// Downloads object `number` and compares every byte with its part of `source`.
    public mutating func compare(
        _ number: UInt64, bodyCount: Int, with source: SourceFile
    ) throws(LoadFailure) {
        let request = requestBytes { text, output in text.appendGet(number, to: &output) }
        let part = source.part(of: number, count: bodyCount)
        try compare(request, status: 200, part, of: text.names.path(number), with: source)
    }

    /// Downloads what is found at `path` and compares it with `part` of `source`.
    public mutating func compare(
        _ path: String, token: String, with part: FilePart, of source: SourceFile
    ) throws(LoadFailure) {
        let request = LargeTransfer.request("GET", path, token: token)
        try compare(request, status: 200, part, of: path, with: source)
    }

    /// Downloads `range` of object `number` and compares it with what stands there in `source`.
    public mutating func compare(
        _ number: UInt64, bodyCount: Int, range: Range<Int>, with source: SourceFile
    ) throws(LoadFailure) {
        let request = requestBytes { text, output in
            text.appendGet(number, from: range.lowerBound, count: range.count, to: &output)
        }
        let whole = source.part(of: number, count: bodyCount)
        let part = FilePart(
            file: whole.file, offset: whole.offset + range.lowerBound, count: range.count)
        try compare(request, status: 206, part, of: text.names.path(number), with: source)
    }

    private mutating func compare(
        _ request: [UInt8], status: Int, _ part: FilePart, of path: String,
        with source: SourceFile
    ) throws(LoadFailure) {
        var (rest, held) = try ask(request, status: status, count: part.count, path: path)
        let comparesCount = min(LargeTransfer.comparesMax, part.count)
        var expected = [UInt8](repeating: 0, count: comparesCount)
        var actual = [UInt8](repeating: 0, count: comparesCount)
        actual.replaceSubrange(0..<held.count, with: held)
        var (offset, filled) = (0, held.count)
        held = []
        while offset < part.count {
            let wanted = min(comparesCount, part.count - offset)
            while filled < wanted {
                let count = try LargeTransfer.receive(socket, into: &actual, filled..<wanted)
                (filled, rest) = (filled + count, rest - count)
            }
            let got = try source.read(into: &expected, at: part.offset + offset)
            guard got >= wanted, actual[..<wanted] == expected[..<wanted] else {
                throw .wrongBody(of: path)
            }
            (offset, filled) = (offset + wanted, 0)
        }
        guard rest == 0 else { throw .lengthChanged(of: path) }
    }

    /// Sends the GET and reads the head. Answers the bytes still to come and those that came with
    /// the head.
    private mutating func ask(
        _ request: [UInt8], status: Int, count: Int, path: String
    ) throws(LoadFailure) -> (rest: Int, held: [UInt8]) {
        try send(request)
        let (head, received) = try receiveHead()
        guard head.status == status else { throw .status(head.status, of: path) }
        guard head.contentLength == count, received - head.headCount <= count else {
            throw .lengthChanged(of: path)
        }
        let held = Array(buffer[head.headCount..<received])
        return (count - held.count, held)
    }

    /// Receives until a head is whole. Answers it and how many bytes arrived in all.
    private mutating func receiveHead() throws(LoadFailure) -> (head: ResponseHead, received: Int) {
        var received = 0
        while true {
            received += try LargeTransfer.receive(socket, into: &buffer, received..<(4 << 10))
            do throws(BadResponse) {
                if let head = try ResponseHead.read(buffer.span.extracting(0..<received)) {
                    return (head, received)
                }
            } catch {
                throw .response(error)
            }
        }
    }

    private static func receive(
        _ socket: Descriptor, into bytes: inout [UInt8], _ range: Range<Int>
    ) throws(LoadFailure) -> Int {
        let count: Int
        do { count = try Connection.receive(into: &bytes, range, of: socket) } catch {
            throw .kernel(error, during: "receive")
        }
        guard count > 0 else { throw .closed(during: "a response") }
        return count
    }

    private func send(_ bytes: [UInt8]) throws(LoadFailure) {
        do { try Connection.send(bytes, to: socket) } catch {
            throw .kernel(error, during: "send")
        }
    }

    private mutating func requestBytes(
        _ write: (inout RequestText, inout OutputSpan<UInt8>) -> Void
    ) -> [UInt8] {
        [UInt8](capacity: 1 << 10) { write(&text, &$0) }
    }
}
