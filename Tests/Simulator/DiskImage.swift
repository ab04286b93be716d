/// What a simulated disk holds: named files of 4 KiB blocks. Copies share their blocks.
public struct DiskImage: Sendable {
    public static let blockBytes = 4096

    public struct File: Sendable {
        /// Blocks that were written; the others read as zeros. Empty stands for a block of zeros.
        public var blocks: [UInt64: [UInt8]] = [:]
        public var byteCount: UInt64 = 0

        public init() {}
    }

    /// By path, relative to the directory that the simulated program was given.
    public var files: [String: File] = [:]
    /// Files whose contents are safe and whose names are not yet.
    var nameless: [String: File] = [:]

    public init() {}

    mutating func withFile(_ path: String, _ change: (inout File) -> Void) {
        if files[path] != nil {
            change(&files[path, default: File()])
        } else {
            change(&nameless[path, default: File()])
        }
    }

    /// The bytes of a file, for tests that look at the disk behind the store's back.
    public func bytes(_ path: String, offset: UInt64, count: Int) -> [UInt8] {
        var answer: [UInt8] = []
        for position in offset..<(offset + UInt64(count)) {
            let block = files[path]?.blocks[position / 4096] ?? []
            answer.append(block.isEmpty ? 0 : block[Int(position % 4096)])
        }
        return answer
    }

    /// Overwrites bytes of a file, as decay or malice would.
    public mutating func overwrite(_ path: String, offset: UInt64, with bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            let position = offset + UInt64(index)
            var block = files[path]?.blocks[position / 4096] ?? []
            if block.isEmpty { block = Array(repeating: 0, count: DiskImage.blockBytes) }
            block[Int(position % 4096)] = byte
            files[path]?.blocks[position / 4096] = block
        }
    }
}
