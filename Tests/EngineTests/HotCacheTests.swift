// Goal:   the cache holds exactly what was put in and not pushed out, and never gives away bytes
//         that somebody is still sending.
// Method: a dictionary as the model, seeded random steps; single rules by small scripts.

import BenchMeasure
import IO
import Testing

@testable import Engine

private func makeArena(megabytes: Int) -> Arena {
    let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: megabytes << 20, alignment: 1 << 12)
    return unsafe Arena(memory)
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A cache over an arena of its own, with entries whose content tells whose they are.
private final class Shelf {
    let arena: Arena
    var cache: HotCache

    init(megabytes: Int = 2, hashKey: UInt64 = 7) {
        arena = makeArena(megabytes: megabytes)
        let all = Region(offset: 0, count: UInt32(megabytes << 20))
        cache = HotCache(over: all, of: arena, hashKey: hashKey)
    }

    @discardableResult
    func insert(_ name: String, sequence: UInt64 = 1, count: Int = 100) -> UInt32? {
        let facts = HotCache.Facts(sequence: sequence, modifiedSeconds: 5, checksum: 6)
        let fields = bytes("F\(sequence)")
        guard
            let slot = cache.insert(
                bytes(name).span, facts: facts, fieldCount: fields.count, bodyCount: count)
        else { return nil }
        arena.copy(fields.span, to: cache.entry(slot).fields)
        arena.copy(body(name, sequence, count).span, to: cache.entry(slot).body)
        return slot
    }

    func body(_ name: String, _ sequence: UInt64, _ count: Int) -> [UInt8] {
        let seed = bytes(name).reduce(Int(truncatingIfNeeded: sequence)) { ($0 &* 31) &+ Int($1) }
        return [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: count)
    }

    func holdsBody(_ slot: UInt32, _ name: String, _ sequence: UInt64, _ count: Int) -> Bool {
        arena.holds(body(name, sequence, count).span, at: cache.entry(slot).body)
    }

    var count: Int { cache.count }
    var bytesUsed: Int { cache.bytesUsed }
    func entry(_ slot: UInt32) -> HotCache.Entry { cache.entry(slot) }
    func borrow(_ count: Int) -> Region? { cache.borrow(count) }

    func find(_ name: String) -> UInt32? { cache.find(bytes(name).span) }
    func forget(_ name: String, upTo sequence: UInt64) {
        cache.forget(bytes(name).span, upTo: sequence)
    }
}

@Suite struct `The hot cache` {
    @Test func `finds what was put in, in one piece`() throws {
        let shelf = Shelf()
        shelf.insert("a", sequence: 3, count: 10)
        let slot = try #require(shelf.find("a"))
        let entry = shelf.entry(slot)
        #expect(entry.facts.sequence == 3)
        #expect(entry.facts.modifiedSeconds == 5)
        #expect(entry.facts.checksum == 6)
        #expect(entry.bodyCount == 10)
        #expect(entry.fields.count == 2)
        #expect(entry.fieldsAndBody.offset == entry.fields.offset)
        #expect(entry.fieldsAndBody.count == 12)
        #expect(entry.body.offset == entry.fields.offset + 2)
        let isWhole = shelf.holdsBody(slot, "a", 3, 10)
        #expect(isWhole)
        let other = shelf.find("b")
        #expect(other == nil)
        let empty = shelf.find("")
        #expect(empty == nil)
    }

    @Test func `has one entry a name, the latest`() throws {
        let shelf = Shelf()
        shelf.insert("a", sequence: 1)
        shelf.insert("a", sequence: 2)
        let slot = try #require(shelf.find("a"))
        #expect(shelf.entry(slot).facts.sequence == 2)
        #expect(shelf.count == 1)
    }

    @Test func `forgets up to a sequence, not beyond`() {
        let shelf = Shelf()
        shelf.insert("a", sequence: 5)
        shelf.forget("a", upTo: 4)
        let stays = shelf.find("a")
        #expect(stays != nil)
        shelf.forget("a", upTo: 5)
        let gone = shelf.find("a")
        #expect(gone == nil)
        #expect(shelf.bytesUsed == 0)
        shelf.forget("never there", upTo: .max)
    }

    @Test func `takes nothing that would fill too much of it`() {
        let shelf = Shelf(megabytes: 1)
        let large = shelf.insert("a", count: 200_000)
        #expect(large == nil)
        #expect(shelf.bytesUsed == 0)
        let empty = Shelf(megabytes: 1)
        empty.cache = HotCache(
            over: Region(offset: 0, count: 0), of: empty.arena, hashKey: 1)
        let none = empty.insert("a", count: 1)
        #expect(none == nil)
        let found = empty.find("a")
        #expect(found == nil)
    }

    @Test func `pushes out the oldest, but not what was asked for since`() {
        let shelf = Shelf(megabytes: 1)
        let count = 60_000  // 64 KiB with its name: sixteen fit.
        for index in 0..<16 { shelf.insert("o\(index)", count: count) }
        #expect(shelf.count == 16)
        _ = shelf.find("o0")
        _ = shelf.find("o1")
        for index in 16..<18 { shelf.insert("o\(index)", count: count) }
        let kept = [0, 1, 4, 15, 16, 17].map { shelf.find("o\($0)") != nil }
        #expect(kept == Array(repeating: true, count: 6))
        let pushedOut = [2, 3].map { shelf.find("o\($0)") == nil }
        #expect(pushedOut == [true, true])
    }

    /// SIEVE's point: one look at many does not push out the few that are asked for often.
    @Test func `survives a scan`() {
        let shelf = Shelf(megabytes: 1)
        for index in 0..<8 { shelf.insert("hot\(index)", count: 60_000) }
        for index in 0..<200 {
            shelf.insert("cold\(index)", count: 60_000)
            for hot in 0..<8 { _ = shelf.find("hot\(hot)") }
        }
        let survivors = (0..<8).filter { shelf.find("hot\($0)") != nil }
        #expect(survivors.count == 8)
    }

    @Test func `keeps pinned bytes in place, whatever happens to their name`() throws {
        let shelf = Shelf(megabytes: 1)
        let slot = try #require(shelf.insert("a", sequence: 1, count: 60_000))
        shelf.cache.pin(slot)
        shelf.cache.pin(slot)
        shelf.forget("a", upTo: 9)
        let gone = shelf.find("a")
        #expect(gone == nil)
        shelf.insert("a", sequence: 10, count: 60_000)
        for index in 0..<100 { shelf.insert("o\(index)", count: 60_000) }
        var isWhole = shelf.holdsBody(slot, "a", 1, 60_000)
        #expect(isWhole)
        shelf.cache.unpin(slot)
        for index in 0..<100 { shelf.insert("p\(index)", count: 60_000) }
        isWhole = shelf.holdsBody(slot, "a", 1, 60_000)
        #expect(isWhole)
        shelf.cache.unpin(slot)
        for index in 0..<16 { shelf.insert("q\(index)", count: 60_000) }
        #expect(shelf.count == 16)
    }

    @Test func `has no room when everything is pinned, and again when it is not`() throws {
        let shelf = Shelf(megabytes: 1)
        var slots: [UInt32] = []
        for index in 0..<16 {
            let slot = try #require(shelf.insert("o\(index)", count: 60_000))
            shelf.cache.pin(slot)
            slots.append(slot)
        }
        let refused = shelf.insert("more", count: 60_000)
        #expect(refused == nil)
        let still = shelf.find("o3")
        #expect(still != nil)
        shelf.cache.unpin(slots[3])
        let taken = shelf.insert("more", count: 60_000)
        #expect(taken != nil)
        for (index, slot) in slots.enumerated() where index != 3 { shelf.cache.unpin(slot) }
    }

    @Test func `lends room at the cost of its objects, and has it back`() throws {
        let shelf = Shelf(megabytes: 1)
        for index in 0..<16 { shelf.insert("o\(index)", count: 60_000) }
        let first = try #require(shelf.borrow(100_000))
        #expect(first.count >= 100_000)
        #expect(shelf.count < 16)
        let tooLarge = shelf.borrow(2 << 20)
        #expect(tooLarge == nil)
        let bytesTotal = shelf.cache.bytesTotal
        #expect(shelf.cache.bytesLendable == bytesTotal - Int(first.count))
        shelf.cache.takeBack(first)
        #expect(shelf.cache.bytesLendable == bytesTotal)
        for index in 0..<16 { shelf.forget("o\(index)", upTo: .max) }
        #expect(shelf.bytesUsed == 0)
    }

    @Test func `traps when it is unpinned more often than pinned`() async {
        await #expect(processExitsWith: .failure) {
            let shelf = Shelf()
            guard let slot = shelf.insert("a") else { return }
            shelf.cache.unpin(slot)
        }
    }

    @Test(arguments: 0..<20 as Range<Int>)
    func `agrees with a dictionary`(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        let shelf = Shelf(megabytes: 1, hashKey: UInt64(seed))
        var model: [String: (sequence: UInt64, count: Int)] = [:]
        var pins: [(slot: UInt32, name: String, sequence: UInt64, count: Int)] = []
        for step in 1...600 {
            let name = "n\(Int.random(in: 0..<60, using: &generator))"
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...3:
                let count = Int.random(in: 0...40_000, using: &generator)
                if shelf.insert(name, sequence: UInt64(step), count: count) != nil {
                    model[name] = (UInt64(step), count)
                } else {
                    model[name] = nil
                }
            case 4:
                shelf.forget(name, upTo: UInt64(step))
                model[name] = nil
            case 5:
                if pins.count < 8, let slot = shelf.find(name), let known = model[name] {
                    shelf.cache.pin(slot)
                    pins.append((slot, name, known.sequence, known.count))
                }
            case 6:
                if let pin = pins.popLast() { shelf.cache.unpin(pin.slot) }
            default:
                guard let slot = shelf.find(name) else { continue }
                // Found: then it is the latest, whole. Not found may be eviction.
                let known = model[name]
                #expect(known?.sequence == shelf.entry(slot).facts.sequence)
                let isWhole = shelf.holdsBody(slot, name, known?.sequence ?? 0, known?.count ?? -1)
                #expect(isWhole)
            }
            for pin in pins {
                let isWhole = shelf.holdsBody(pin.slot, pin.name, pin.sequence, pin.count)
                #expect(isWhole)
            }
        }
        for pin in pins { shelf.cache.unpin(pin.slot) }
        for name in model.keys { shelf.forget(name, upTo: .max) }
        #expect(shelf.count == 0)
        #expect(shelf.bytesUsed == 0)
    }

    /// More names than the table has slots would have; removal must not cut probe runs.
    @Test func `finds every name among thousands, after half of them are gone`() {
        let shelf = Shelf(megabytes: 8)
        for index in 0..<4000 { shelf.insert("name-\(index)", count: 10) }
        for index in stride(from: 0, to: 4000, by: 2) { shelf.forget("name-\(index)", upTo: 9) }
        let wrong = (0..<4000).filter { index in
            (shelf.find("name-\(index)") != nil) == index.isMultiple(of: 2)
        }
        #expect(wrong.isEmpty)
        #expect(shelf.count == 2000)
    }
}

@Suite struct `A name's hash` {
    private let key: UInt64 = 0x5a17_c3b9_88d2_4e61

    @Test func `depends on every byte, the length and the key`() {
        let hash = NameHash(key: key)
        let other = NameHash(key: ~key)
        var seen: Set<UInt64> = []
        for count in 0...40 {
            let name = [UInt8](repeating: UInt8(ascii: "a"), count: count)
            seen.insert(hash(name.span))
            #expect(hash(name.span) == hash(name.span))
            #expect(hash(name.span) != other(name.span))
            for index in 0..<count {
                var changed = name
                changed[index] = UInt8(ascii: "b")
                seen.insert(hash(changed.span))
            }
        }
        #expect(seen.count == 41 + (0...40).reduce(0, +))
    }

    @Test func `spreads over a table`() {
        let hash = NameHash(key: key)
        var counts = Array(repeating: 0, count: 256)
        for index in 0..<25_600 { counts[Int(hash(bytes("object/\(index)").span) & 255)] += 1 }
        // A hundred each on average; six standard deviations are sixty.
        #expect(counts.allSatisfy { (40...160).contains($0) })
    }
}
