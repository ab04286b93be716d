/// The file that uploads send from: in the page cache, and different for every upload.

import BenchMachine
import BenchMeasure
public import IO

public struct SourceFile: Sendable {
    public let file: Descriptor
    public let count: Int
    private let pattern: BodyPattern

    private static let blockCount = 1 << 20
    /// Bodies start at multiples of this, so that neither side copies parts of pages.
    private static let bodyAlignment = 4 << 10

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

    /// Where the body of object `number` stands: one page further for each, round and round.
    public func part(of number: UInt64, count bodyCount: Int) -> FilePart {
        precondition(bodyCount > 0 && bodyCount <= count, "a body longer than the source")
        let placeCount = UInt64((count - bodyCount) / SourceFile.bodyAlignment + 1)
        let offset = Int(number % placeCount) * SourceFile.bodyAlignment
        return FilePart(file: file, offset: offset, count: bodyCount)
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

/// A part of a file that is a body.
public struct FilePart: Equatable, Sendable {
    public let file: Descriptor
    public let offset: Int
    public let count: Int
}
