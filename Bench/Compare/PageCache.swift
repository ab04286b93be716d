// Makes sure that no page of memory is new to the servers.

import BenchLoad
import BenchMachine
import BenchMeasure
import IO

/// Fills the page cache before uploads are compared.
///
/// In a virtual machine a page that was never used, or that was free long enough to be given back,
/// costs a fault in the host when it is next written: measured, 2.8 CPU-seconds a GiB instead of
/// 0.4. Only servers that write through the page cache pay that, and only until memory has been
/// used once; a server that has run for a day has no such pages. So the bench uses them up.
enum PageCache {
    private static let chunkCount = 1 << 20

    /// Reads a hole as large as free memory into the page cache, where it may be evicted again.
    /// `path` is a new file on a file system that has holes.
    static func fill(by path: String) throws {
        let status = TextFile.read("/proc/meminfo") ?? ""
        guard let free = ProcessText.bytes(of: "MemFree", status: status) else {
            throw BenchError("/proc/meminfo does not say MemFree")
        }
        let count = free + (1 << 30)
        say("filling the page cache with \(count >> 30) GiB, so that no page is new to uploads")
        try Command.run("truncate", ["-s", "\(count)", path])
        let file = try OpenFile.open(path)
        defer { OpenFile.close(file) }
        var bytes = [UInt8](repeating: 0, count: chunkCount)
        var offset = 0
        while offset < count {
            let got = try OpenFile.read(file, at: offset, into: &bytes)
            guard got > 0 else { return }
            offset += got
        }
    }
}
