// A store of three dozen lines on a disk that may lose any un-flushed block: what recovery is
// tested against, and what shows in short which order of writes and flushes the real one keeps.

import Checksums

@testable import Volumes

struct CrashModel: ~Copyable {
    /// An order that is broken on purpose, to see that the tests notice.
    enum Fault: CaseIterable, Sendable {
        case none
        case acknowledgesBeforeTheFlush
        case releasesBeforeTheHeaderIsZero
        case releasesTheRemovalFirst
        case releasesTheRemovalBeforeItIsApplied
    }

    struct Cleanup {
        let dead: Record
        let removal: Record?
    }

    static let small = VolumeID(0)
    static let large = VolumeID(1)
    static let firstBlock = VolumeLayout.reservedBlocks
    static let blockCount = 96

    let fault: Fault
    var chance: Seeded
    var durable = [UInt8](repeating: 0, count: blockCount * VolumeLayout.blockSize)
    var unflushed: [(block: UInt32, bytes: [UInt8])] = []
    /// What clients were told, and the one thing that they wait for.
    var acknowledged: [[UInt8]: Record] = [:]
    var underWay: (name: [UInt8], outcome: Record?)?
    /// The catalog as of the applied sequence.
    var catalog: [[UInt8]: UInt64] = [:]
    var applied: UInt64 = 0
    var violations: Set<String> = []
    var crashes = 0

    private var lease: SegmentLease
    private var segments = CrashModel.segments()
    private var extents = CrashModel.extents()
    private var sequence: UInt64 = 0
    private var cleanups: [Cleanup] = []

    init(seed: UInt64, fault: Fault = .none) throws {
        chance = Seeded(seed)
        self.fault = fault
        lease = try segments.lease()
    }

    static func segments() -> SegmentAllocator {
        var segments = SegmentAllocator(
            limits: GrowthLimits(volumeBytesMax: 64 << 20, capacityBytes: 64 << 20))
        segments.addVolume(small, blockCount: VolumeLayout.segmentBlocks)
        return segments
    }

    static func extents() -> ExtentAllocator {
        var extents = ExtentAllocator(
            limits: GrowthLimits(volumeBytesMax: 64 << 20, capacityBytes: 64 << 20))
        extents.addVolume(large, blockCount: VolumeLayout.segmentBlocks)
        return extents
    }

    mutating func step() throws {
        let name = [UInt8.random(in: 97...100, using: &chance)]
        switch Int.random(in: 0..<12, using: &chance) {
        case 0...3: try put(name)
        case 4...5: try remove(name)
        case 6...9: finishCleanup()
        default: index()
        }
    }

    private mutating func put(_ name: [UInt8]) throws {
        var draft = Draft(
            supersedes: acknowledged[name]?.header.reference, name: name,
            data: chance.bytes(.random(in: 0...9_000, using: &chance)))
        if Int.random(in: 0..<4, using: &chance) == 0 {
            draft.kind = .largeObject
            draft.length = .random(in: 70_000...3_000_000, using: &chance)
            guard let room = try? extents.reserve(bytes: draft.length) else { return }
            draft.extents = room
            draft.checksums = (0..<VolumeLayout.checksumCount(for: draft.length))
                .map { _ in UInt32(truncatingIfNeeded: chance.next()) }
        }
        guard let record = try write(&draft) else {
            extents.release(draft.extents)
            return
        }
        commit(name, record)
        if let dead = acknowledged[name] { cleanups.append(Cleanup(dead: dead, removal: nil)) }
        acknowledged[name] = record
        underWay = nil
    }

    private mutating func remove(_ name: [UInt8]) throws {
        guard let dead = acknowledged[name] else { return }
        var draft = Draft(kind: .removal, supersedes: dead.header.reference, name: name)
        guard let removal = try write(&draft) else { return }
        commit(name, nil)
        cleanups.append(Cleanup(dead: dead, removal: removal))
        acknowledged[name] = nil
        underWay = nil
    }

    /// Gives the record a place and a sequence and writes it, unless the model's disk is full.
    private mutating func write(_ draft: inout Draft) throws -> Record? {
        guard let address = lease.allocate(blocks: draft.blockCount) else { return nil }
        let end = CrashModel.firstBlock + UInt32(CrashModel.blockCount)
        guard address.block + draft.blockCount <= end else {
            lease.giveBack(
                Extent(volume: address.volume, start: address.block, count: draft.blockCount))
            return nil
        }
        sequence += 1
        draft.address = address
        draft.sequence = sequence
        let bytes = draft.encoded()
        write(bytes, at: address.block)
        return try Record.decode(
            bytes.span.rawBytes, at: address, instance: ours, seal: TestSeal(),
            keepingChecksums: false)
    }

    private mutating func write(_ bytes: [UInt8], at block: UInt32) {
        for offset in stride(from: 0, to: bytes.count, by: VolumeLayout.blockSize) {
            let block = block + UInt32(offset / VolumeLayout.blockSize)
            unflushed.append((block, Array(bytes[offset..<offset + VolumeLayout.blockSize])))
        }
    }

    private mutating func commit(_ name: [UInt8], _ outcome: Record?) {
        if fault != .acknowledgesBeforeTheFlush { underWay = (name, outcome) }
        guard fault == .acknowledgesBeforeTheFlush else { return flush() }
        let before = acknowledged[name]
        acknowledged[name] = outcome
        flush()
        acknowledged[name] = before
    }

    private mutating func flush() {
        crash()
        for write in unflushed { CrashModel.put(write, into: &durable) }
        unflushed = []
        crash()
    }

    static func put(_ write: (block: UInt32, bytes: [UInt8]), into image: inout [UInt8]) {
        let offset = Int(write.block - firstBlock) * VolumeLayout.blockSize
        image.replaceSubrange(offset..<offset + write.bytes.count, with: write.bytes)
    }

    /// The catalog takes in everything that is durable.
    private mutating func index() {
        applied = sequence
        catalog = acknowledged.mapValues { $0.header.stamp.sequence }
    }

    /// Zero the dead header, flush, release; in the order in which the objects died.
    private mutating func finishCleanup() {
        guard let cleanup = cleanups.first else { return }
        let isApplied = (cleanup.removal?.header.stamp.sequence ?? 0) <= applied
        guard isApplied || fault == .releasesTheRemovalBeforeItIsApplied else { return }
        cleanups.removeFirst()
        if fault == .releasesBeforeTheHeaderIsZero { return release(cleanup) }
        let zeros = [UInt8](repeating: 0, count: VolumeLayout.blockSize)
        if fault == .releasesTheRemovalFirst, let removal = cleanup.removal {
            write(zeros, at: removal.header.stamp.address.block)
            flush()
        }
        write(zeros, at: cleanup.dead.header.stamp.address.block)
        flush()
        release(cleanup)
    }

    private mutating func release(_ cleanup: Cleanup) {
        extents.release(cleanup.dead.extents)
        lease.giveBack(cleanup.dead.header.extent)
        if let removal = cleanup.removal { lease.giveBack(removal.header.extent) }
    }
}
