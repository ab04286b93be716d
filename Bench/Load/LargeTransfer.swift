/// One large object at a time over one connection, by blocking calls that copy nothing: sendfile(2)
/// out, recv(MSG_TRUNC) in. What it costs is then mostly the server's.

import BenchMachine
public import BenchMeasure
import IO

public struct LargeTransfer: ~Copyable {
    private let socket: Descriptor
    private var text: RequestText
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private let comparesCount = 1 << 20

    /// Connects to `server`.
    public init(to server: Endpoint, names: ObjectNames) throws(LoadFailure) {
        let text = try RequestText(names: names, secret: server.secret)
        let socket = try LoadFailure.during("connect") { () throws(KernelError) in
            try server.connect()
        }
        self.text = text
        self.socket = socket
    }

    deinit { OpenFile.close(socket) }

    /// Uploads all of `source` as object `number`; the body goes out once the server asked for it.
    public mutating func put(_ number: UInt64, from source: SourceFile) throws(LoadFailure) {
        let path = text.names.path(number)
        let request = try requestBytes { text, output in
            text.appendPut(
                number, bodyCount: source.count, expectsContinue: true, to: &output)
        }
        try send(request)
        let invitation = try receiveHead().head
        guard invitation.status == 100 else { throw .status(invitation.status, of: path) }
        let socket = socket
        try LoadFailure.during("sendfile") { () throws(KernelError) in
            try Connection.sendFile(source.file, count: source.count, to: socket)
        }
        let (head, received) = try receiveHead()
        guard head.status == 201 else { throw .status(head.status, of: path) }
        var rest = head.headCount + head.contentLength - received
        while rest > 0 { rest -= try discard(upTo: rest) }
    }

    /// Downloads object `number` and counts its bytes.
    public mutating func get(_ number: UInt64, count: Int) throws(LoadFailure) {
        var rest = try ask(number, count: count).rest
        while rest > 0 { rest -= try discard(upTo: rest) }
        guard rest == 0 else { throw .lengthChanged(of: text.names.path(number)) }
    }

    /// Downloads object `number` and compares every byte with `source`.
    public mutating func compare(_ number: UInt64, with source: SourceFile) throws(LoadFailure) {
        let path = text.names.path(number)
        var (rest, held) = try ask(number, count: source.count)
        var expected = [UInt8](repeating: 0, count: comparesCount)
        var actual = [UInt8](repeating: 0, count: comparesCount)
        for index in 0..<held.count { actual[index] = held[index] }
        var (offset, filled) = (0, held.count)
        held = []
        while offset < source.count {
            let wanted = min(comparesCount, source.count - offset)
            while filled < wanted {
                let count = try LargeTransfer.receive(socket, into: &actual, filled..<wanted)
                (filled, rest) = (filled + count, rest - count)
            }
            let got = try source.read(into: &expected, at: offset)
            guard got == wanted, actual[..<wanted] == expected[..<wanted] else {
                throw .wrongBody(of: path)
            }
            (offset, filled) = (offset + wanted, 0)
        }
        guard rest == 0 else { throw .lengthChanged(of: path) }
    }

    /// Sends the GET and reads the head. Answers the bytes still to come and those that came with
    /// the head.
    private mutating func ask(
        _ number: UInt64, count: Int
    ) throws(LoadFailure) -> (rest: Int, held: [UInt8]) {
        let request = try requestBytes { text, output in text.appendGet(number, to: &output) }
        try send(request)
        let (head, received) = try receiveHead()
        let path = text.names.path(number)
        guard head.status == 200 else { throw .status(head.status, of: path) }
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

    private func discard(upTo count: Int) throws(LoadFailure) -> Int {
        let dropped: Int
        do { dropped = try Connection.discard(upTo: min(count, 1 << 30), of: socket) } catch {
            throw .kernel(error, during: "receive")
        }
        guard dropped > 0 else { throw .closed(during: "a body") }
        return dropped
    }

    private func send(_ bytes: [UInt8]) throws(LoadFailure) {
        do { try Connection.send(bytes, to: socket) } catch {
            throw .kernel(error, during: "send")
        }
    }

    private mutating func requestBytes(
        _ write: (inout RequestText, inout OutputSpan<UInt8>) -> Void
    ) throws(LoadFailure) -> [UInt8] {
        [UInt8](capacity: 1 << 10) { write(&text, &$0) }
    }
}
