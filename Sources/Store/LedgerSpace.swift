/// The ledger's space: extents for large objects, segments for records, and volumes that grow.

import Catalog
import IO
import Loop
import Volumes

extension Ledger {
    /// All blocks for `bytes` bytes, or an error and none. The bytes count as reserved until they
    /// have arrived or been given up.
    func reserve(_ bytes: UInt64) async throws(StoreError) -> [Extent] {
        guard state.reserve(bytes) else { throw .tooMuchReserved }
        do throws(StoreError) {
            return try await allocated(bytes)
        } catch {
            state.endReservation(bytes)
            throw error
        }
    }

    private func allocated(_ bytes: UInt64) async throws(StoreError) -> [Extent] {
        while true {
            closeFailed()
            endQuarantine()
            let growth: Growth
            do throws(AllocationError) {
                return try extents.reserve(bytes: bytes)
            } catch {
                growth = try self.growth(error, isWritable: extents.hasOpenVolume, of: .large)
            }
            guard beginGrowing() else {
                await waitForGrowth()
                continue
            }
            try await grow(growth, .large)
        }
    }

    /// Nobody needs that space, nor ever read from it, nor has a write to it under way. What of it
    /// was handed out when its volume failed stays taken for a while, and so does what was written
    /// twice.
    func giveBack(_ unused: [Extent]) {
        if state.faults.contains(.reusesQuarantine) { return extents.release(unused) }
        // First: a volume may have failed that the allocator was not told of.
        closeFailed()
        let (suspects, now) = (state.suspects, loop.now)
        extents.giveBack(unused, at: now, mayCome: { suspects.contains($0, at: now) })
    }

    /// The same for a record's, of any kind.
    func giveBack(record: Extent) {
        if state.suspects.contains(record, at: loop.now) {
            segments.quarantine(record, at: loop.now)
        } else {
            segments.release(record)
        }
    }

    /// A core no longer needs its segment: every record in it is resolved.
    func giveBack(_ lease: consuming SegmentLease) {
        queue.append(
            [.dropLease(volume: UInt32(lease.volume.number), segment: lease.segment)],
            watermark: window.watermark, name: nil, sequence: 0)
        segments.giveBack(lease)
        wakeIndexer()
    }

    /// A segment with a free run of `blocks` blocks and `kept` others, which recovery knows of and
    /// whose space was written before. One is always kept ready.
    func leaseSegment(
        atLeast blocks: UInt32, keeping kept: UInt32
    ) async throws(StoreError) -> SegmentLease {
        while true {
            if let lease = takeSpare(atLeast: blocks, keeping: kept) {
                prepareSpare(atLeast: StoreLimits.recordBlocksMax, keeping: 0)
                return lease
            }
            prepareSpare(atLeast: blocks, keeping: kept)
            let ticket = loop.makeTicket()
            spareWaiters.append(ticket)
            let outcome = await loop.answer(ticket)
            // Whoever asked for more may have failed where this request need not.
            if let error = spareError, outcome != 0, outcome <= Int32(blocks + kept) { throw error }
        }
    }

    private func takeSpare(atLeast blocks: UInt32, keeping kept: UInt32) -> SegmentLease? {
        guard let lease = spare.take() else { return nil }
        if lease.hasRoom(for: blocks, keeping: kept),
            state.health.isIntact(lease.volume, since: spareMark)
        {
            return lease
        }
        giveBack(lease)
        return nil
    }

    private func prepareSpare(atLeast blocks: UInt32, keeping kept: UInt32) {
        guard !isPreparing, spare == nil, !isClosing else { return }
        isPreparing = true
        Task(executorPreference: loop) { await self.prepare(atLeast: blocks, keeping: kept) }
    }

    private func prepare(atLeast blocks: UInt32, keeping kept: UInt32) async {
        let mark = state.health.mark
        do throws(StoreError) {
            let lease = try await prepared(atLeast: blocks, keeping: kept)
            spare = consume lease
            spareMark = mark
            spareError = nil
        } catch {
            spareError = error
        }
        isPreparing = false
        let woken = spareWaiters
        spareWaiters = []
        let outcome = spareError == nil ? 0 : Int32(blocks + kept)
        for ticket in woken { loop.wake(ticket, with: outcome) }
    }

    private func prepared(
        atLeast blocks: UInt32, keeping kept: UInt32
    ) async throws(StoreError) -> SegmentLease {
        var lease = try await leased(atLeast: blocks, keeping: kept)
        if lease.needsZeroing {
            do throws(StoreError) {
                try await zero(lease.extent)
            } catch {
                // They may reach the disk late.
                segments.quarantine(lease, at: loop.now)
                throw error
            }
            // As may those that were written again.
            for part in state.suspects.parts(of: lease.extent, at: loop.now) {
                lease.leaveOut(part)
                segments.quarantine(part, at: loop.now)
            }
        }
        do throws(StoreError) {
            let number = queue.append(
                [
                    .addLease(
                        CatalogLease(
                            volume: UInt32(lease.volume.number), segment: lease.segment,
                            sequence: window.last))
                ], watermark: window.watermark, name: nil, sequence: 0)
            try await indexNow(number)
        } catch {
            giveBack(lease)
            throw error
        }
        return lease
    }

    private func leased(
        atLeast blocks: UInt32, keeping kept: UInt32
    ) async throws(StoreError) -> SegmentLease {
        while true {
            closeFailed()
            endQuarantine()
            let growth: Growth
            do throws(AllocationError) {
                return try segments.lease(atLeast: blocks, keeping: kept)
            } catch {
                growth = try self.growth(error, isWritable: segments.hasOpenVolume, of: .small)
            }
            guard beginGrowing() else {
                await waitForGrowth()
                continue
            }
            try await grow(growth, .small)
        }
    }

    /// Overwriting written space costs a device flush; writing fresh space costs a journal commit.
    private func zero(_ extent: Extent) async throws(StoreError) {
        let files = files.value
        let mark = state.health.mark
        let file = try await files.file(extent.volume)
        let buffer = await files.memory.buffer(4 * StoreLimits.unitBytes)
        defer { files.memory.giveBack(buffer: buffer) }
        files.memory.arena.zero(buffer)
        var done: UInt64 = 0
        while done < extent.byteCount {
            let count = min(extent.byteCount - done, UInt64(buffer.count))
            let part = buffer.part(from: 0, count: Int(count))
            try await file.write(part, at: extent.byteOffset + done, since: mark)
            done += count
        }
        try await file.flush(since: mark)
    }

    /// Space for a core's progress log, which recovery knows of and which was written before; nil
    /// where there is none to be had, or not in one piece.
    func leaseProgressLog(blocks: UInt32) async -> Extent? {
        do throws(StoreError) {
            let found = try await allocated(UInt64(blocks) * UInt64(VolumeLayout.blockSize))
            do throws(StoreError) {
                guard found.count == 1 else { throw .noSpace }
                try await zero(found[0])
                // Some were written again, and may come over the first entries.
                guard !state.suspects.contains(found[0], at: loop.now) else { throw .readOnly }
                let number = queue.append(
                    [.addLease(CatalogLease(progressLog: found[0]))],
                    watermark: window.watermark, name: nil, sequence: 0)
                try await indexNow(number)
                return found[0]
            } catch {
                giveBack(found)
                throw error
            }
        } catch {
            return nil
        }
    }

    /// The catalog has all that was in it.
    func giveBack(progressLog extent: Extent) {
        let lease = CatalogLease(progressLog: extent)
        queue.append(
            [.dropLease(volume: lease.volume, segment: lease.segment)],
            watermark: window.watermark, name: nil, sequence: 0)
        giveBack([extent])
        wakeIndexer()
    }

    // MARK: Growing

    /// What to grow, or why nothing is to be had.
    private func growth(
        _ error: AllocationError, isWritable: Bool, of volumeClass: VolumeClass
    ) throws(StoreError) -> Growth {
        let hasFailed = hasFailedVolume(volumeClass)
        // A new volume would lie on the device that has just failed.
        if hasFailed, !isWritable { throw .readOnly }
        switch error {
        case .noSpace: throw hasFailed ? .readOnly : .noSpace
        case .needsGrowth(let growth): return growth
        }
    }

    private func hasFailedVolume(_ volumeClass: VolumeClass) -> Bool {
        state.failedVolumes.contains { VolumeName($0).volumeClass == volumeClass }
    }

    func closeFailed() {
        for volume in state.failedVolumes where isKnown(volume) {
            switch VolumeName(volume).volumeClass {
            case .small: segments.close(volume)
            case .large: extents.close(volume)
            }
        }
        // Both classes share the capacity; a segment's worth stays for the records of removals.
        let small = segments.statistics.volumeBlocks
        let large = extents.statistics.volumeBlocks
        let kept = max(small, UInt64(VolumeLayout.segmentBlocks))
        extents.limits.capacityBlocks = capacityBlocks - min(capacityBlocks, kept)
        segments.limits.capacityBlocks = capacityBlocks - min(capacityBlocks, large)
    }

    /// Whether the volume was ever completed.
    func isKnown(_ volume: VolumeID) -> Bool {
        let name = VolumeName(volume)
        return name.number < (name.volumeClass == .small ? smallCount : largeCount)
    }

    /// One growth at a time: whoever comes second waits, and asks its allocator again. In the turn
    /// in which the allocator asked for it: later it might have grown already.
    private func beginGrowing() -> Bool {
        guard growing == nil else { return false }
        growing = []
        return true
    }

    private func waitForGrowth() async {
        guard growing != nil else { return }
        let ticket = loop.makeTicket()
        growing?.append(ticket)
        _ = await loop.answer(ticket)
    }

    private func grow(_ growth: Growth, _ volumeClass: VolumeClass) async throws(StoreError) {
        defer {
            for ticket in growing ?? [] { loop.wake(ticket) }
            growing = nil
        }
        if let volume = growth.volume {
            try await extend(volume, to: growth.blockCount)
            switch volumeClass {
            case .small: segments.grew(volume, toBlockCount: growth.blockCount)
            case .large: extents.grew(volume, toBlockCount: growth.blockCount)
            }
        } else {
            let name = try nextName(volumeClass)
            try await create(name, blockCount: growth.blockCount)
            switch volumeClass {
            case .small:
                segments.addVolume(name.id, blockCount: growth.blockCount)
                smallCount += 1
            case .large:
                extents.addVolume(name.id, blockCount: growth.blockCount)
                largeCount += 1
            }
        }
    }

    private func nextName(_ volumeClass: VolumeClass) throws(StoreError) -> VolumeName {
        let count = volumeClass == .small ? smallCount : largeCount
        guard count <= VolumeName.numberMax else { throw .noSpace }
        return VolumeName(volumeClass, number: count)
    }

    private func extend(_ volume: VolumeID, to blockCount: UInt32) async throws(StoreError) {
        let file = try await files.value.file(volume)
        let bytes = UInt64(blockCount) * UInt64(VolumeLayout.blockSize)
        let result = await loop.perform(.allocate(file: file.direct, offset: 0, count: bytes))
        if let error = KernelError(result: result) {
            if error == .noSpace { throw .noSpace }
            throw .kernel(operation: .allocate, path: VolumeName(volume).path, error: error)
        }
    }

    /// A volume exists once its superblock and its name are durable.
    private func create(_ name: VolumeName, blockCount: UInt32) async throws(StoreError) {
        let files = files.value
        let mark = state.health.mark
        guard let file = try await files.open(name.id, creating: true) else {
            preconditionFailure("an open that creates found nothing")
        }
        try await extend(name.id, to: blockCount)
        let buffer = await files.memory.buffer(VolumeLayout.blockSize)
        defer { files.memory.giveBack(buffer: buffer) }
        let region = buffer.part(from: 0, count: VolumeLayout.blockSize)
        var bytes = files.memory.arena.mutableBytes(region)
        Superblock(instance: state.instance, volume: name.id, volumeClass: name.volumeClass)
            .encode(into: &bytes)
        try await file.write(region, at: 0, since: mark)
        try await file.flush(since: mark)
        try await files.syncDirectory()
    }
}

extension CatalogLease {
    /// Of a large volume, where no segments are, a lease says where a progress log starts, and has
    /// its blocks in place of a sequence.
    init(progressLog extent: Extent) {
        self.init(
            volume: UInt32(extent.volume.number), segment: extent.start,
            sequence: UInt64(extent.count))
    }

    /// Nil for a lease of a segment, and for what makes no sense.
    var progressLog: Extent? {
        guard let number = UInt16(exactly: volume), let count = UInt32(exactly: sequence),
            VolumeName(VolumeID(number)).volumeClass == .large, count > 0,
            segment <= UInt32.max - count
        else { return nil }
        return Extent(volume: VolumeID(number), start: segment, count: count)
    }
}
