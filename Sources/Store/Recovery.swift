/// Brings volumes and catalog together after a stop of any kind, step by step as `ReplayPlan` has
/// them; whatever step a crash interrupts, the next start does it again.
///
///     probe ─▶ replay progress logs ─▶ scan, and read known removals ─▶ zero what those left
///           ─▶ commit what was found ─▶ zero dead headers ─▶ commit that it is done
///           ─▶ claim what is in use

import Catalog
import Checksums
import IO
import Loop
import Volumes

final class Recovery {
    let files: VolumeFiles
    let state: StoreState
    let indexer: Indexer
    let reader: any CatalogReader
    let seal: Seal
    /// Blocks of each volume file.
    var sizes: [VolumeID: UInt32] = [:]
    private var segmentsScanned = 0
    private var recordsFound = 0
    /// Unfinished as far as the catalog knows.
    var uploads: [ObjectID: UploadRecord] = [:]
    /// Where those lie.
    var uploadSpaces = UploadSpaces([])
    /// Records of objects that were such uploads: the last of each.
    var publishedUploads: [ObjectID: RecordReference] = [:]
    /// What the removals that were found have removed.
    var removedRecords: Set<RecordReference> = []

    init(
        files: VolumeFiles, state: StoreState, indexer: Indexer, reader: any CatalogReader,
        seal: Seal
    ) {
        self.files = files
        self.state = state
        self.indexer = indexer
        self.reader = reader
        self.seal = seal
    }

    func run(_ setup: StoreSetup) async throws(StoreError) -> OpenedVolumes {
        let smallCount = try await probe(.small)
        let largeCount = try await probe(.large)
        let metadata = try ask { reader throws(CatalogError) in try reader.metadata() }
        let leases = try ask { reader throws(CatalogError) in try reader.leases() }
        let removals = try ask { reader throws(CatalogError) in try reader.removals() }
        uploads = try unfinishedUploads()
        try await replayProgress(leases)
        uploadSpaces = UploadSpaces(uploads.map { (id: $0.key, space: $0.value.space.extents) })

        // An empty catalog beside volumes is a lost one.
        let isLost = metadata.applied == 0 && leases.isEmpty
        let rebuilds = setup.rebuilds || isLost
        let segments = rebuilds ? allSegments() : leasedSegments(leases)
        var replay = Replay(applied: rebuilds ? 0 : metadata.applied)
        for segment in segments { try await scan(segment, into: &replay) }
        try await add(removals, to: &replay)
        let plan = replay.plan()
        try await apply(plan, leases: leases, removals: removals, applied: metadata.applied)
        state.report(
            .recovered(
                segments: segmentsScanned, records: recordsFound, dropped: plan.torn.count))
        return try opened(setup, smallCount, largeCount, sequence: plan.sequenceMax)
    }

    func ask<Answer>(
        _ question: (any CatalogReader) throws(CatalogError) -> Answer
    ) throws(StoreError) -> Answer {
        do throws(CatalogError) {
            return try question(reader)
        } catch {
            throw .index("\(error)")
        }
    }

    // MARK: Volumes

    /// Opens the volumes of a class; answers how many there are.
    private func probe(_ volumeClass: VolumeClass) async throws(StoreError) -> UInt16 {
        for number in 0...VolumeName.numberMax {
            let name = VolumeName(volumeClass, number: number)
            guard let file = try await files.open(name.id, creating: false),
                try await isVolume(file, name)
            else { return number }
        }
        return VolumeName.numberMax
    }

    /// False for a file whose creation was interrupted: it holds nothing, and is made again.
    private func isVolume(_ file: VolumeFile, _ name: VolumeName) async throws(StoreError) -> Bool {
        let size = await files.loop.perform(.measure(file: file.direct))
        let error = KernelError(result: size)
        guard error != .fileTooLarge, size <= Int32(VolumeLayout.volumeBlocksMax)
        else { throw .volumeTooLarge(path: name.path) }
        if let error {
            throw .kernel(operation: .measure, path: name.path, error: error)
        }
        guard size > 0 else { return false }
        let buffer = await files.memory.buffer(VolumeLayout.blockSize)
        defer { files.memory.giveBack(buffer: buffer) }
        let region = buffer.part(from: 0, count: VolumeLayout.blockSize)
        try await file.read(region, at: 0)
        let bytes = files.memory.arena.bytes(region)
        let isRight: Bool
        do throws(SuperblockError) {
            let superblock = try Superblock.decode(bytes, expecting: state.instance)
            isRight = superblock.volume == name.id && superblock.volumeClass == name.volumeClass
        } catch {
            try refuse(error, bytes, name)
            return false
        }
        guard isRight else { throw .notAVolume(path: name.path) }
        sizes[name.id] = UInt32(size)
        return true
    }

    private func refuse(
        _ error: SuperblockError, _ bytes: RawSpan, _ name: VolumeName
    ) throws(StoreError) {
        switch error {
        case .notMillrace:
            let octets = bytes.octets
            guard octets.indices.allSatisfy({ octets[$0] == 0 })
            else { throw .notAVolume(path: name.path) }
        case .damaged: throw .notAVolume(path: name.path)
        case .newerFormat(let version): throw .newerFormat(path: name.path, version: version)
        case .foreignInstance: throw .otherInstance(path: name.path)
        }
    }

    // MARK: Scanning

    private func allSegments() -> [Extent] {
        sizes.sorted { $0.key < $1.key }.flatMap { volume, blocks in
            VolumeName(volume).volumeClass == .small
                ? (0..<blocks / VolumeLayout.segmentBlocks).map {
                    SegmentAllocator.extent(of: $0, in: volume)
                } : []
        }
    }

    private func leasedSegments(_ leases: [CatalogLease]) -> [Extent] {
        leases.compactMap { lease in
            guard let number = UInt16(exactly: lease.volume),
                VolumeName(VolumeID(number)).volumeClass == .small,
                let blocks = sizes[VolumeID(number)],
                lease.segment < blocks / VolumeLayout.segmentBlocks
            else { return nil }
            return SegmentAllocator.extent(of: lease.segment, in: VolumeID(number))
        }
    }

    private func scan(_ segment: Extent, into replay: inout Replay) async throws(StoreError) {
        segmentsScanned += 1
        let file = try await files.file(segment.volume)
        let buffer = await files.memory.buffer(StoreLimits.transferBytesMax)
        defer { files.memory.giveBack(buffer: buffer) }
        var scan = RecoveryScan(segment, instance: state.instance)
        var window = buffer.part(from: 0, count: 0)
        var first = segment.start
        while true {
            let bytes = files.memory.arena.bytes(window)
            switch scan.next(in: bytes, firstBlock: first, seal: seal) {
            case .record(let record):
                recordsFound += 1
                note(record)
                replay.add(record)
            case .torn(let record): replay.addTorn(record)
            case .newerFormat(let format, at: let address):
                throw .newerFormat(
                    path: VolumeName(address.volume).path, version: UInt32(format))
            case .needsBlocks(let blocks):
                guard blocks.count <= Int(StoreLimits.recordBlocksMax) else {
                    let offset = UInt64(blocks.lowerBound) * UInt64(VolumeLayout.blockSize)
                    throw .corrupt(volume: VolumeName(segment.volume), offset: offset)
                }
                first = blocks.lowerBound
                let count = min(segment.end - first, StoreLimits.recordBlocksMax)
                window = buffer.part(from: 0, count: Int(count) * VolumeLayout.blockSize)
                try await file.read(
                    window, at: UInt64(first) * UInt64(VolumeLayout.blockSize))
                if isZero(window) {
                    scan = RecoveryScan(
                        volume: segment.volume, blocks: first + count..<segment.end,
                        instance: state.instance)
                }
            case .finished: return
            }
        }
    }

    /// Most of a segment was never written: no need to look at each of its blocks.
    private func isZero(_ window: Region) -> Bool {
        let arena = files.memory.arena
        let most = Int(window.count) - 1
        return arena.bytes(window).integer(at: 0, as: UInt8.self) == 0
            && arena.equal(
                window.part(from: 0, count: most), window.part(from: 1, count: most))
    }

    // MARK: Space

    private func opened(
        _ setup: StoreSetup, _ smallCount: UInt16, _ largeCount: UInt16, sequence: UInt64
    ) throws(StoreError) -> OpenedVolumes {
        let limits = GrowthLimits(
            volumeBytesMax: setup.volumeBytes, capacityBytes: setup.capacityBytes)
        var extents = ExtentAllocator(limits: limits)
        var segments = SegmentAllocator(
            limits: GrowthLimits(
                volumeBytesMax: setup.volumeBytes, capacityBytes: setup.capacityBytes,
                stepBytes: UInt64(VolumeLayout.segmentSize)))
        for (volume, blocks) in sizes {
            switch VolumeName(volume).volumeClass {
            case .small: segments.addVolume(volume, blockCount: blocks)
            case .large: extents.addVolume(volume, blockCount: blocks)
            }
        }
        let (records, data) = (try recordsInUse(), try dataInUse())
        do throws(ClaimError) {
            for record in records { try segments.claim(record) }
            for extent in data { try extents.claim(extent) }
            // Headers whose zeros were written again.
            for place in state.suspects.all(at: files.loop.now) {
                try segments.claim(place)
                segments.quarantine(place, at: files.loop.now)
            }
        } catch {
            throw .index("contradicts itself: \(error); rebuild it from the volumes")
        }
        return OpenedVolumes(
            files: Confined(files), reader: reader, extents: extents, segments: segments,
            smallCount: smallCount, largeCount: largeCount,
            capacityBlocks: setup.capacityBytes / UInt64(VolumeLayout.blockSize),
            // A sequence in use when the power went is not used again for something else.
            sequence: sequence + UInt64(CommitWindow.spanMaxDefault))
    }

    /// By ascending address, which is how the allocator takes them in fastest.
    func recordsInUse() throws(StoreError) -> [Extent] {
        var records: [Extent] = []
        var failure: StoreError?
        try ask { reader throws(CatalogError) in
            try reader.forEachEntry { entry in
                do throws(StoreError) {
                    records.append(try StoredObject(entry).record)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        records.sort { $0.address.packed < $1.address.packed }
        return records
    }

    private func dataInUse() throws(StoreError) -> [Extent] {
        var data: [Extent] = []
        var hasStrays = false
        try ask { reader throws(CatalogError) in
            try reader.forEachExtent { extent in
                guard let address = BlockAddress(packed: extent.address), extent.blocks > 0,
                    VolumeName(address.volume).volumeClass == .large
                else {
                    hasStrays = true
                    return
                }
                data.append(
                    Extent(volume: address.volume, start: address.block, count: extent.blocks))
            }
        }
        guard !hasStrays else { throw .index("an extent makes no sense; rebuild it") }
        return data
    }
}
