// Goal:   what is asked of a link, and said of how a socket sends, is what the kernel does.
// Method: pairs on loopback; options are read back; what is no TCP socket refuses.

import Glibc
import IO
import Testing
import Uring

@Suite struct `What a socket says of its link` {
    @Test func `fills the region, as far as the kernel and the region go`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        try pair.right.write(pattern(1000))
        _ = try pair.left.readWhole(1000)
        let target = Region(offset: 4096, count: 512)
        let count = try asker.ask(.linkInfo(socket: pair.left.descriptor, target: target))
        // Linux 6.1 has 240.
        #expect(count >= 240 && count < 512)
        let bytes = asker.bytes(target)
        #expect(bytes[0] == 1)  // TCP_ESTABLISHED
        let received = (0..<8).reduce(0) { $0 | Int(bytes[128 + $1]) << (8 * $1) }
        #expect(received == 1000)
        asker.arena.zero(target)
        let short = try asker.ask(
            .linkInfo(socket: pair.left.descriptor, target: target.part(from: 0, count: 100)))
        #expect(short == 100)
        #expect(asker.bytes(target)[100...].allSatisfy { $0 == 0 })
    }

    @Test func `is an error of what is no TCP connection`() throws {
        var asker = try Asker()
        let target = Region(offset: 0, count: 512)
        let local = try Pair.local()
        let answer = try asker.ask(.linkInfo(socket: local.left.descriptor, target: target))
        #expect(KernelError(result: answer) == .notSupported)
        let none = try asker.ask(.linkInfo(socket: notOpen, target: target))
        #expect(KernelError(result: none) == .badDescriptor)
    }
}

@Suite struct `A socket's tuning` {
    private func option<Value: BitwiseCopyable>(
        _ socket: Owned, _ level: Int32, _ name: Int32, _ value: Value
    ) -> Value {
        var value = value
        var size = socklen_t(MemoryLayout<Value>.size)
        let result = unsafe getsockopt(socket.number, level, name, &value, &size)
        #expect(result == 0)
        return value
    }

    private func congestionControl(_ socket: Owned) -> String {
        var name = [UInt8](repeating: 0, count: 16)
        var size = socklen_t(name.count)
        let (level, option) = (Int32(IPPROTO_TCP), Int32(13))  // TCP_CONGESTION
        let result = unsafe getsockopt(socket.number, level, option, &name, &size)
        #expect(result == 0)
        return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test func `is what the kernel then has`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let socket = pair.left.descriptor
        let lowWater = { self.option(pair.left, Int32(IPPROTO_TCP), 25, UInt32(7)) }
        #expect(try asker.ask(.tune(socket: socket, option: .unsentBytesMax(131_072))) == 0)
        #expect(lowWater() == 131_072)
        #expect(try asker.ask(.tune(socket: socket, option: .unsentBytesMax(0))) == 0)
        #expect(lowWater() == 0)
        let pace = { self.option(pair.left, SOL_SOCKET, 47, UInt64(7)) }
        #expect(
            try asker.ask(.tune(socket: socket, option: .pacing(bytesPerSecond: 5_000_000_000)))
                == 0)
        #expect(pace() == 5_000_000_000)
        #expect(try asker.ask(.tune(socket: socket, option: .pacing(bytesPerSecond: nil))) == 0)
        #expect(pace() == .max)
        // Every kernel has this one, and lets everybody choose it.
        #expect(try asker.ask(.tune(socket: socket, option: .congestionControl(.reno))) == 0)
        #expect(congestionControl(pair.left) == "reno")
    }

    @Test func `is refused where there is nothing to tune`() throws {
        var asker = try Asker()
        let local = try Pair.local()
        for option in [
            .unsentBytesMax(1), .pacing(bytesPerSecond: 1), .congestionControl(.reno),
        ] as [SocketOption] {
            let none = try asker.ask(.tune(socket: notOpen, option: option))
            #expect(KernelError(result: none) == .badDescriptor)
        }
        for option in [.unsentBytesMax(1), .congestionControl(.reno)] as [SocketOption] {
            let answer = try asker.ask(.tune(socket: local.left.descriptor, option: option))
            #expect(KernelError(result: answer) == .notSupported)
        }
    }
}
