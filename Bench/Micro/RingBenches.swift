// The ring's turn, without any work in it: what each system call costs at least.

import IO
import Uring

extension Microbench {
    static let rings: [Microbench] = [nops(1), nops(32), message]

    private static func nops(_ batch: Int) -> Microbench {
        Microbench("ring-nop-\(batch)", "a turn of the ring with \(batch) NOP") { _ in
            let ring = Owned(try openRing())
            return Work { count in
                ring.change { ring in
                    for _ in 0..<count {
                        for _ in 0..<batch { ring.enqueue(.nop, as: Token(.ignored)) }
                        turn(&ring, until: batch)
                    }
                }
            }
        }
    }

    private static let message = Microbench(
        "ring-message", "a message from one ring to another on the same thread, both turns"
    ) { _ in
        let target = try openRing()
        let descriptor = target.descriptor
        let (sender, receiver) = (Owned(try openRing()), Owned(target))
        return Work { count in
            sender.change { sender in
                receiver.change { receiver in
                    for _ in 0..<count {
                        sender.enqueue(
                            .message(ring: descriptor, token: Token(.message)), as: Token(.ignored))
                        // The sender hears of it only if it is refused.
                        turn(&sender, until: 0)
                        turn(&receiver, until: 1)
                    }
                }
            }
        }
    }

    private static func openRing() throws -> Ring {
        do { return try Ring(entries: 64, arena: makeArena(1 << 20)) } catch {
            throw MicroError("no ring: errno \(error.code)")
        }
    }

    /// Turns, until so many completions have come; does not wait for none.
    private static func turn(_ ring: inout Ring, until count: Int) {
        var seen = 0
        repeat {
            do throws(KernelError) {
                try ring.turn(sleeping: count > 0) { completion in
                    precondition(completion.result >= 0, "the ring refused")
                    seen += 1
                }
            } catch {
                preconditionFailure("the ring failed: errno \(error.code)")
            }
        } while seen < count
    }
}
