/// Maps the memory that becomes a core's arena.

import Glibc
public import IO

public enum ArenaMemory {
    /// Anonymous memory of `count` bytes aligned to 2 MiB, in huge pages where the kernel has
    /// them. It is never unmapped. `prepare` sees it before its first page is touched, which is
    /// when it can still be bound to a NUMA node.
    public static func map(
        count: Int, prepare: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
    ) throws(KernelError) -> Arena {
        let huge = 2 << 20
        let wanted = (count + huge - 1) / huge * huge
        let start = unsafe mmap(
            nil, wanted + huge, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe start != MAP_FAILED, let start = unsafe start else {
            throw KernelError(code: errno)
        }
        let aligned = unsafe start.alignedUp(toMultipleOf: huge)
        let memory = unsafe UnsafeMutableRawBufferPointer(start: aligned, count: count)
        unsafe prepare(memory)
        // Advice only: small pages work as well.
        _ = unsafe madvise(aligned, wanted, MADV_HUGEPAGE)
        return unsafe Arena(memory)
    }
}

extension UnsafeMutableRawPointer {
    fileprivate func alignedUp(toMultipleOf alignment: Int) -> UnsafeMutableRawPointer {
        let address = UInt(bitPattern: self)
        let mask = UInt(alignment - 1)
        return unsafe self + Int(((address + mask) & ~mask) - address)
    }
}
