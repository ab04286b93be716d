// Goal:   an observer gets the answers to its requests before the jobs of the turn, and is told of
//         the turn's end behind them, while what it asks then is still of that turn.

import IO
import Testing

@testable import Loop

private final class Observer: AnswerObserver {
    let loop: EventLoop
    let notes: Notes

    init(_ loop: EventLoop, _ notes: Notes) {
        self.loop = loop
        self.notes = notes
    }

    func answered(_ tag: UInt32, _ result: Int32) {
        notes.numbers += [Int(tag), Int(result)]
        loop.tellAtEnd(self)
    }

    func turnEnds() {
        notes.numbers.append(-1)
        loop.start(.nop, for: self, tag: 99)
    }
}

@Suite struct `An observer of answers` {
    @Test func `comes before the handlers, and once more behind them`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        let observer = Observer(driven.loop, notes)
        driven.begin { loop in
            notes.numbers.append(Int(await loop.perform(.nop)))
        }
        driven.run()
        driven.loop.start(.nop, for: observer, tag: 7)
        driven.run()
        driven.answer(0, with: 1000)
        driven.answer(1, with: -5)
        #expect(notes.numbers.isEmpty)
        driven.run()
        #expect(notes.numbers == [7, -5, 1000, -1])
        #expect(driven.requests.count == 3 && driven.loop.ticketsOutstanding == 1)
        driven.answer(2, with: 0)
        driven.run()
        #expect(notes.numbers == [7, -5, 1000, -1, 99, 0, -1])
    }

    @Test func `is told each answer under its own tag`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        let observer = Observer(driven.loop, notes)
        for tag in 0..<3 as Range<UInt32> { driven.loop.start(.nop, for: observer, tag: tag) }
        driven.run()
        for (index, result) in [(2, 20), (0, 10), (1, 15)] as [(Int, Int32)] {
            driven.answer(index, with: result)
        }
        driven.run()
        #expect(notes.numbers.prefix(6) == [2, 20, 0, 10, 1, 15])
    }
}
