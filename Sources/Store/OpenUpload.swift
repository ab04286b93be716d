/// One upload in its owner's memory, while somebody is at it.

import Loop
import Volumes

/// Belongs to its `Assembler`. Between two requests there is only what the catalog has of it.
final class OpenUpload {
    enum Ending: Equatable {
        case none
        /// Being published, or given up: nobody may write any more.
        case underWay
        case ended
    }

    let id: UploadID
    var terms: UploadTerms
    var state: UploadState
    let created: UInt64
    var lastActivity: UInt64
    var expires: UInt64
    /// Of its first bytes, as a chunk of this life brought them.
    var start: UploadStart?
    /// What somebody would like to be told of the whole.
    var wanted: DigestKinds = []
    /// What the whole was found to be.
    var digests = ObjectDigests()
    /// Set once it is published: only that is still known of it.
    var outcome: UploadOutcome
    /// The extents that the catalog has of it, or is about to be told of.
    var recorded: Set<Extent> = []
    /// Whether the catalog knows of it, or is about to.
    var isRecorded: Bool
    /// Commits that the catalog was told of and does not have yet.
    var commitsUnderWay = 0
    /// By writer: which core it works on.
    var cores: [UInt64: Int] = [:]
    /// Writers that have to end.
    var cutWriters: Set<UInt64> = []
    /// By writer: what its bytes are flushed with.
    var marks: [UInt64: VolumeMark] = [:]
    /// Volumes that hold bytes which may not be flushed, and since when those were written.
    var unflushed: [VolumeID: VolumeMark] = [:]
    /// What of `state.received` survives a power cut: all that anybody is told of.
    var durable = ExtentMap()
    /// Counts what has changed, and up to where that is durable.
    var changeCount: UInt64 = 0
    var settledCount: UInt64 = 0
    var isSettling = false
    /// Pages of checksums that the log has, and the catalog not.
    var loggedPages: Set<Int> = []
    /// When the log first had what the catalog has not; nil while it has all that is settled.
    var unrecordedSince: UInt64?
    /// How it was settled last, if only the log has that.
    var logged: Logged?
    /// Bytes that had come when the catalog was told.
    var recordedBytes: UInt64 = 0
    /// For its record: see `UploadRecord`.
    var progressSequence: UInt64 = 0
    /// When it was last.
    var settledAt: UInt64 = 0
    var isReserving = false
    var blockWrites = 0
    var ending = Ending.none
    /// What memory has of it is not what the disk has.
    private(set) var failure: StoreError?
    /// Space that it has beside `state`'s and does not need. An entry of a log may speak of it: it
    /// is free once the catalog was told that none counts.
    private(set) var leftover: [Extent] = []
    /// An object may be on the disk that it became: until its record is settled, or a restart.
    private(set) var mayBePublished = false
    /// Those who are at it right now.
    var users = 0
    private let waiters = WaitQueue()

    init(
        _ id: UploadID, _ terms: UploadTerms, _ state: UploadState, created: UInt64,
        lastActivity: UInt64, expires: UInt64, outcome: UploadOutcome, isRecorded: Bool
    ) {
        self.id = id
        self.terms = terms
        self.state = state
        self.created = created
        self.lastActivity = lastActivity
        self.expires = expires
        self.outcome = outcome
        self.isRecorded = isRecorded
    }

    /// Waits until something has happened to it: who waits asks again what for.
    func wait(on loop: EventLoop) async { await waiters.wait(on: loop) }

    func wakeAll(on loop: EventLoop) { waiters.wakeAll(on: loop) }

    func noteUnflushed(_ volume: VolumeID, since mark: VolumeMark) {
        unflushed[volume] = min(mark, unflushed[volume] ?? mark)
    }

    /// What came last failed, and that is not to be told apart from what came before. `extents` are
    /// no more in `state`.
    func fail(_ error: StoreError, keeping extents: [Extent] = []) {
        failure = error
        leftover += extents
    }

    /// Whether the catalog, and `logged`, have all that anybody was told of it, though it failed;
    /// perhaps since then, for what was on its way to them may have got there.
    var isReloadable: Bool {
        !mayBePublished && isRecorded && commitsUnderWay == 0
            && (unrecordedSince == nil || logged != nil)
    }

    /// The record of the object that it was to become is durably no more.
    func endDoubt() { mayBePublished = false }

    /// Comes, as the catalog has it, in place of what failed. Where nothing has come yet something
    /// may come late: what comes next goes elsewhere.
    func replace(_ failed: OpenUpload) {
        state.releaseGaps()
        var rest = failed.state.space
        for piece in state.space.pieces { _ = rest.remove(piece.blocks) }
        leftover = failed.leftover + rest.extents
        if logged != nil { unrecordedSince = failed.unrecordedSince }
    }

    /// What comes there goes to `extents`, and not where something else may come late.
    func lay(_ extents: [Extent], under blocks: Range<UInt64>) {
        leftover += state.lay(extents, under: blocks)
        // Even if no byte comes: what is not used of it goes back with the next settling.
        changeCount += 1
    }

    /// For whoever frees it.
    func takeLeftover() -> [Extent] {
        defer { leftover = [] }
        return leftover
    }

    /// Its publication failed.
    func doubt(_ error: StoreError) {
        failure = error
        mayBePublished = true
    }

    /// Its publication failed at that stage.
    func fail(_ error: StoreError, at stage: PublicationStage) {
        // What has failed already was not published.
        guard failure == nil else { return }
        switch stage {
        case .claiming: break
        case .flushing: fail(error)
        case .recording: doubt(error)
        }
    }

    /// Whether nobody is at it, nor anything under way.
    var isLeft: Bool {
        users == 0 && state.writers.isEmpty && !isSettling && blockWrites == 0 && ending == .none
    }

    /// As its client may know it.
    var status: UploadStatus {
        UploadStatus(
            id: id, terms: terms,
            offset: outcome == .unfinished ? durable.prefixEnd : state.length ?? 0,
            received: durable, length: state.length, created: created,
            lastActivity: lastActivity, expires: expires, isFinished: outcome.isPublished,
            digests: digests)
    }

    /// Somebody is at it: its time begins anew.
    func touch(at time: UInt64) {
        let lifetime = expires - min(expires, lastActivity)
        lastActivity = max(lastActivity, time)
        expires = lastActivity + lifetime
    }
}

extension OpenUpload {
    /// What entries of the log say that the catalog's record does not.
    struct Logged {
        /// That of the last one.
        let sequence: UInt64
        /// As the last one has it.
        let record: [UInt8]
        /// By number: as the last that had it has it.
        var pages: [Int: [UInt32]]

        init(_ entry: ProgressEntry, after last: Logged?) {
            (sequence, record) = (entry.sequence, entry.record)
            pages = last?.pages ?? [:]
            for page in entry.pages { pages[page.number] = page.checksums }
        }
    }
}

/// What became of an upload.
enum UploadOutcome: Equatable, Sendable {
    case unfinished
    /// As the object of that sequence.
    case published(sequence: UInt64)

    var isPublished: Bool {
        if case .published = self { return true }
        return false
    }
}
