/// Files that are nothing but memory, and never fail: the disk of a played server.

import Glibc
import IO

@safe
final class MemoryDisk {
    @safe private struct File {
        let path: String
        let memory: UnsafeMutableRawPointer
        var byteCount: UInt64 = 0
    }

    /// A volume can be as large as this.
    static let fileBytesMax = 256 << 20
    private static let firstDescriptor: Int32 = 1_000
    private static let createFlag: UInt64 = 0o100

    private var files: [File] = []
    /// The file behind each descriptor; nil behind a directory's.
    private var opened: [Int?] = []

    /// What the kernel would answer; nothing is allocated once the files are open.
    func perform(_ operation: Operation, _ arena: Arena) -> Int32 {
        switch operation {
        case .open(_, let path, let flags, _): return open(path, flags, arena)
        case .measure(let file): return Int32(files[index(file)].byteCount / 4096)
        case .allocate(let file, let offset, let count):
            let end = offset + count
            precondition(end <= UInt64(MemoryDisk.fileBytesMax), "the volume is larger than that")
            files[index(file)].byteCount = max(files[index(file)].byteCount, end)
            return 0
        case .read(let file, let offset, let target):
            precondition(offset + UInt64(target.count) <= files[index(file)].byteCount)
            let source = unsafe files[index(file)].memory + Int(offset)
            unsafe memcpy(arena.address(of: target), source, Int(target.count))
            return Int32(target.count)
        case .write(let file, let offset, let source):
            precondition(offset + UInt64(source.count) <= files[index(file)].byteCount)
            let target = unsafe files[index(file)].memory + Int(offset)
            unsafe memcpy(target, arena.address(of: source), Int(source.count))
            return Int32(source.count)
        case .sync, .close, .dropCached, .nop: return 0
        case .accept, .receive, .receiveInto, .send, .sendPair, .sendFile, .sendPipe, .cork,
            .sendZeroCopy, .splice, .openPipe, .discard, .poll, .incomingQueue,
            .peerAddress, .resetOnClose, .shutdown, .threadTime, .timeout, .cancel, .message,
            .dropReceived, .linkInfo, .tune:
            preconditionFailure("a disk knows nothing of \(operation)")
        }
    }

    private func index(_ descriptor: Descriptor) -> Int {
        guard let index = opened[Int(descriptor.number - MemoryDisk.firstDescriptor)] else {
            preconditionFailure("a directory is no file")
        }
        return index
    }

    private func open(_ region: Region, _ flags: UInt64, _ arena: Arena) -> Int32 {
        let bytes = arena.span(region)
        let path = String(
            decoding: (0..<bytes.count).map { bytes[$0] }.prefix { $0 != 0 }, as: UTF8.self)
        var index = files.firstIndex { $0.path == path }
        if index == nil, path.hasSuffix("volumes") {
            opened.append(nil)
            return MemoryDisk.firstDescriptor + Int32(opened.count - 1)
        }
        if index == nil {
            guard flags & MemoryDisk.createFlag != 0 else { return -KernelError.notFound.code }
            let memory = unsafe mmap(
                nil, MemoryDisk.fileBytesMax, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
            guard unsafe memory != MAP_FAILED, let memory = unsafe memory else {
                return -KernelError.noMemory.code
            }
            files.append(unsafe File(path: path, memory: memory))
            index = files.count - 1
        }
        opened.append(index)
        return MemoryDisk.firstDescriptor + Int32(opened.count - 1)
    }

    deinit {
        for file in files { unsafe munmap(file.memory, MemoryDisk.fileBytesMax) }
    }
}
