/// What one volume is asked again: reads, writes that nobody was told of, and whether it works.

import IO
import Loop
import Volumes

extension VolumeFile {
    /// Writes the same bytes to the same place once more, as long as there is hope; the buffer is
    /// the caller's all the time. On failure the volume has failed. After a success the first try
    /// may still come, over what is there then: see `SuspectSpace`.
    func writeAgain(
        _ source: Region, at offset: UInt64, after result: Int32
    ) async throws(StoreError) {
        var result = result
        if let retries {
            var trial = retries.beginWrite(to: place(of: source, at: offset))
            while let delay = retries.delay(&trial, after: result) {
                await loop.sleep(until: loop.now + delay)
                guard state.health.takesWrites(id) else { throw .readOnly }
                result = await loop.perform(.write(file: direct, offset: offset, source: source))
                if result == Int32(source.count) { return retries.succeeded(trial) }
            }
        }
        // A short write is a failed one: what it left is unknown.
        let error = StoreError.kernel(
            operation: .write, path: path, error: KernelError(result: result) ?? .io)
        fail(error)
        throw error
    }

    private func place(of source: Region, at offset: UInt64) -> Extent {
        let blockSize = UInt64(VolumeLayout.blockSize)
        return Extent(
            volume: id, start: UInt32(offset / blockSize),
            count: UInt32(VolumeLayout.blocks(for: UInt64(source.count))))
    }

    /// Reads the same once more, as long as there is hope.
    func readAgain(
        _ target: Region, at offset: UInt64, after result: Int32
    ) async throws(StoreError) {
        var result = result
        if let retries {
            var trial = retries.beginRead()
            while triesReadsAgain, let delay = retries.delay(&trial, after: result) {
                await loop.sleep(until: loop.now + delay)
                result = await loop.perform(.read(file: direct, offset: offset, target: target))
                if result == Int32(target.count) { return retries.succeeded(trial) }
            }
        }
        guard let code = KernelError(result: result) else {
            throw .corrupt(volume: VolumeName(id), offset: offset + UInt64(result))
        }
        noteFailedRead(at: offset)
        throw .unreadable(volume: VolumeName(id), offset: offset, error: code)
    }

    /// Whether the volume takes a write, keeps it and gives it back, though nobody else may write:
    /// `block` goes to where nothing else ever is. `copy` is a block, too.
    func probe(_ block: Region, readingInto copy: Region, _ arena: Arena) async -> Bool {
        let offset = UInt64(VolumeFile.probeBlock) * UInt64(VolumeLayout.blockSize)
        let blockSize = Int32(VolumeLayout.blockSize)
        // Not flushed by `flush`: that is for those who have written, and nobody has.
        guard
            await loop.perform(.write(file: direct, offset: offset, source: block)) == blockSize,
            await loop.perform(.sync(file: direct)) >= 0,
            await loop.perform(.read(file: direct, offset: offset, target: copy)) == blockSize
        else { return false }
        return arena.equal(block, copy)
    }

    /// The last of those that hold the superblock.
    private static let probeBlock = VolumeLayout.reservedBlocks - 1
}
