/// The file that large uploads send: in the page cache, and different for every upload.

import BenchMachine
import BenchMeasure
public import IO

public struct SourceFile: Sendable {
    public let file: Descriptor
    public let count: Int
    private let pattern: BodyPattern

    private static let blockCount = 1 << 20
    /// So often a block of an upload's own stands in the file.
    private static let stampDistance = 64 << 20
    private static let stampCount = 4 << 10

    /// Makes the file at `path`; `count` is a whole number of MiB.
    public init(path: String, count: Int, seed: UInt64) throws(LoadFailure) {
        precondition(count > 0 && count.isMultiple(of: SourceFile.blockCount))
        self.count = count
        pattern = BodyPattern(seed: seed)
        file = try LoadFailure.during("making \(path)") { () throws(KernelError) in
            try OpenFile.create(path)
        }
        for block in 0..<count / SourceFile.blockCount {
            try write(SourceFile.blockCount, number: UInt64(block), at: block << 20)
        }
    }

    /// Makes the file's content that of upload `number`.
    public func stamp(_ number: UInt64) throws(LoadFailure) {
        for start in stride(from: 0, to: count, by: SourceFile.stampDistance) {
            try write(SourceFile.stampCount, number: ~number, at: start)
        }
    }

    /// Reads all of it, so that it is in the page cache.
    public func warm() throws(LoadFailure) {
        var bytes = [UInt8](repeating: 0, count: SourceFile.blockCount)
        for start in stride(from: 0, to: count, by: SourceFile.blockCount) {
            let got = try read(into: &bytes, at: start)
            guard got == bytes.count else { throw .lengthChanged(of: "the source file") }
        }
    }

    func read(into bytes: inout [UInt8], at offset: Int) throws(LoadFailure) -> Int {
        do { return try OpenFile.read(file, at: offset, into: &bytes) } catch {
            throw .kernel(error, during: "reading the source file")
        }
    }

    private func write(_ count: Int, number: UInt64, at offset: Int) throws(LoadFailure) {
        let bytes = pattern.bytes(count, number: number)
        do { try OpenFile.write(bytes, to: file, at: offset) } catch {
            throw .kernel(error, during: "writing the source file")
        }
    }
}
