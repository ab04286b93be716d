/// Which listener takes a new connection: the one of the core on whose CPU its packets arrive.
///
/// The kernel asks a small program (SO_ATTACH_REUSEPORT_CBPF, socket(7); Linux 4.5) that runs on
/// the CPU which the network card's queue interrupts. Packets of that connection are then handled
/// where it is served. A CPU without a core of ours leaves the choice to the kernel's hash.

import CMachine
import IO

enum ListenerSteering {
    /// One instruction of classic BPF (struct sock_filter, <linux/filter.h>).
    struct Instruction: Equatable {
        let code: UInt16
        let constant: UInt32
        /// How many instructions are passed over if the comparison fails.
        var ifFalse: UInt8 = 0

        static let loadWord: UInt16 = 0x20  // BPF_LD | BPF_W | BPF_ABS
        static let isEqual: UInt16 = 0x15  // BPF_JMP | BPF_JEQ | BPF_K
        static let answer: UInt16 = 0x06  // BPF_RET | BPF_K
        /// Where the running CPU's number is read: SKF_AD_OFF + SKF_AD_CPU.
        static let cpuNumber = UInt32(bitPattern: -0x1000 + 36)
    }

    /// Answers the position of the running CPU in `cpus`; for others a number that no listener has.
    static func program(cpus: [Int]) -> [Instruction] {
        precondition(cpus.count <= Topology.coresMax, "the kernel takes 4,096 instructions")
        var program = [Instruction(code: Instruction.loadWord, constant: Instruction.cpuNumber)]
        for (index, cpu) in cpus.enumerated() {
            program.append(
                Instruction(code: Instruction.isEqual, constant: UInt32(cpu), ifFalse: 1))
            program.append(Instruction(code: Instruction.answer, constant: UInt32(index)))
        }
        program.append(Instruction(code: Instruction.answer, constant: .max))
        return program
    }

    /// Steers to `sockets`, which are all that listen on their port, in the order in which they
    /// were opened: each runs on the CPU at its position in `cpus`.
    static func attach(_ sockets: [Descriptor], cpus: [Int]) throws(KernelError) {
        precondition(sockets.count == cpus.count, "each listener has one CPU")
        let program = program(cpus: cpus).map {
            cmachine_instruction(
                code: $0.code, if_true: 0, if_false: $0.ifFalse, constant: $0.constant)
        }
        let status = unsafe cmachine_steer(sockets[0].number, program, program.count)
        if let error = KernelError(result: status) { throw error }
    }

    /// The same for a server that goes on without.
    static func attach(_ sockets: [Descriptor], cpus: [Int], _ journal: Journal) {
        do { try attach(sockets, cpus: cpus) } catch {
            journal.warning(
                "connections cannot be steered by CPU; they are spread by the kernel's hash",
                [("errno", "\(error.code)")])
        }
    }
}
