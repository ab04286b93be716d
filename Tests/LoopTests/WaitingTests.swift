// Goal:   a handler gets the answer to its own question, whenever that comes and whenever it asks.
// Method: the test plays the kernel on one thread, so that every order can be had.

import IO
import Testing

@testable import Loop

@Suite struct `A waiting handler` {
    @Test func `resumes with the kernel's answer`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        driven.begin { loop in
            notes.numbers.append(Int(await loop.perform(.nop)))
            notes.numbers.append(Int(await loop.perform(.sync(file: Descriptor(7)))))
        }
        driven.run()
        #expect(driven.requests.count == 1 && notes.numbers.isEmpty)
        driven.answer(0, with: 11)
        driven.run()
        #expect(driven.requests.count == 2 && notes.numbers == [11])
        driven.answer(1, with: -5)
        driven.run()
        #expect(notes.numbers == [11, -5])
        #expect(driven.loop.ticketsOutstanding == 0)
    }

    @Test(
        arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]],
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func `fetches answers in any order, whatever order they came in`(
        asks: [Int], answers: [Int]
    ) throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        driven.begin { loop in
            let tickets = (0..<3).map { _ in loop.start(.nop) }
            for index in asks { notes.numbers.append(Int(await loop.answer(tickets[index]))) }
        }
        driven.run()
        for index in answers {
            driven.answer(index, with: Int32(100 + index))
            driven.run()
        }
        #expect(notes.numbers == asks.map { 100 + $0 })
        #expect(driven.loop.ticketsOutstanding == 0)
    }

    @Test func `has a request under way from asking to the answer, whether it is awaited or not`()
        throws
    {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let loop = driven.loop
        let (asked, _) = (loop.start(.nop), loop.makeTicket())
        driven.begin { _ = await $0.perform(.nop) }
        driven.begin { await $0.sleep(until: 9) }
        driven.run()
        #expect(loop.requestsUnderWay == 2 && loop.ticketsOutstanding == 4)
        for index in 0..<2 { driven.answer(index, with: 0) }
        #expect(loop.requestsUnderWay == 0 && loop.isAnswered(asked))
    }

    @Test func `can see whether it would have to wait`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let ticket = driven.loop.start(.nop)
        driven.run()
        #expect(!driven.loop.isAnswered(ticket))
        driven.answer(0, with: 3)
        #expect(driven.loop.isAnswered(ticket))
        let notes = Notes()
        driven.begin { notes.numbers.append(Int(await $0.answer(ticket))) }
        driven.run()
        #expect(notes.numbers == [3] && !driven.loop.isAnswered(ticket))
    }

    @Test func `asks to cancel by its own token, and still gets its answer`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        driven.begin { loop in
            let ticket = loop.start(.nop)
            loop.cancel(ticket)
            notes.numbers.append(Int(await loop.answer(ticket)))
        }
        driven.run()
        try #require(driven.requests.count == 2)
        guard case .cancel(let target) = driven.requests[1].operation else {
            Issue.record("the second request is no cancellation")
            return
        }
        #expect(target == driven.requests[0].token)
        driven.answer(1, with: 0)
        driven.answer(0, with: -KernelError.cancelled.code)
        driven.run()
        #expect(notes.numbers == [-125] && driven.loop.ticketsOutstanding == 0)
    }

    @Test func `does not get a late completion of its slot's last user`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        for _ in 0..<2 {
            driven.begin { notes.numbers.append(Int(await $0.perform(.nop))) }
            driven.run()
            if driven.requests.count == 1 {
                driven.answer(0, with: 1)
                driven.run()
            }
        }
        let (old, new) = (driven.requests[0].token, driven.requests[1].token)
        #expect(old.slot == new.slot && old.generation != new.generation)
        driven.answer(0, with: 99)
        driven.run()
        #expect(notes.numbers == [1])
        driven.answer(1, with: 2)
        driven.run()
        #expect(notes.numbers == [1, 2])
    }

    @Test func `wakes another in the order of the calls`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        let tickets = (0..<3).map { _ in driven.loop.makeTicket() }
        for (index, ticket) in tickets.enumerated() {
            driven.begin { loop in
                notes.numbers.append(index * 10 + Int(await loop.answer(ticket)))
            }
        }
        driven.run()
        for index in [2, 0, 1] { driven.loop.wake(tickets[index], with: Int32(index)) }
        driven.run()
        #expect(notes.numbers == [22, 0, 11])
        #expect(driven.requests.isEmpty)
    }

    @Test func `traps if its request is answered twice, or awaited twice`() async {
        await #expect(processExitsWith: .failure) {
            let driven = try HandDrivenLoop()
            _ = driven.loop.start(.nop)
            driven.run()
            driven.answer(0, with: 0)
            driven.answer(0, with: 0)
        }
        await #expect(processExitsWith: .failure) {
            let driven = try HandDrivenLoop()
            let ticket = driven.loop.start(.nop)
            driven.begin { _ = await $0.answer(ticket) }
            driven.begin { _ = await $0.answer(ticket) }
            driven.run()
        }
        await #expect(processExitsWith: .failure) {
            let driven = try HandDrivenLoop()
            let ticket = driven.loop.start(.nop)
            driven.run()
            driven.answer(0, with: 0)
            driven.begin {
                _ = await $0.answer(ticket)
                _ = await $0.answer(ticket)
            }
            driven.run()
        }
    }
}

@Suite struct `A sleeping handler` {
    @Test func `wakes in the order of deadlines, not of calls`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        let deadlines = [50, 10, 40, 10, 30, 20, 60] as [UInt64]
        for deadline in deadlines {
            driven.begin { loop in
                await loop.sleep(until: deadline)
                notes.numbers.append(Int(deadline))
            }
        }
        driven.run(now: 1)
        #expect(notes.numbers.isEmpty && driven.loop.nextDeadline == 10)
        driven.run(now: 9)
        #expect(notes.numbers.isEmpty)
        driven.run(now: 10)
        #expect(notes.numbers == [10, 10] && driven.loop.nextDeadline == 20)
        driven.run(now: 45)
        #expect(notes.numbers == [10, 10, 20, 30, 40])
        driven.run(now: 1000)
        #expect(notes.numbers == [10, 10, 20, 30, 40, 50, 60])
        #expect(driven.loop.nextDeadline == nil && driven.loop.ticketsOutstanding == 0)
    }

    @Test func `whose time has passed wakes at the next turn`() throws {
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let notes = Notes()
        driven.begin { loop in
            await loop.sleep(until: 5)
            notes.numbers.append(1)
        }
        driven.run(now: 100)
        driven.run(now: 100)
        #expect(notes.numbers == [1])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `is one of many in a heap that keeps its order`(seed: UInt64) {
        var random = SystemRandomNumberGenerator()
        var heap = TimerHeap()
        var expected: [UInt64] = []
        var now: UInt64 = 0
        for step in 0..<500 {
            if (UInt64(step) &* 2_654_435_761 &+ seed) % 3 != 0 {
                let deadline = now + random.next(upperBound: 1000 as UInt64)
                heap.push(Ticket(slot: UInt32(step), generation: 0), deadline: deadline)
                expected.append(deadline)
            } else {
                now += 200
                expected.sort()
                while let first = expected.first, first <= now {
                    #expect(heap.first == first)
                    let isPopped = heap.popDue(now: now) != nil
                    #expect(isPopped)
                    expected.removeFirst()
                }
                let more = heap.popDue(now: now)
                #expect(more == nil && heap.first == expected.first)
            }
        }
    }
}

@Suite struct `A queue` {
    @Test func `gives back in order what it was given, over every growth and wrap`() {
        var queue = Queue<Int>()
        var (pushed, popped) = (0, 0)
        for round in 0..<200 {
            for _ in 0..<(round * 7 % 40) {
                queue.push(pushed)
                pushed += 1
            }
            for _ in 0..<(round * 5 % 35) {
                let expected = popped < pushed ? popped : nil
                let element = queue.pop()
                #expect(element == expected)
                if element != nil { popped += 1 }
            }
            #expect(queue.isEmpty == (popped == pushed))
        }
        while let element = queue.pop() {
            #expect(element == popped)
            popped += 1
        }
        #expect(popped == pushed && pushed > 64)
    }
}
