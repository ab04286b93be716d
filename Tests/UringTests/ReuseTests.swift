// Goal:   what was asked for one socket never reaches the next one that gets its number.
// Method: a number of our own, so that nothing else in this process can take it in between.

import Glibc
import IO
import Testing
import Uring

@Suite struct `A descriptor's number` {
    /// The highest that is free: the kernel gives out the lowest, and the tests beside this one may
    /// have hundreds.
    private static let number: Int32 = {
        var limit = rlimit()
        let status = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        precondition(status == 0, "there is no limit of descriptors")
        var number = Int32(min(limit.rlim_cur, 1 << 16)) - 1
        while fcntl(number, F_GETFD) >= 0 { number -= 1 }
        return number
    }()

    /// Puts one end of a new pair at the number and answers the other end.
    private func connect() throws -> Owned {
        var ends: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let status = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe socketpair(
                AF_UNIX, type, 0, bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        guard status == 0 else { throw KernelError(code: errno) }
        let near = try Owned(ends.0)
        let far = try Owned(ends.1)
        guard dup2(near.number, `A descriptor's number`.number) >= 0 else {
            throw KernelError(code: errno)
        }
        return far
    }

    @Test func `may be used again as soon as it is closed`() throws {
        var asker = try Asker()
        let number = Descriptor(`A descriptor's number`.number)
        for _ in 0..<300 {
            let first = try connect()
            let ended = asker.start(.shutdown(socket: number, direction: .both))
            let closed = asker.start(.close(number))
            let early = try asker.settle()
            let second = try connect()
            for token in [ended, closed] where !early.contains(where: { $0.token == token }) {
                #expect(try asker.result(of: token) == 0)
            }
            #expect(try first.read(1).isEmpty)
            let sent = unsafe send(second.number, [UInt8(1)], 1, Int32(MSG_NOSIGNAL))
            #expect(sent == 1, "the shutdown reached the socket's successor")
            #expect(try asker.ask(.close(number)) == 0)
        }
    }
}
