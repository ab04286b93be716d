// Goal:   a blocking connection of the bench's clients lasts until its peer or its patience ends
//         it.
// Method: a signal amid a wait, with bytes behind it.

import Foundation
import Glibc
import IO
import Synchronization
import Testing

@testable import BenchMachine

@Suite struct `A blocking connection` {
    /// A thread that is no more is not.
    private func isAsleep(_ thread: String) -> Bool {
        let text = TextFile.read("/proc/\(thread)/stat") ?? ""
        return text.split(separator: ")").last?.hasPrefix(" S") ?? false
    }

    private func listening() throws -> (listener: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0 && listen(listener, 1) == 0)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(listener, $0, &size)
            }
        }
        try #require(status == 0)
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// A call with a timeout ends with EINTR, handler or not restarting: the kernel's rule.
    @Test func `is not ended by a signal`() throws {
        let (listener, port) = try listening()
        defer { close(listener) }
        signal(SIGURG) { _ in }
        defer { signal(SIGURG, SIG_DFL) }
        let line = try Connection.open(
            to: 0x7f00_0001, port: port, congestionControl: nil, patienceSeconds: 600)
        let peer = accept(listener, nil, nil)
        try #require(peer >= 0)
        defer { close(peer) }
        let receiver = Mutex<(name: String, handle: pthread_t)?>(nil)
        let outcome = Mutex<String?>(nil)
        Thread.detachNewThread {
            let name = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/thread-self")
            // Threads of this process block nearly all of them.
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGURG)
            _ = unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            receiver.withLock { $0 = (name ?? "none", pthread_self()) }
            var bytes = [UInt8](repeating: 0, count: 8)
            let end: String
            do {
                let count = try Connection.receive(into: &bytes, 0..<8, of: line)
                end = "\(count) \(bytes[0])"
            } catch { end = "\(error)" }
            outcome.withLock { $0 = end }
        }
        var thread: (name: String, handle: pthread_t)?
        while thread == nil { thread = receiver.withLock { $0 } }
        let (name, handle) = thread!
        // It sleeps until it is woken: in the receive, then, but for a moment before.
        for _ in 0..<20 where outcome.withLock({ $0 }) == nil {
            while !isAsleep(name), outcome.withLock({ $0 }) == nil {}
            _ = pthread_kill(handle, SIGURG)
            usleep(1000)
        }
        _ = unsafe send(peer, [7], 1, Int32(MSG_NOSIGNAL))
        while outcome.withLock({ $0 }) == nil { usleep(1000) }
        #expect(outcome.withLock { $0 } == "1 7")
        OpenFile.close(line)
    }
}
