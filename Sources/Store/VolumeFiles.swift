/// One core's own descriptors of the volumes: the kernel tells an error of a flush to each open
/// file once, so no two cores share one.

import Checksums
import Cryptography
import IO
import Loop
import Volumes

final class VolumeFiles {
    let loop: EventLoop
    let memory: CoreMemory
    let state: StoreState
    private let directory: Descriptor
    private var files: [VolumeID: VolumeFile] = [:]
    private let retries: Retries?

    init(loop: EventLoop, memory: CoreMemory, state: StoreState, directory: Descriptor) {
        self.loop = loop
        self.memory = memory
        self.state = state
        self.directory = directory
        let policy = state.health.policy
        let seed = policy.seed ?? Randomness.integer()
        retries = policy.retries ? Retries(loop: loop, state: state, seed: seed) : nil
    }

    /// The volume, if this core has opened it.
    func opened(_ id: VolumeID) -> VolumeFile? { files[id] }

    func file(_ id: VolumeID) async throws(StoreError) -> VolumeFile {
        if let file = files[id] { return file }
        guard let file = try await open(id, creating: false) else {
            throw .kernel(operation: .open, path: VolumeName(id).path, error: .notFound)
        }
        return file
    }

    /// Nil if there is no such volume and none was to be made.
    func open(_ id: VolumeID, creating: Bool) async throws(StoreError) -> VolumeFile? {
        let path = VolumeName(id).path
        let flags = OpenFlags.readWrite | OpenFlags.direct | (creating ? OpenFlags.create : 0)
        let direct = await open(path, flags: flags)
        if KernelError(result: direct) == .invalid { throw .noDirectAccess(path: path) }
        if let error = KernelError(result: direct) {
            if error == .notFound, !creating { return nil }
            throw .kernel(operation: .open, path: path, error: error)
        }
        let buffered = await open(path, flags: OpenFlags.readOnly)
        if let error = KernelError(result: buffered) {
            _ = await loop.perform(.close(Descriptor(direct)))
            throw .kernel(operation: .open, path: path, error: error)
        }
        // Another handler of this core may have been faster.
        if let file = files[id] {
            _ = await loop.perform(.close(Descriptor(direct)))
            _ = await loop.perform(.close(Descriptor(buffered)))
            return file
        }
        let file = VolumeFile(
            id, direct: Descriptor(direct), buffered: Descriptor(buffered), loop: loop,
            state: state, retries: retries)
        files[id] = file
        return file
    }

    /// Makes the names of new volumes durable.
    func syncDirectory() async throws(StoreError) {
        let path = "volumes"
        let flags = OpenFlags.readOnly | OpenFlags.directory
        let opened = await open(path, flags: flags)
        if let error = KernelError(result: opened) {
            throw .kernel(operation: .open, path: path, error: error)
        }
        let result = await loop.perform(.sync(file: Descriptor(opened)))
        _ = await loop.perform(.close(Descriptor(opened)))
        if let error = KernelError(result: result) {
            throw .kernel(operation: .sync, path: path, error: error)
        }
    }

    /// Overwrites the first block of a dead record; durable after a flush of its volume.
    func zeroHeader(at address: BlockAddress, since mark: VolumeMark) async throws(StoreError) {
        let file = try await file(address.volume)
        let buffer = await memory.buffer(VolumeLayout.blockSize)
        defer { memory.giveBack(buffer: buffer) }
        try await file.write(zeros(in: buffer), at: address.byteOffset, since: mark)
    }

    /// Whether that went well; if it did not, the volume goes on.
    func tryZeroingHeader(
        at address: BlockAddress, since mark: VolumeMark
    ) async throws(StoreError) -> Bool {
        let file = try await file(address.volume)
        let buffer = await memory.buffer(VolumeLayout.blockSize)
        defer { memory.giveBack(buffer: buffer) }
        return try await file.tryWrite(zeros(in: buffer), at: address.byteOffset, since: mark)
    }

    private func zeros(in buffer: Region) -> Region {
        let block = buffer.part(from: 0, count: VolumeLayout.blockSize)
        memory.arena.zero(block)
        return block
    }

    /// Flushes of all volumes, and the requests that they served.
    var flushCounts: (flushes: UInt64, served: UInt64) {
        files.values.reduce((0, 0)) { ($0.0 + $1.flushCount, $0.1 + $1.flushedCount) }
    }

    func close() async {
        for file in files.values {
            _ = await loop.perform(.close(file.direct))
            _ = await loop.perform(.close(file.buffered))
        }
        files = [:]
    }

    private func open(_ path: String, flags: UInt64) async -> Int32 {
        let bytes = Array(path.utf8) + [0]
        let lease = await memory.leaseNested(bytes.count)
        let region = lease.region.part(from: 0, count: bytes.count)
        memory.arena.copy(bytes.span.rawBytes, to: region)
        let result = await loop.perform(
            .open(
                directory: directory, path: region, flags: flags,
                mode: flags & OpenFlags.create == 0 ? 0 : 0o600))
        memory.giveBack(lease)
        return result
    }
}

/// Flags of open(2), Linux on x86-64 and arm64 where they agree.
enum OpenFlags {
    static let readOnly: UInt64 = 0
    static let readWrite: UInt64 = 0o2
    static let create: UInt64 = 0o100
    #if arch(arm64)
        static let direct: UInt64 = 0o200000
        static let directory: UInt64 = 0o40000
    #else
        static let direct: UInt64 = 0o40000
        static let directory: UInt64 = 0o200000
    #endif
}
