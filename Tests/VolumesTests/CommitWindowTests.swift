// The commit window: sequences in any order, one watermark.

import Testing

@testable import Volumes

@Suite struct `A commit window` {
    @Test func `moves its mark over what is resolved without a gap`() {
        var window = CommitWindow(last: 10, spanMax: 8)
        let sequences = (0..<4).compactMap { _ in window.assign() }
        #expect(sequences == [11, 12, 13, 14])
        window.complete(12)
        #expect(window.watermark == 10)
        window.abandon(11)
        #expect(window.watermark == 12)
        window.complete(14)
        #expect(window.watermark == 12)
        window.complete(13)
        #expect(window.watermark == 14 && window.openCount == 0 && window.last == 14)
    }

    @Test func `hands out nothing while the oldest is too far behind`() {
        var window = CommitWindow(last: 0, spanMax: 4)
        for expected in 1...4 { #expect(window.assign() == UInt64(expected)) }
        #expect(window.assign() == nil)
        for sequence in 2...4 { window.complete(UInt64(sequence)) }
        #expect(window.assign() == nil)
        window.complete(1)
        #expect(window.assign() == 5)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with a set over thousands of steps`(seed: UInt64) {
        var chance = Seeded(seed)
        var window = CommitWindow(last: 1_000, spanMax: 64)
        var open: [UInt64] = []
        var wrong = 0
        for _ in 0..<5_000 {
            if Bool.random(using: &chance), let sequence = window.assign() {
                if sequence != window.last { wrong += 1 }
                open.append(sequence)
            } else if !open.isEmpty {
                let sequence = open.remove(at: .random(in: open.indices, using: &chance))
                if Bool.random(using: &chance) {
                    window.complete(sequence)
                } else {
                    window.abandon(sequence)
                }
            }
            let truth = (open.min() ?? window.last + 1) - 1
            if window.watermark != truth || window.openCount != open.count { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func `traps on a sequence resolved twice`() async {
        await #expect(processExitsWith: .failure) {
            var window = CommitWindow(last: 0)
            _ = window.assign()
            _ = window.assign()
            window.complete(2)
            window.complete(2)
        }
    }

    @Test func `traps on a sequence that was never handed out`() async {
        await #expect(processExitsWith: .failure) {
            var window = CommitWindow(last: 5)
            window.complete(6)
        }
    }
}
