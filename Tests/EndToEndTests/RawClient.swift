// An HTTP client that sends exactly what a test wants, however wrong or slow, over one socket.

import Foundation
import Glibc
import Testing

final class RawClient {
    struct Response: Equatable {
        let status: Int
        /// Names in lower case.
        let fields: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let port: UInt16
    private var socket: Int32
    private var received: [UInt8] = []
    private var hasEnded = false

    /// Connects to 127.0.0.1. Waits of its own end after ten seconds.
    init(_ port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        self.port = port
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        socket = Glibc.socket(AF_INET, type, 0)
        guard socket >= 0 else { throw Problem("no socket: errno \(errno)") }
        if var bytes = receiveBufferBytes { set(SO_RCVBUF, &bytes) }
        var wait = timeval(tv_sec: 10, tv_usec: 0)
        set(SO_RCVTIMEO, &wait)
        set(SO_SNDTIMEO, &wait)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let (descriptor, size) = (socket, socklen_t(MemoryLayout<sockaddr_in>.size))
        let status = unsafe withUnsafePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, size)
            }
        }
        guard status == 0 else { throw Problem("cannot connect: errno \(errno)") }
    }

    deinit { close() }

    private func set<Value: BitwiseCopyable>(_ option: Int32, _ value: inout Value) {
        let size = socklen_t(MemoryLayout<Value>.size)
        let status = unsafe setsockopt(socket, SOL_SOCKET, option, &value, size)
        if status != 0 { Issue.record("setsockopt \(option): errno \(errno)") }
    }

    func close() {
        if socket >= 0 { _ = Glibc.close(socket) }
        socket = -1
    }

    /// Ends the connection with a reset, as a client does whose process was killed.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        set(SO_LINGER, &now)
        close()
    }

    func endSending() { shutdown(socket, Int32(SHUT_WR)) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        guard socket >= 0 else { throw Problem("closed") }
        var sent = 0
        while sent < bytes.count {
            let (descriptor, start) = (socket, sent)
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    descriptor, all.baseAddress! + start, all.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Problem("cannot send: errno \(errno)") }
            sent += count
        }
    }

    /// Takes what has come. False at the end of the stream.
    private func receiveMore() throws -> Bool {
        if hasEnded { return false }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let (descriptor, size) = (socket, buffer.count)
        let count = unsafe buffer.withUnsafeMutableBytes { target in
            unsafe receiveAgain(descriptor, target.baseAddress, size)
        }
        if count < 0 {
            if errno == ECONNRESET {
                hasEnded = true
                return false
            }
            throw Problem("cannot receive: errno \(errno), \(received.count) bytes so far")
        }
        hasEnded = count == 0
        received += buffer[..<count]
        return count > 0
    }

    /// The next response, interim ones included.
    func response(toHead: Bool = false) throws -> Response {
        let mark = Array("\r\n\r\n".utf8)
        while received.firstRange(of: mark) == nil {
            guard try receiveMore() else {
                throw Problem(
                    "the connection on \(port) ended within a head of \(received.count) bytes")
            }
        }
        guard let end = received.firstRange(of: mark) else { throw Problem("no head") }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        received.removeFirst(end.upperBound)
        guard lines[0].hasPrefix("HTTP/1.1 "), let status = Int(lines[0].dropFirst(9).prefix(3))
        else { throw Problem("a strange status line: \(lines[0])") }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstRange(of: ": ") else { throw Problem("a field: \(line)") }
            fields[line[..<colon.lowerBound].lowercased()] = String(line[colon.upperBound...])
        }
        let hasBody = !toHead && status >= 200 && status != 204 && status != 304
        let length = hasBody ? Int(fields["content-length"] ?? "0") ?? 0 : 0
        while received.count < length {
            guard try receiveMore() else {
                throw Problem("the connection ended \(length - received.count) bytes early")
            }
        }
        let body = Array(received[..<length])
        received.removeFirst(length)
        return Response(status: status, fields: fields, body: body)
    }

    /// Takes one piece of what has come, at most `count` bytes; for slow readers.
    func receivePiece(atMost count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let descriptor = socket
        let taken = unsafe buffer.withUnsafeMutableBytes { target in
            unsafe receiveAgain(descriptor, target.baseAddress, count)
        }
        guard taken >= 0 else { throw Problem("cannot receive: errno \(errno)") }
        return Array(buffer[..<taken])
    }

    func receive(atMost count: Int) throws -> Int { try receivePiece(atMost: count).count }

    /// Everything until the server ends the connection.
    func readToEnd() throws -> [UInt8] {
        while try receiveMore() {}
        return received
    }

    /// Whether the server ends the connection without another byte. A reset counts.
    func isClosedByServer() -> Bool {
        guard let more = try? receiveMore() else { return false }
        return !more && received.isEmpty
    }

    // MARK: Whole exchanges

    /// A request with a content that may be empty; answers the response.
    func exchange(
        _ method: String, _ target: String, fields: [String] = [], body: [UInt8]? = nil
    ) throws -> Response {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        if let body { head += "Content-Length: \(body.count)\r\n" }
        for field in fields { head += field + "\r\n" }
        try send(Array((head + "\r\n").utf8) + (body ?? []))
        return try response(toHead: method == "HEAD")
    }

    /// A signed upload of scheme `v`.
    func put(_ path: String, _ body: [UInt8], fields: [String] = []) throws -> Response {
        try exchange("PUT", Signing.v(path, body.count), fields: fields, body: body)
    }

    func get(_ path: String, _ fields: String...) throws -> Response {
        try exchange("GET", "/" + path, fields: fields)
    }

    func delete(_ path: String) throws -> Response {
        try exchange(
            "DELETE", "/" + path, fields: ["Authorization: Bearer \(RunningServer.adminToken)"])
    }
}

/// recv(2), again after a signal, which a socket with a time limit does not do itself (signal(7));
/// exit tests beside us bring SIGCHLD.
private func receiveAgain(_ socket: Int32, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
    while true {
        let taken = unsafe recv(socket, target, count, 0)
        if taken >= 0 || errno != EINTR { return taken }
    }
}
