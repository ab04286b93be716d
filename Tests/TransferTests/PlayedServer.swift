// A server that answers what a test wants, request by request, and remembers what it was asked.

import Foundation
import Glibc
import Synchronization

final class PlayedServer: Sendable {
    enum Step: Sendable {
        /// Reads the whole request, unless it waits for 100, and answers.
        case answer(String)
        /// Invites the body, reads it, and answers.
        case inviteThen(String)
        /// Ends the connection behind the head.
        case drop
        /// The same, once the body was invited and its first bytes have come.
        case dropInBody
    }

    let port: UInt16
    private let listener: Int32
    private let steps: Mutex<[Step]>
    private let asked = Mutex<[String]>([])

    init(_ steps: [Step]) throws {
        self.steps = Mutex(steps)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = unsafe withUnsafeMutablePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                unsafe bind(descriptor, place, size) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, place, &size) == 0
            }
        }
        guard status else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [self] in serve() }
        thread.start()
    }

    /// Ends the thread with its next accept.
    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// The heads that came, in their order.
    var heads: [String] { asked.withLock { $0 } }

    private func serve() {
        while true {
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { break }
            while let head = readHead(peer), let step = nextStep(), play(step, head, peer) {}
            _ = Glibc.close(peer)
        }
        _ = Glibc.close(listener)
    }

    private func nextStep() -> Step? {
        steps.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Whether the connection goes on.
    private func play(_ step: Step, _ head: String, _ peer: Int32) -> Bool {
        asked.withLock { $0.append(head) }
        switch step {
        case .answer(let text):
            if !head.contains("Expect:") { readBody(of: head, peer) }
            write(text, peer)
            return !text.contains("Connection: close")
        case .inviteThen(let text):
            write("HTTP/1.1 100 Continue\r\n\r\n", peer)
            readBody(of: head, peer)
            write(text, peer)
            return true
        case .drop: return false
        case .dropInBody:
            write("HTTP/1.1 100 Continue\r\n\r\n", peer)
            _ = readByte(peer)
            return false
        }
    }

    private func readHead(_ peer: Int32) -> String? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = readByte(peer) else { return nil }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func readBody(of head: String, _ peer: Int32) {
        guard let place = head.range(of: "Content-Length: ") else { return }
        var left = Int(head[place.upperBound...].prefix { $0.isNumber }) ?? 0
        while left > 0, readByte(peer) != nil { left -= 1 }
    }

    private func readByte(_ peer: Int32) -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = unsafe recv(peer, &byte, 1, 0)
            if count < 0, errno == EINTR { continue }
            return count == 1 ? byte : nil
        }
    }

    private func write(_ text: String, _ peer: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
