/// A disk with a volatile cache: what was written is seen at once and survives a power cut only
/// after a sync that started once the write had completed.
///
///     submitted ──▶ inFlight ──completed──▶ unflushed ──sync──▶ durable
///                      │                       │
///                      └───── power cut: any subset of their blocks survives ─────┘
///
/// What a failed sync should have covered may survive as well, over all that came later: no sync
/// ends that, until time has (`lateNanosecondsMax`). So may what a failed write was to bring, if a
/// test wants that (`keepsFailedWrites`).
///
/// Invariant: `visible` is `durable` with all of `unflushed` applied in order.

public import IO

public final class SimulatedDisk {
    /// What of the disk a fault can hit.
    public enum Kind: Sendable, CaseIterable { case open, measure, allocate, read, write, sync }

    /// One change of one file that a power cut may undo.
    struct Change {
        enum Step {
            case block(UInt64, [UInt8])
            case grow(UInt64)
            case create
        }
        let path: String
        let step: Step
        let order: UInt64
    }

    struct OpenFile {
        let path: String
        let isDirect: Bool
        let isDirectory: Bool
    }

    struct InFlight {
        let path: String
        let blocks: [(UInt64, [UInt8])]
        let digest: UInt64
        let isPreparation: Bool
    }

    var durable: DiskImage
    public internal(set) var visible: DiskImage
    var unflushed: [Change] = []
    /// Changes that a failed sync left in doubt: no later sync makes them durable.
    var doubtful: [(change: Change, since: UInt64)] = []
    /// After that time they come no more over what was made durable in their place since.
    public var lateNanosecondsMax: UInt64 = 60_000_000_000
    var inFlight: [UInt64: InFlight] = [:]
    var openFiles: [Int32: OpenFile] = [:]
    /// By path: see `cached`.
    var residentBlocks: [String: Set<UInt64>] = [:]
    /// Which pipe is read where that is written to.
    var pipeReaders: [Int32: Int32] = [:]
    /// What is in each pipe, by its reading end.
    var piped: [Int32: [UInt8]] = [:]
    private var nextDescriptor: Int32 = 100
    var clock: UInt64 = 0

    /// Operations of every kind that were completed so far.
    public internal(set) var counts: [Kind: Int] = [:]
    var faults: [Kind: [Int: KernelError]] = [:]
    /// Fails this operation of any kind, counted from 1 over all of them.
    public var failingOperation: Int?
    public internal(set) var operationCount = 0
    /// Faults that are not only the disk's.
    public let plan: FaultPlan
    /// What the plan has for the operation that is being completed.
    var planned: FaultPlan.Outcome?

    /// What writes that fail were to bring is kept, and may come later, with a power cut or when a
    /// test says so (`bringLate`): not after `lateNanosecondsMax`, and over whatever is there then.
    public var keepsFailedWrites = false
    private var late: [(change: Change, since: UInt64)] = []

    /// Blocks that cannot be read, by path. Writing one mends it: the disk finds another place.
    public var badBlocks: [String: Set<UInt64>] = [:]

    /// Whether the last operation wrote nothing but zeros: too dull to cut the power at.
    public internal(set) var wasPreparation = false
    /// How often something became durable.
    public private(set) var durableCount = 0

    /// Bytes that all files together may have.
    public var capacity = UInt64.max
    public var refusesDirectAccess = false

    public init(_ image: DiskImage = DiskImage(), plan: FaultPlan = FaultPlan()) {
        self.plan = plan
        durable = image
        visible = image
    }

    /// Files that programs have open.
    public var openCount: Int { openFiles.count }

    /// Cuts a file off, behind the back of whoever has it open.
    public func truncate(_ path: String, to byteCount: UInt64) {
        visible.files[path]?.byteCount = byteCount
        residentBlocks[path] = residentBlocks[path]?.filter { $0 * 4096 < byteCount }
    }

    /// Writes that were said to have failed reach the disk after all, over whatever is there now.
    /// Answers how many blocks they bring.
    @discardableResult
    public func bringLate() -> Int {
        let coming = comingLate
        for change in coming { record(change.path, change.step) }
        late = []
        return coming.count
    }

    /// As it is once all has come that may come late.
    public var latest: DiskImage {
        var image = visible
        for change in comingLate { SimulatedDisk.apply(change, to: &image) }
        return image
    }

    private var comingLate: [Change] {
        late.filter { plan.now < $0.since + lateNanosecondsMax }.map(\.change)
    }

    func keepLate(_ path: String, _ blocks: [(UInt64, [UInt8])]) {
        guard keepsFailedWrites else { return }
        late += blocks.map {
            (Change(path: path, step: .block($0.0, $0.1), order: 0), plan.now)
        }
    }

    /// Changes a byte of a file, behind the back of whoever has it open.
    public func decay(_ path: String, offset: UInt64) {
        let byte = visible.bytes(path, offset: offset, count: 1)[0]
        visible.overwrite(path, offset: offset, with: [byte ^ 1])
    }

    /// Makes the `number`th operation of `kind` from now on fail; 1 is the next.
    public func fail(_ kind: Kind, number: Int, with error: KernelError = .io) {
        faults[kind, default: [:]][counts[kind, default: 0] + number] = error
    }

    /// Whether something is there that a power cut could undo.
    public var hasVolatileState: Bool {
        !unflushed.isEmpty || !doubtful.isEmpty || !inFlight.isEmpty || !comingLate.isEmpty
    }

    /// What a power cut at this moment leaves, of the many things it may leave. Equal `choices` of
    /// the same moment mean equal images.
    public func powerCut(
        _ random: inout SeededRandom
    ) -> (image: DiskImage, choices: [UInt64]) {
        var image = durable
        var choices: [UInt64] = []
        // Mostly lost, mostly kept and evenly mixed are different kinds of bad.
        let odds = [0, 10, 50, 90, 100].randomElement(using: &random) ?? 50
        let cut = doubtful.map(\.change) + unflushed
        for change in cut.sorted(by: { $0.order < $1.order })
        where Int.random(in: 0..<100, using: &random) < odds {
            SimulatedDisk.apply(change, to: &image)
            choices.append(change.order)
        }
        for (number, write) in inFlight.sorted(by: { $0.key < $1.key })
        where !write.isPreparation {
            for (block, bytes) in write.blocks
            where Int.random(in: 0..<100, using: &random) < odds {
                let step = Change.Step.block(block, bytes)
                SimulatedDisk.apply(Change(path: write.path, step: step, order: 0), to: &image)
                choices.append(number << 32 | block)
            }
        }
        for (number, change) in comingLate.enumerated()
        where Int.random(in: 0..<100, using: &random) < odds {
            SimulatedDisk.apply(change, to: &image)
            choices.append(UInt64.max - UInt64(number))
        }
        return (image, choices)
    }

    static func apply(_ change: Change, to image: inout DiskImage) {
        switch change.step {
        case .create:
            guard image.files[change.path] == nil else { return }
            image.files[change.path] =
                image.nameless.removeValue(forKey: change.path) ?? DiskImage.File()
        case .grow(let byteCount):
            image.withFile(change.path) { $0.byteCount = max($0.byteCount, byteCount) }
        case .block(let number, let bytes):
            image.withFile(change.path) { $0.blocks[number] = bytes }
        }
    }

    func record(_ path: String, _ step: Change.Step) {
        clock += 1
        let change = Change(path: path, step: step, order: clock)
        SimulatedDisk.apply(change, to: &visible)
        unflushed.append(change)
    }

    func newDescriptor(_ file: OpenFile) -> Int32 {
        nextDescriptor += 1
        openFiles[nextDescriptor] = file
        return nextDescriptor
    }

    /// Makes durable what had completed when the sync was submitted.
    func makeDurable(_ file: OpenFile, upTo limit: UInt64) {
        var rest: [Change] = []
        durableCount += 1
        for change in unflushed {
            if change.order <= limit, covers(file, change) {
                SimulatedDisk.apply(change, to: &durable)
                endDoubt(behind: change)
            } else {
                rest.append(change)
            }
        }
        unflushed = rest
    }

    private func endDoubt(behind change: Change) {
        guard case .block(let number, _) = change.step else { return }
        doubtful.removeAll { old, since in
            guard case .block(number, _) = old.step, old.path == change.path else { return false }
            return plan.now >= since + lateNanosecondsMax
        }
    }

    /// The outcome for what a failed sync should have covered stays open for ever.
    func putInDoubt(_ file: OpenFile, upTo limit: UInt64) {
        doubtful += unflushed.filter { $0.order <= limit && covers(file, $0) }
            .map { ($0, plan.now) }
        unflushed.removeAll { $0.order <= limit && covers(file, $0) }
    }

    private func covers(_ file: OpenFile, _ change: Change) -> Bool {
        if file.isDirectory {
            if case .create = change.step { return true }
            return false
        }
        // A file's sync does not promise its name in the directory.
        if case .create = change.step { return false }
        return change.path == file.path
    }
}
