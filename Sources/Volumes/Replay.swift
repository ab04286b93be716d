/// From the records that scans found to what recovery has to do.
///
/// The highest sequence of a name wins; every other record of that name is dead. Records may be
/// added in any order, and twice. The rules that make it right, kept by whoever writes:
///
/// 1. A record that ends another (a removal, or a put in its place) names it in `supersedes`, and
///    is itself neither overwritten nor released before that one's header is durably zeroed.
/// 2. Blocks and extents of a dead object are released after its header is durably zeroed.
/// 3. A removal's own block is released after, besides, the catalog has durably applied it: else
///    a catalog that is behind would never learn of it.
///
/// So a removal that is found means that a clean-up may be unfinished; finishing it twice is
/// harmless, because the removed record is recognised by its sequence and not by its place alone.
public struct Replay: Sendable {
    /// The catalog holds everything up to this sequence.
    public let applied: UInt64

    private var newest: [[UInt8]: Record] = [:]
    private var dead: [Record] = []
    private var torn: [Record] = []
    private var seen: Set<RecordReference> = []
    private var sequenceMax: UInt64

    public init(applied: UInt64) {
        self.applied = applied
        sequenceMax = applied
    }

    /// Takes in a whole record.
    public mutating func add(_ record: Record) {
        guard isNew(record) else { return }
        guard let other = newest[record.name] else {
            newest[record.name] = record
            return
        }
        let isNewer = other.isOlder(than: record)
        dead.append(isNewer ? other : record)
        if isNewer { newest[record.name] = record }
    }

    /// Takes in a header whose content is not there.
    public mutating func addTorn(_ record: Record) {
        guard isNew(record) else { return }
        torn.append(record)
    }

    private mutating func isNew(_ record: Record) -> Bool {
        sequenceMax = max(sequenceMax, record.header.stamp.sequence)
        return seen.insert(record.header.reference).inserted
    }

    /// Objects beyond the applied sequence that are the last word on their names, and would not be
    /// if there were a removal of theirs of that sequence.
    public func objects(before sequence: UInt64) -> [Record] {
        newest.values.filter {
            let own = $0.header.stamp.sequence
            return $0.header.kind != .removal && own > applied && own < sequence
        }
    }

    /// What is to be done, in an order that depends on the records alone.
    public func plan() -> ReplayPlan {
        var plan = ReplayPlan(sequenceMax: sequenceMax)
        for record in newest.values.sorted(by: { $0.isOlder(than: $1) }) {
            let isApplied = record.header.stamp.sequence <= applied
            switch (record.header.kind, isApplied) {
            case (.smallObject, false), (.largeObject, false):
                plan.effects.append(.put(record))
                plan.live.append(contentsOf: record.occupied)
            case (.smallObject, true), (.largeObject, true):
                plan.settled.append(record)
            case (.removal, false), (.removal, true):
                // Applied or not: one whose write or flush failed was passed over, not carried out.
                plan.effects.append(.remove(record))
                bury(record, in: &plan)
            }
            noteSubject(of: record, in: &plan)
        }
        for record in dead.sorted(by: { $0.isOlder(than: $1) }) {
            bury(record, in: &plan)
            noteSubject(of: record, in: &plan)
        }
        for record in torn.sorted(by: { $0.isOlder(than: $1) }) {
            place(torn: record, in: &plan)
        }
        return plan
    }

    /// A dead object's header is zeroed; a removal is only released, last of all.
    private func bury(_ record: Record, in plan: inout ReplayPlan) {
        switch record.header.kind {
        case .smallObject, .largeObject: plan.headersToZero.append(record.header.reference)
        case .removal: break
        }
        plan.dying.append(contentsOf: record.occupied)
    }

    /// An unfinished write, or rot of an object that is either dead by now or still to be reported.
    private func place(torn record: Record, in plan: inout ReplayPlan) {
        if record.header.stamp.sequence > applied {
            plan.torn.append(record)
        } else if let last = newest[record.name], record.isOlder(than: last) {
            bury(record, in: &plan)
        } else {
            plan.damaged.append(record)
        }
    }

    private func noteSubject(of record: Record, in plan: inout ReplayPlan) {
        guard let subject = record.header.stamp.supersedes, !seen.contains(subject) else { return }
        plan.unseen.append(
            ReplayPlan.Unseen(name: record.name, subject: subject, endedBy: record.header.reference)
        )
    }
}

/// What recovery has to do, in this order:
///
/// 1. Bring `effects` into the catalog; check `settled` against it.
/// 2. Claim what the catalog's objects occupy (`live` is their part beyond the applied sequence),
///    then `dying`, then `headerExtents` of `torn`.
/// 3. Zero the block at each of `headersToZero`, and those of `torn`; flush their volumes.
/// 4. Release `dying`, and the claimed headers of `torn`.
public struct ReplayPlan: Equatable, Sendable {
    /// One change of the catalog.
    public enum Effect: Equatable, Sendable {
        case put(Record)
        case remove(Record)
    }

    /// A record that was ended and not found: cleaned up already, or in a segment that was not
    /// scanned. Read its block: if a record of that very sequence is there, zero it, flush, and
    /// free what it occupies, all before the blocks of `endedBy` are released.
    public struct Unseen: Equatable, Sendable {
        public let name: [UInt8]
        public let subject: RecordReference
        public let endedBy: RecordReference
    }

    /// The last word on every name that has one beyond the applied sequence, and every removal that
    /// is its name's last word, in ascending order. A removal that the catalog has changes nothing
    /// there; one that failed, and is on the disk all the same, holds from now on.
    public internal(set) var effects: [Effect] = []
    /// Blocks and extents of the objects that `effects` put.
    public internal(set) var live: [Extent] = []
    /// Blocks and extents of dead objects and of removals: used until their headers are zeroed.
    public internal(set) var dying: [Extent] = []
    /// Where dead objects' headers lie.
    public internal(set) var headersToZero: [RecordReference] = []
    public internal(set) var unseen: [Unseen] = []
    /// Objects of the applied part that nothing found supersedes. One that the catalog does not
    /// have (its write was given up, and may still have happened) is dead: zero its header.
    public internal(set) var settled: [Record] = []
    /// Unfinished writes beyond the applied sequence: never acknowledged. Their content is lost.
    public internal(set) var torn: [Record] = []
    /// Records of the applied part with rotten content: to be reported, not touched. (A dead one
    /// is among `headersToZero`; the extents of a large one are known to its manifest only.)
    public internal(set) var damaged: [Record] = []
    /// No sequence that was ever used is higher; the next is one above.
    public let sequenceMax: UInt64

    init(sequenceMax: UInt64) { self.sequenceMax = sequenceMax }

    /// The header blocks of `torn`, one each.
    public var headerExtents: [Extent] {
        torn.map {
            let address = $0.header.stamp.address
            return Extent(volume: address.volume, start: address.block, count: 1)
        }
    }
}

extension Record {
    /// Everything it holds on to: its own blocks and, if it is large, its extents.
    public var occupied: [Extent] { [header.extent] + extents }

    func isOlder(than other: Record) -> Bool {
        (header.stamp.sequence, header.stamp.address.packed)
            < (other.header.stamp.sequence, other.header.stamp.address.packed)
    }
}
