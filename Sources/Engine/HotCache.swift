/// Which small objects stay in a core's registered memory, ready to be sent.
///
/// Eviction is SIEVE (Zhang et al., NSDI '24): first in, first out, but what was asked for since
/// the hand last passed survives; one look at many objects does not push out the few that are
/// asked for often. The table is open addressing with linear probing over slot numbers.
///
///     region of an entry: | name | response fields, ready to send | body |
///
/// Invariant: an entry is in the table and in the queue, or removed and pinned, or free.

public import IO

public struct HotCache: ~Copyable {
    /// What a core needs to answer for a cached object, besides its bytes.
    public struct Facts: Sendable {
        public let sequence: UInt64
        public let modifiedSeconds: UInt64
        public let checksum: UInt32

        public init(sequence: UInt64, modifiedSeconds: UInt64, checksum: UInt32) {
            self.sequence = sequence
            self.modifiedSeconds = modifiedSeconds
            self.checksum = checksum
        }
    }

    public struct Entry: Sendable {
        public fileprivate(set) var facts = Facts(sequence: 0, modifiedSeconds: 0, checksum: 0)
        fileprivate var region = Region(offset: 0, count: 0)
        fileprivate var hash: UInt64 = 0
        fileprivate var nameCount: UInt32 = 0
        fileprivate var fieldCount: UInt32 = 0
        public fileprivate(set) var bodyCount: UInt32 = 0
        fileprivate var pinCount: UInt32 = 0
        fileprivate var newer = HotCache.none
        fileprivate var older = HotCache.none
        fileprivate var isListed = false
        fileprivate var wasVisited = false

        public var name: Region { region.part(from: 0, count: Int(nameCount)) }
        public var body: Region {
            region.part(from: Int(nameCount + fieldCount), count: Int(bodyCount))
        }
        /// The response's fields and its body, in one piece.
        public var fieldsAndBody: Region {
            region.part(from: Int(nameCount), count: Int(fieldCount + bodyCount))
        }
        public var fields: Region { region.part(from: Int(nameCount), count: Int(fieldCount)) }
    }

    fileprivate static let none = UInt32.max

    private let arena: Arena
    private let hashOf: NameHash
    private var pool: BufferPool
    private var entries: [Entry] = []
    private var firstFree: [UInt32] = []
    private var table: [UInt32]
    private var newest = HotCache.none
    private var oldest = HotCache.none
    private var hand = HotCache.none
    public private(set) var count = 0
    private var bytesLent = 0

    /// - Parameters:
    ///   - region: the cache's share of `arena`, aligned to 1 MiB.
    ///   - hashKey: secret, so that clients cannot aim names at one place.
    public init(over region: Region, of arena: Arena, hashKey: UInt64) {
        self.arena = arena
        hashOf = NameHash(key: hashKey)
        pool = BufferPool(over: region)
        let entryMax = max(64, Int(region.count) / BufferPool.smallest)
        // At most half full, so that probes stay short.
        var capacity = 128
        while capacity < entryMax * 2 { capacity *= 2 }
        table = Array(repeating: HotCache.none, count: capacity)
    }

    public var bytesTotal: Int { pool.bytesTotal }
    /// What `borrow` could still get if nothing were pinned and all lay together.
    public var bytesLendable: Int { pool.bytesTotal - bytesLent }
    public var bytesUsed: Int { pool.bytesTotal - pool.bytesFree }

    @inline(__always)
    public func entry(_ slot: UInt32) -> Entry { entries[Int(slot)] }

    /// The slot of the object of that name, marked as asked for.
    public mutating func find(_ name: Span<UInt8>) -> UInt32? {
        let hash = hashOf(name)
        var index = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[index] != HotCache.none {
            let slot = table[index]
            if entries[Int(slot)].hash == hash, isNamed(slot, name) {
                entries[Int(slot)].wasVisited = true
                return slot
            }
            index = (index + 1) & (table.count - 1)
        }
        return nil
    }

    /// Makes room for an object and lists it; the caller fills `fields` and `body` before it
    /// returns to the loop. Nil if it is too large or everything in the way is pinned.
    public mutating func insert(
        _ name: Span<UInt8>, facts: Facts, fieldCount: Int, bodyCount: Int
    ) -> UInt32? {
        let wanted = name.count + fieldCount + bodyCount
        guard wanted <= BufferPool.largest, wanted <= pool.bytesTotal / 8 else { return nil }
        if let old = find(name) { remove(old) }
        guard let region = makeRoom(wanted) else { return nil }
        arena.copy(name, to: region)
        let slot = takeSlot()
        var entry = Entry()
        entry.facts = facts
        entry.region = region
        entry.hash = hashOf(name)
        entry.nameCount = UInt32(name.count)
        entry.fieldCount = UInt32(fieldCount)
        entry.bodyCount = UInt32(bodyCount)
        entries[Int(slot)] = entry
        tabulate(slot)
        list(slot)
        return slot
    }

    /// Forgets the object of that name if it is not newer than `sequence`.
    public mutating func forget(_ name: Span<UInt8>, upTo sequence: UInt64) {
        guard let slot = find(name), entries[Int(slot)].facts.sequence <= sequence else { return }
        remove(slot)
    }

    /// Keeps the entry's bytes in place while they are being sent.
    public mutating func pin(_ slot: UInt32) { entries[Int(slot)].pinCount += 1 }

    public mutating func unpin(_ slot: UInt32) {
        precondition(entries[Int(slot)].pinCount > 0, "unpinned more often than pinned")
        entries[Int(slot)].pinCount -= 1
        if entries[Int(slot)].pinCount == 0, !entries[Int(slot)].isListed { release(slot) }
    }

    // MARK: Room

    /// Memory for something else than objects, which make room for it; see `takeBack`.
    public mutating func borrow(_ count: Int) -> Region? {
        guard count <= BufferPool.largest, let region = makeRoom(count) else { return nil }
        bytesLent += Int(region.count)
        return region
    }

    /// Ends a loan of `borrow`.
    public mutating func takeBack(_ region: Region) {
        bytesLent -= Int(region.count)
        pool.giveBack(BufferLease(attaching: region))
    }

    private mutating func makeRoom(_ count: Int) -> Region? {
        // The hand passes each entry at most twice: once to clear its mark, once to take it.
        var passesLeft = self.count * 2 + 1
        while true {
            if let lease = pool.lease(count) { return lease.detach() }
            guard passesLeft > 0, evictNext(&passesLeft) else { return nil }
        }
    }

    /// SIEVE's hand: from the oldest towards the newest, then again from the oldest.
    private mutating func evictNext(_ passesLeft: inout Int) -> Bool {
        while passesLeft > 0 {
            passesLeft -= 1
            if hand == HotCache.none { hand = oldest }
            guard hand != HotCache.none else { return false }
            let slot = hand
            hand = entries[Int(slot)].newer
            if entries[Int(slot)].wasVisited {
                entries[Int(slot)].wasVisited = false
            } else if entries[Int(slot)].pinCount == 0 {
                remove(slot)
                return true
            }
        }
        return false
    }

    // MARK: Table and queue

    private func isNamed(_ slot: UInt32, _ name: Span<UInt8>) -> Bool {
        arena.holds(name, at: entries[Int(slot)].name)
    }

    private mutating func takeSlot() -> UInt32 {
        if let slot = firstFree.popLast() { return slot }
        entries.append(Entry())
        return UInt32(entries.count - 1)
    }

    private mutating func remove(_ slot: UInt32) {
        untabulate(slot)
        unlist(slot)
        if entries[Int(slot)].pinCount == 0 { release(slot) }
    }

    private mutating func release(_ slot: UInt32) {
        pool.giveBack(BufferLease(attaching: entries[Int(slot)].region))
        firstFree.append(slot)
    }

    private mutating func tabulate(_ slot: UInt32) {
        var index = Int(truncatingIfNeeded: entries[Int(slot)].hash) & (table.count - 1)
        while table[index] != HotCache.none { index = (index + 1) & (table.count - 1) }
        table[index] = slot
    }

    /// Removes without a tombstone: later members of the probe run move up into the gap.
    private mutating func untabulate(_ slot: UInt32) {
        let mask = table.count - 1
        var gap = Int(truncatingIfNeeded: entries[Int(slot)].hash) & mask
        while table[gap] != slot { gap = (gap + 1) & mask }
        var index = (gap + 1) & mask
        while table[index] != HotCache.none {
            let home = Int(truncatingIfNeeded: entries[Int(table[index])].hash) & mask
            if (index - home) & mask >= (index - gap) & mask {
                table[gap] = table[index]
                gap = index
            }
            index = (index + 1) & mask
        }
        table[gap] = HotCache.none
    }

    private mutating func list(_ slot: UInt32) {
        entries[Int(slot)].older = newest
        entries[Int(slot)].newer = HotCache.none
        entries[Int(slot)].isListed = true
        if newest != HotCache.none { entries[Int(newest)].newer = slot }
        newest = slot
        if oldest == HotCache.none { oldest = slot }
        count += 1
    }

    private mutating func unlist(_ slot: UInt32) {
        let (older, newer) = (entries[Int(slot)].older, entries[Int(slot)].newer)
        if hand == slot { hand = newer }
        if older == HotCache.none { oldest = newer } else { entries[Int(older)].newer = newer }
        if newer == HotCache.none { newest = older } else { entries[Int(newer)].older = older }
        entries[Int(slot)].isListed = false
        count -= 1
    }
}
