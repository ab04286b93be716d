// Goal:   no region reaches outside its arena, and bytes land where they were aimed.

import Testing

@testable import IO

@Suite struct `A region` {
    @Test(arguments: [(0, 100), (0, 0), (100, 0), (40, 60), (1, 98)])
    func `gives parts of itself`(skipped: Int, count: Int) {
        let part = Region(offset: 5000, count: 100).part(from: skipped, count: count)
        #expect(part == Region(offset: 5000 + UInt32(skipped), count: UInt32(count)))
    }

    @Test func `traps for a part that starts before it, or ends after it, or is negative`() async {
        await #expect(processExitsWith: .failure) {
            _ = Region(offset: 5000, count: 100).part(from: -1, count: 10)
        }
        await #expect(processExitsWith: .failure) {
            _ = Region(offset: 5000, count: 100).part(from: 91, count: 10)
        }
        await #expect(processExitsWith: .failure) {
            _ = Region(offset: 5000, count: 100).part(from: 10, count: -1)
        }
        await #expect(processExitsWith: .failure) {
            _ = Region(offset: 5000, count: 100).part(from: .max, count: 1)
        }
    }
}

@Suite struct `An arena` {
    private let arena = makeArena(count: 8192)

    private func bytes(_ region: Region) -> [UInt8] {
        let span = arena.span(region)
        return span.indices.map { span[$0] }
    }

    private func fill(_ region: Region, with bytes: [UInt8]) {
        unsafe arena.copy(bytes.span.bytes, to: region)
    }

    @Test func `copies to the front of a region and leaves the rest alone`() {
        arena.zero(Region(offset: 0, count: 8192))
        fill(Region(offset: 100, count: 5), with: [1, 2, 3])
        #expect(bytes(Region(offset: 99, count: 7)) == [0, 1, 2, 3, 0, 0, 0])
        arena.copy(Region(offset: 100, count: 3), to: Region(offset: 8189, count: 3))
        #expect(bytes(Region(offset: 8188, count: 4)) == [0, 1, 2, 3])
        arena.zero(Region(offset: 101, count: 1))
        #expect(bytes(Region(offset: 100, count: 3)) == [1, 0, 3])
    }

    @Test func `copies nothing from nothing`() {
        fill(Region(offset: 0, count: 1), with: [9])
        fill(Region(offset: 0, count: 0), with: [])
        #expect(bytes(Region(offset: 0, count: 1)) == [9])
    }

    @Test func `tells equal regions from others`() {
        fill(Region(offset: 0, count: 4), with: [1, 2, 3, 4])
        fill(Region(offset: 4096, count: 4), with: [1, 2, 3, 5])
        let (left, right) = (Region(offset: 0, count: 4), Region(offset: 4096, count: 4))
        #expect(!arena.equal(left, right))
        #expect(arena.equal(left.part(from: 0, count: 3), right.part(from: 0, count: 3)))
        #expect(!arena.equal(left, left.part(from: 0, count: 3)))
        #expect(arena.equal(left.part(from: 0, count: 0), right.part(from: 4, count: 0)))
    }

    @Test func `tells whether a region holds certain bytes`() {
        fill(Region(offset: 0, count: 3), with: [1, 2, 3])
        let region = Region(offset: 0, count: 3)
        for (candidate, isHeld) in [
            ([1, 2, 3], true), ([1, 2, 4], false), ([1, 2], false), ([1, 2, 3, 0], false),
            ([], false),
        ] as [([UInt8], Bool)] {
            let answer = arena.holds(candidate.span, at: region)
            #expect(answer == isHeld)
        }
        let nothing: [UInt8] = []
        let isHeld = arena.holds(nothing.span, at: Region(offset: 8192, count: 0))
        #expect(isHeld)
    }

    @Test func `appends to a region up to its end`() {
        var output = arena.output(Region(offset: 10, count: 2))
        output.append(7)
        output.append(8)
        let left = output.freeCapacity
        #expect(left == 0)
        #expect(bytes(Region(offset: 10, count: 2)) == [7, 8])
    }

    @Test func `reads what was written through its spans`() {
        var writable = arena.mutableBytes(Region(offset: 20, count: 8))
        writable.storeBytes(of: UInt64(0x0102_0304_0506_0708).littleEndian, as: UInt64.self)
        let first = unsafe arena.bytes(Region(offset: 20, count: 8)).unsafeLoad(as: UInt8.self)
        #expect(first == 8)
    }

    @Test func `traps for a region that ends outside`() async {
        await #expect(processExitsWith: .failure) {
            makeArena(count: 8192).zero(Region(offset: 8192, count: 1))
        }
        await #expect(processExitsWith: .failure) {
            makeArena(count: 8192).zero(Region(offset: .max, count: .max))
        }
    }

    @Test func `traps for a copy larger than its target`() async {
        await #expect(processExitsWith: .failure) {
            let bytes: [UInt8] = [1, 2, 3]
            unsafe makeArena(count: 8192).copy(bytes.span.bytes, to: Region(offset: 0, count: 2))
        }
        await #expect(processExitsWith: .failure) {
            makeArena(count: 8192).copy(
                Region(offset: 0, count: 3), to: Region(offset: 10, count: 2))
        }
    }

    @Test func `cannot be empty`() async {
        await #expect(processExitsWith: .failure) { _ = makeArena(count: 0) }
    }
}

/// Memory for one test; never freed, like every arena.
private func makeArena(count: Int) -> Arena {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
    return unsafe Arena(memory)
}
