// The file that both sides read and overwrite.

import BenchMachine
import BenchMeasure
import Foundation
import IO

/// A file of written space without a name: however the bench ends, nothing stays behind.
struct EngineFile: ~Copyable {
    let byteCount: Int
    /// For reading and writing, O_DIRECT.
    let direct: Descriptor
    private static let stepBytes = 1 << 20

    /// Writes `byteCount` bytes that do not repeat, a multiple of 1 MiB, into a new file in
    /// `directory`, and waits until they are on the disk and no longer in memory.
    init(in directory: String, byteCount: Int) throws(EngineError) {
        let path = "\(directory)/engine-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        do throws(KernelError) {
            try EngineFile.fill(path, byteCount)
        } catch {
            throw EngineError("cannot write \(byteCount >> 20) MiB to \(path): errno \(error.code)")
        }
        do throws(KernelError) { direct = try OpenFile.openDirect(path) } catch {
            throw EngineError("\(directory) takes no direct I/O (errno \(error.code)): see --data")
        }
        self.byteCount = byteCount
    }

    deinit { OpenFile.close(direct) }

    /// Where other programs find it, for as long as it is open here.
    var path: String { "/proc/\(ProcessInfo.processInfo.processIdentifier)/fd/\(direct.number)" }

    private static func fill(_ path: String, _ byteCount: Int) throws(KernelError) {
        precondition(byteCount.isMultiple(of: stepBytes), "whole steps")
        let file = try OpenFile.create(path)
        defer { OpenFile.close(file) }
        let content = BodyPattern(seed: 1)
        for step in 0..<byteCount / stepBytes {
            let bytes = content.bytes(stepBytes, number: UInt64(step))
            try OpenFile.write(bytes, to: file, at: step * stepBytes)
        }
        try OpenFile.syncAll(file)
        _ = try OpenFile.dropPages(file)
    }
}
