// Makes sure that no page of memory is new to the servers.

import BenchLoad
import BenchMachine
import BenchMeasure
import IO

/// Keeps memory full before uploads are compared.
///
/// In a virtual machine a page that was never used, or that was free long enough to be given back,
/// costs a fault in the host when it is next written: measured, 2.8 CPU-seconds a GiB instead of
/// 0.4. Only servers that write through the page cache pay that, and only while much memory is
/// free; a server that has run for a day has no such pages. So the bench uses them up, with pages
/// of a file's hole, which may be evicted like any others.
final class PageCache {
    private let hole: Descriptor
    private let size: Int
    private var offset = 0

    private static let chunkCount = 1 << 20
    /// Less free memory than this is what the kernel keeps for itself.
    private static let freeBytesMax = 768 << 20
    private static let stepCount = 128 << 20

    /// `path` is a new file on a file system that has holes.
    init(path: String) throws {
        // So large that what was read an hour ago is not there any more when it comes round again.
        size = try PageCache.bytes(of: "MemTotal") * 4
        try Command.run("truncate", ["-s", "\(size)", path])
        hole = try OpenFile.open(path)
    }

    deinit { OpenFile.close(hole) }

    /// Reads as much as there is free memory.
    func fill() throws {
        let free = try PageCache.bytes(of: "MemFree")
        if free > 4 << 30 { say("filling the page cache with \(free >> 30) GiB") }
        // A memory limit below free memory recycles its own pages: once around is enough.
        var rest = free
        var bytes = [UInt8](repeating: 0, count: PageCache.chunkCount)
        while rest > 0, try PageCache.bytes(of: "MemFree") > PageCache.freeBytesMax {
            for _ in 0..<PageCache.stepCount / PageCache.chunkCount {
                _ = try OpenFile.read(hole, at: offset, into: &bytes)
                offset = (offset + PageCache.chunkCount) % size
            }
            rest -= PageCache.stepCount
        }
    }

    private static func bytes(of field: String) throws -> Int {
        let status = TextFile.read("/proc/meminfo") ?? ""
        guard let count = ProcessText.bytes(of: field, status: status) else {
            throw BenchError("/proc/meminfo does not say \(field)")
        }
        return count
    }
}
