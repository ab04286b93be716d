/// The operations of the simulated disk: what happens when they are submitted, and when they end.

import Checksums
import Glibc
public import IO

extension SimulatedDisk {
    static let directFlag = UInt64(0o40000)  // O_DIRECT on x86-64
    static let directoryFlag = UInt64(0o200000)
    static let createFlag = UInt64(0o100)
    static let exclusiveFlag = UInt64(0o200)

    /// What must be remembered of an operation between its submission and its end.
    public struct Submitted: Sendable {
        public let operation: Operation
        let number: UInt64
    }

    /// The kernel has taken the operation; from now on a power cut may tear it.
    public func submit(_ operation: Operation, _ arena: Arena) -> Submitted {
        clock += 1
        let number = clock
        if case .write(let file, let offset, let source) = operation,
            let open = openFiles[file.number], offset % 4096 == 0
        {
            let blocks = blocks(of: source, at: offset, arena)
            inFlight[number] = InFlight(
                path: open.path, blocks: blocks, digest: digest(of: source, arena),
                isPreparation: blocks.allSatisfy { $0.1.isEmpty } && blocks.count > 1)
        }
        return Submitted(operation: operation, number: number)
    }

    /// The operation ends; answers as the kernel would.
    public func complete(_ submitted: Submitted, _ arena: Arena) -> Int32 {
        wasPreparation = false
        planned = submitted.operation.diskKind.flatMap { kind in
            plan.outcome(of: kind)
                ?? path(of: submitted.operation).flatMap { plan.outage(of: kind, $0) }
        }
        switch submitted.operation {
        case .open(_, let path, let flags, _): return open(path, flags, arena)
        case .measure(let file): return measure(file)
        case .allocate(let file, let offset, let count):
            return allocate(file, end: offset + count)
        case .read(let file, let offset, let target): return read(file, offset, target, arena)
        case .write(let file, let offset, let source):
            return write(file, offset, source, arena, number: submitted.number)
        case .sync(let file): return sync(file, started: submitted.number)
        case .close(let file):
            // Whatever close(2) answers, the descriptor is gone.
            return openFiles.removeValue(forKey: file.number) == nil ? -9 : plannedError ?? 0
        case .dropCached(let file, let offset, let count):
            if let open = openFiles[file.number] { dropCached(open.path, offset, UInt64(count)) }
            return plannedError ?? 0
        case .nop: return plannedError ?? 0
        case .timeout: return -KernelError.timedOut.code
        case .message, .cancel: return 0
        case .splice(let file, let offset?, let pipe, _, let count):
            if let plannedError { return plannedError }
            let most = planned == .short ? count / 2 : planned == .nothing ? 0 : count
            return fill(pipe, file, offset, most)
        case .openPipe(let count, let ends): return plannedError ?? openPipe(count, ends, arena)
        case .discard(let pipe, let count):
            return plannedError ?? dropPiped(pipe, count: count)
        case .accept, .receive, .receiveInto, .send, .sendFile, .cork, .splice, .poll, .shutdown,
            .sendPair, .sendPipe, .sendZeroCopy, .incomingQueue, .peerAddress, .resetOnClose,
            .threadTime, .dropReceived, .linkInfo, .tune:
            preconditionFailure("a disk knows nothing of \(submitted.operation)")
        }
    }

    private func path(of operation: Operation) -> String? {
        switch operation {
        case .read(let file, _, _), .write(let file, _, _), .sync(let file),
            .allocate(let file, _, _), .measure(let file):
            openFiles[file.number]?.path
        default: nil
        }
    }

    private var plannedError: Int32? {
        if case .error(let error)? = planned { -error.code } else { nil }
    }

    /// The injected failure of this operation, if it has one.
    private func fault(_ kind: Kind) -> Int32? {
        counts[kind, default: 0] += 1
        operationCount += 1
        if let plannedError { return plannedError }
        if operationCount == failingOperation { return -KernelError.io.code }
        return faults[kind]?.removeValue(forKey: counts[kind, default: 0]).map { -$0.code }
    }

    private func open(_ path: Region, _ flags: UInt64, _ arena: Arena) -> Int32 {
        if let fault = fault(.open) { return fault }
        var name: [UInt8] = []
        let bytes = arena.span(path)
        for index in 0..<bytes.count {
            if bytes[index] == 0 { break }
            name.append(bytes[index])
        }
        let text = String(decoding: name, as: UTF8.self)
        let isDirectory = flags & SimulatedDisk.directoryFlag != 0
        let isDirect = flags & SimulatedDisk.directFlag != 0
        if isDirect, refusesDirectAccess { return -KernelError.invalid.code }
        if !isDirectory {
            let exists = visible.files[text] != nil
            if flags & SimulatedDisk.createFlag == 0 {
                if !exists { return -KernelError.notFound.code }
            } else {
                if exists, flags & SimulatedDisk.exclusiveFlag != 0 { return -17 }
                if !exists { record(text, .create) }
            }
        }
        return newDescriptor(OpenFile(path: text, isDirect: isDirect, isDirectory: isDirectory))
    }

    private func measure(_ file: Descriptor) -> Int32 {
        if let fault = fault(.measure) { return fault }
        guard let open = openFiles[file.number] else { return -9 }
        let blocks = (visible.files[open.path]?.byteCount ?? 0) / 4096
        return Int32(exactly: blocks) ?? -KernelError.fileTooLarge.code
    }

    private func allocate(_ file: Descriptor, end: UInt64) -> Int32 {
        if let fault = fault(.allocate) { return fault }
        guard let open = openFiles[file.number] else { return -9 }
        let own = visible.files[open.path]?.byteCount ?? 0
        let total = visible.files.values.reduce(0) { $0 + $1.byteCount }
        if end > own, total + (end - own) > capacity { return -KernelError.noSpace.code }
        record(open.path, .grow(end))
        return 0
    }

    private func isMisaligned(
        _ open: OpenFile, _ offset: UInt64, _ region: Region
    ) -> Bool {
        open.isDirect
            && (offset % 4096 != 0 || region.offset % 4096 != 0 || region.count % 4096 != 0)
    }

    private func read(
        _ file: Descriptor, _ offset: UInt64, _ target: Region, _ arena: Arena
    ) -> Int32 {
        if let fault = fault(.read) { return fault }
        guard let open = openFiles[file.number], let content = visible.files[open.path]
        else { return -9 }
        if isMisaligned(open, offset, target) { return -KernelError.invalid.code }
        let blocks = offset / 4096..<(offset + UInt64(target.count) + 4095) / 4096
        if badBlocks[open.path]?.contains(where: blocks.contains) == true {
            return -KernelError.io.code
        }
        guard offset < content.byteCount else { return 0 }
        let count = min(UInt64(target.count), content.byteCount - offset)
        var zeros = arena.mutableBytes(target.part(from: 0, count: Int(count)))
        // The C function: a debug build's own loop takes most of a test's time.
        unsafe zeros.withUnsafeMutableBytes { _ = unsafe memset($0.baseAddress!, 0, $0.count) }
        for number in offset / 4096..<(offset + count + 4095) / 4096 {
            guard let block = content.blocks[number], !block.isEmpty else { continue }
            let from = max(offset, number * 4096)
            let end = min(offset + count, number * 4096 + 4096)
            let bytes = block.span.rawBytes.extracting(
                Int(from - number * 4096)..<Int(end - number * 4096))
            arena.copy(bytes, to: target.part(from: Int(from - offset), count: Int(end - from)))
        }
        noteRead(open, offset, count)
        switch planned {
        case nil, .error?: return Int32(count)
        case .short?: return keepOnly(Int(count) / 2 / 512 * 512, of: target, arena)
        case .nothing?: return keepOnly(0, of: target, arena)
        }
    }

    /// The rest of the buffer is as it may have been before: anything.
    private func keepOnly(_ count: Int, of target: Region, _ arena: Arena) -> Int32 {
        let rest = target.part(from: count, count: Int(target.count) - count)
        let noise = [UInt8](repeating: 0xee, count: Int(rest.count))
        arena.copy(noise.span, to: rest)
        return Int32(count)
    }

    private func write(
        _ file: Descriptor, _ offset: UInt64, _ source: Region, _ arena: Arena, number: UInt64
    ) -> Int32 {
        let write = inFlight.removeValue(forKey: number)
        let failure = fault(.write)
        guard let open = openFiles[file.number], let write else { return -9 }
        if isMisaligned(open, offset, source) { return -KernelError.invalid.code }
        precondition(
            digest(of: source, arena) == write.digest,
            "a buffer changed while the kernel was writing it")
        let end = offset + UInt64(source.count)
        let size = visible.files[open.path]?.byteCount ?? 0
        precondition(end <= size, "a write beyond the space that was allocated")
        wasPreparation = write.isPreparation
        dropCached(open.path, offset, UInt64(source.count))
        let isTorn = failure != nil || planned != nil
        if isTorn { keepLate(open.path, write.blocks) }
        for (index, block) in write.blocks.enumerated() {
            // A failed write may have got anywhere.
            if isTorn, index % 2 == 1 { continue }
            badBlocks[open.path]?.remove(block.0)
            // Zeros where nothing was written yet change nothing.
            if block.1.isEmpty, visible.files[open.path]?.blocks[block.0] == nil { continue }
            record(open.path, .block(block.0, block.1))
        }
        return failure ?? (planned == nil ? Int32(source.count) : Int32(source.count / 2))
    }

    private func sync(_ file: Descriptor, started: UInt64) -> Int32 {
        let failure = fault(.sync)
        guard let open = openFiles[file.number] else { return -9 }
        if let failure {
            putInDoubt(open, upTo: started)
            return failure
        }
        makeDurable(open, upTo: started)
        return 0
    }

    private func blocks(
        of source: Region, at offset: UInt64, _ arena: Arena
    ) -> [(UInt64, [UInt8])] {
        (0..<Int(source.count) / 4096).map { index in
            let bytes = arena.bytes(source.part(from: index * 4096, count: 4096))
            return (offset / 4096 + UInt64(index), bytes.copied)
        }
    }

    private func digest(of region: Region, _ arena: Arena) -> UInt64 {
        UInt64(crc32c(arena.bytes(region)))
    }
}

extension Operation {
    /// Of the operations that a disk plays.
    var diskKind: OperationKind? {
        switch self {
        case .read: .read
        case .write: .write
        case .sync: .sync
        case .allocate: .allocate
        case .dropCached: .dropCached
        case .open: .open
        case .measure: .measure
        case .close: .close
        case .splice: .splice
        case .openPipe: .openPipe
        case .discard: .discard
        case .nop, .accept, .receive, .receiveInto, .send, .sendFile, .cork, .poll, .shutdown,
            .sendPair, .sendPipe, .sendZeroCopy, .incomingQueue, .peerAddress, .resetOnClose,
            .timeout, .cancel, .message, .threadTime, .dropReceived, .linkInfo, .tune:
            nil
        }
    }
}

extension RawSpan {
    /// The same bytes in an array; none for nothing but zeros.
    fileprivate var copied: [UInt8] {
        unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return [] }
            let isZero = unsafe bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
            return isZero ? [] : unsafe Array(bytes)
        }
    }
}
