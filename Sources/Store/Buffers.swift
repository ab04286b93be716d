/// Leases that end with the scope: `let buffer = await memory.buffer(n)`, then `defer` giving back.

import IO
import Loop

extension CoreMemory {
    /// A buffer of at least `count` bytes, its lease laid down; to be given back once. For the
    /// store's own reads and writes, which wait for nothing but the disk.
    func buffer(_ count: Int) async -> Region { await leaseNested(count).detach() }

    func giveBack(buffer: Region) { giveBack(BufferLease(attaching: buffer)) }
}
