/// The simulated disk's page cache: which blocks buffered reads have left in memory.

public import IO

extension SimulatedDisk {
    /// What sendfile(2) would take from there: nil if the test finds that some of it is not in
    /// memory, less than `count` bytes where the file ends.
    public func cached(
        _ file: Descriptor, offset: UInt64, count: UInt32, test: ResidencyTest
    ) -> [UInt8]? {
        guard let open = openFiles[file.number], let content = visible.files[open.path]
        else { return [] }
        let blockBytes = UInt64(DiskImage.blockBytes)
        let end = offset + UInt64(count)
        let blocks = offset / blockBytes..<(end + blockBytes - 1) / blockBytes
        let resident = residentBlocks[open.path] ?? []
        if test != .none, !blocks.allSatisfy(resident.contains) { return nil }
        var bytes: [UInt8] = []
        for number in blocks {
            let from = max(offset, number * blockBytes) - number * blockBytes
            let last = min(end, content.byteCount, (number + 1) * blockBytes)
            guard last > number * blockBytes + from else { break }
            let to = last - number * blockBytes
            let block = content.blocks[number] ?? []
            if block.isEmpty {
                bytes += [UInt8](repeating: 0, count: Int(to - from))
            } else {
                bytes += block[Int(from)..<Int(to)]
            }
        }
        return bytes
    }

    /// Brings pages into memory on their way into a pipe.
    func fill(
        _ pipe: Descriptor, _ file: Descriptor, _ offset: UInt64, _ count: UInt32
    ) -> Int32 {
        guard let open = openFiles[file.number], let content = visible.files[open.path],
            let reading = pipeReaders[pipe.number]
        else { return -KernelError.badDescriptor.code }
        guard offset < content.byteCount else { return 0 }
        let moved = min(UInt64(count), content.byteCount - offset)
        noteRead(open, offset, moved)
        piped[reading, default: []] +=
            cached(file, offset: offset, count: UInt32(moved), test: .none) ?? []
        return Int32(moved)
    }

    /// Puts a pipe's two descriptors at `ends`.
    func openPipe(_ count: UInt32, _ ends: Region, _ arena: Arena) -> Int32 {
        let pair = [0, 4].map { position in
            let end = newDescriptor(OpenFile(path: "", isDirect: false, isDirectory: false))
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: end >> ($0 * 8)) }
            arena.copy(bytes.span, to: ends.part(from: position, count: 4))
            return end
        }
        pipeReaders[pair[1]] = pair[0]
        piped[pair[0]] = []
        return Int32(count)
    }

    /// The first bytes in a pipe, which stay there; nil if it is none.
    public func inPipe(_ pipe: Descriptor, count: UInt32) -> [UInt8]? {
        piped[pipe.number].map { Array($0.prefix(Int(count))) }
    }

    /// Takes bytes out of a pipe; answers how many there were.
    @discardableResult public func dropPiped(_ pipe: Descriptor, count: UInt32) -> Int32 {
        guard let there = piped[pipe.number] else { return -KernelError.badDescriptor.code }
        guard !there.isEmpty else { return -KernelError.wouldBlock.code }
        piped[pipe.number] = Array(there.dropFirst(Int(count)))
        return Int32(min(there.count, Int(count)))
    }

    func noteRead(_ open: OpenFile, _ offset: UInt64, _ count: UInt64) {
        guard !open.isDirect, count > 0 else { return }
        let blocks = offset / 4096...(offset + count - 1) / 4096
        residentBlocks[open.path, default: []].formUnion(blocks)
    }

    /// Direct writes push cached pages out; so does advice.
    func dropCached(_ path: String, _ offset: UInt64, _ count: UInt64) {
        guard count > 0 else { return }
        let blocks = offset / 4096...(offset + count - 1) / 4096
        residentBlocks[path]?.subtract(blocks)
    }
}
