/// Leases that end with the scope: `let buffer = await memory.buffer(n)`, then `defer` giving back.

import IO
import Loop

extension CoreMemory {
    /// A buffer of at least `count` bytes, its lease laid down; to be given back once.
    func buffer(_ count: Int) async -> Region { await lease(count).detach() }

    func giveBack(buffer: Region) { giveBack(BufferLease(attaching: buffer)) }
}
