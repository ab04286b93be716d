// Goal:   a connection comes to the core on whose CPU its packets are handled, or to any if there
//         is none; and a kernel that refuses to steer costs one warning.
// Method: the program is interpreted here; then the real kernel runs it, for threads on each CPU.

import Configuration
import Glibc
import IO
import Synchronization
import Testing

@testable import Runtime

private typealias Instruction = ListenerSteering.Instruction

/// What `program` answers on that CPU; nil if it does what it must not.
private func run(_ program: [Instruction], onCPU cpu: UInt32) -> UInt32? {
    var (next, word) = (0, UInt32.max)
    while next < program.count {
        let instruction = program[next]
        next += 1
        switch instruction.code {
        case Instruction.loadWord where instruction.constant == 0xffff_f024: word = cpu
        case Instruction.isEqual:
            if word != instruction.constant { next += Int(instruction.ifFalse) }
        case Instruction.answer: return instruction.constant
        default: return nil
        }
    }
    return nil
}

@Suite struct `The steering program` {
    @Test(arguments: [
        [0], [0, 1], [1, 0], [7, 3, 300, 0], Array(0..<256), Array((0..<256).reversed()),
    ])
    func `answers the position of each CPU, and none for others`(cpus: [Int]) {
        let program = ListenerSteering.program(cpus: cpus)
        for cpu in 0..<CPUSet.cpusMax {
            let expected = cpus.firstIndex(of: cpu).map { UInt32($0) } ?? .max
            if run(program, onCPU: UInt32(cpu)) != expected { Issue.record("CPU \(cpu)") }
        }
    }

    @Test func `fits into what the kernel takes`() {
        #expect(ListenerSteering.program(cpus: Array(0..<Topology.coresMax)).count <= 4096)
    }
}

@Suite(.serialized) struct `Steered listeners` {
    private func close(_ sockets: [Descriptor]) {
        for socket in sockets { _ = Glibc.close(socket.number) }
    }

    /// Which of `sockets` a connection came to that was made by a thread on `cpu`.
    private func arrival(_ sockets: [Descriptor], port: UInt16, fromCPU cpu: Int) throws -> Int? {
        let client = Mutex<Int32>(-1)
        try CoreThread.start(name: "client", cpu: cpu) {
            client.withLock { $0 = connectToLoopback(port) }
        }.join()
        defer { client.withLock { _ = Glibc.close($0) } }
        #expect(client.withLock { $0 } >= 0)
        var waiting = sockets.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&waiting, nfds_t(waiting.count), 10_000) == 1 else { return nil }
        guard let index = waiting.firstIndex(where: { $0.revents != 0 }) else { return nil }
        let accepted = accept(sockets[index].number, nil, nil)
        #expect(accepted >= 0)
        _ = Glibc.close(accepted)
        return index
    }

    @Test func `get the connections of their own CPU`() throws {
        let cpus = try Array(CPUSet.allowed().cpus.prefix(2).reversed())
        guard cpus.count == 2 else {
            print("SKIPPED: two CPUs cannot be told apart on a machine with one")
            return
        }
        let (sockets, address) = try Listening.open(.loopback(port: 0), count: 2)
        defer { close(sockets) }
        try ListenerSteering.attach(sockets, cpus: cpus)
        for round in 0..<40 {
            let index = round % 2
            let found = try arrival(sockets, port: address.port, fromCPU: cpus[index])
            #expect(found == index)
        }
    }

    @Test func `get those of CPUs without a core by the kernel's hash`() throws {
        let cpu = try CPUSet.allowed().cpus[0]
        let (sockets, address) = try Listening.open(.loopback(port: 0), count: 2)
        defer { close(sockets) }
        try ListenerSteering.attach(sockets, cpus: [8000, 8001])
        var seen: Set<Int> = []
        // All to one: once in 2^63 times.
        for _ in 0..<64 {
            if let index = try arrival(sockets, port: address.port, fromCPU: cpu) {
                seen.insert(index)
            }
        }
        #expect(seen == [0, 1])
    }

    @Test func `that the kernel does not steer cost one warning`() {
        let lines = Mutex<[String]>([])
        let journal = Journal { level, message, fields in
            lines.withLock { $0.append("\(level) \(message) \(fields)") }
        }
        ListenerSteering.attach([Descriptor(-1)], cpus: [0], journal)
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        #expect(written.first?.hasPrefix("warning connections cannot be steered") == true)
        #expect(written.first?.contains("\"\(EBADF)\"") == true)
    }
}

private func connectToLoopback(_ port: UInt16) -> Int32 {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafePointer(to: &address) { place in
        unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(client, $0, size)
        }
    }
    if status == 0 { return client }
    _ = Glibc.close(client)
    return -1
}
