// Between threads nothing is lost, nothing piles up, and nobody waits for ever.

import Foundation
import Synchronization
import Testing
import Trees

@testable import Transfer

@Suite struct `A place where files are handed over` {
    @Test func `gives each to one taker, in order, and then the end`() {
        let place = HandOver<Int>(countMax: 8)
        for number in 0..<5 { #expect(place.put(number)) }
        place.end()
        #expect((0..<6).map { _ in place.take() } == [0, 1, 2, 3, 4, nil])
        #expect(!place.put(6))
        #expect(place.take() == nil)
    }

    @Test func `forgets what is there when it is cut`() {
        let place = HandOver<Int>(countMax: 8)
        #expect(place.put(1))
        place.cut()
        #expect(place.take() == nil)
        #expect(!place.put(2))
    }

    @Test func `holds back who brings more than it holds`() {
        let place = HandOver<Int>(countMax: 2)
        let brought = Atomic(0)
        let sum = Atomic(0)
        let group = DispatchGroup()
        DispatchQueue(label: "bring").async(group: group) {
            for number in 0..<100 where place.put(number) {
                brought.wrappingAdd(1, ordering: .sequentiallyConsistent)
            }
            place.end()
        }
        while brought.load(ordering: .sequentiallyConsistent) < 2 { usleep(1000) }
        #expect(brought.load(ordering: .sequentiallyConsistent) == 2)
        for queue in 0..<3 {
            DispatchQueue(label: "take \(queue)").async(group: group) {
                while let number = place.take() {
                    sum.wrappingAdd(number, ordering: .sequentiallyConsistent)
                }
            }
        }
        group.wait()
        #expect(sum.load(ordering: .sequentiallyConsistent) == 4950)
    }

    @Test func `lets who waits for room go when it is cut`() {
        let place = HandOver<Int>(countMax: 1)
        let answers = Mutex<[Bool]>([])
        let group = DispatchGroup()
        DispatchQueue(label: "bring").async(group: group) {
            for number in 0..<2 {
                let isTaken = place.put(number)
                answers.withLock { $0.append(isTaken) }
            }
        }
        while answers.withLock({ $0.isEmpty }) { usleep(1000) }
        place.cut()
        group.wait()
        #expect(answers.withLock { $0 } == [true, false])
    }
}

@Suite struct `The list of a server` {
    @Test func `is read with names as they are`() throws {
        let text = """
            {"objects":[{"path":"a/\\u00fc\\"b","size":3,"modified":1790000000,"sequence":7},
            {"path":"b","size":0,"modified":0,"sequence":8}],"next":"b"}
            """
        let page = try #require(ListingDocument.page(Array(text.utf8)))
        #expect(page.objects.map(\.name) == [Array("a/ü\"b".utf8), Array("b".utf8)])
        #expect(page.objects[0].facts.byteCount == 3)
        #expect(page.objects[0].facts.modified == 1_790_000_000)
        #expect(!page.isLast)
        let last = try #require(ListingDocument.page(Array(#"{"objects":[],"next":null}"#.utf8)))
        #expect(last.isLast && last.objects.isEmpty)
    }

    @Test(arguments: ["", "[]", "{}", #"{"objects":[{"path":"a"}],"next":null}"#])
    func `is refused if it is none`(text: String) {
        #expect(ListingDocument.page(Array(text.utf8)) == nil)
    }
}

@Suite struct `What a run is told` {
    private func report() -> RunReport {
        RunReport(.importing)
    }

    @Test func `of a file that failed concerns no other`() {
        let report = report()
        report.carry([97], bytes: 3) { () throws(DoorError) in throw .failed("broken") }
        #expect(report.counts.failed == 1)
        #expect(!report.isStopping)
        #expect(report.reason == nil)
    }

    @Test func `of a file that no other can follow ends it`() {
        let report = report()
        report.carry([97], bytes: 3) { () throws(DoorError) in throw .hopeless("full") }
        #expect(report.counts.failed == 1)
        guard case .hopeless("full") = report.reason else {
            Issue.record("\(String(describing: report.reason))")
            return
        }
        #expect(report.isStopping)
    }

    @Test func `of a busy store has it ask again`() {
        let report = report()
        var tries = 0
        report.carry([97], bytes: 3) { () throws(DoorError) in
            tries += 1
            if tries < 3 { throw .busy("later") }
            return (.transferred(bytes: 3), nil)
        }
        #expect(tries == 3)
        #expect(report.counts.transferred == 1)
        #expect(!report.isStopping)
    }

    @Test func `of a busy store is not waited for once it is to end`() {
        let report = report()
        report.end(because: .signal(exitCode: 130))
        report.carry([97], bytes: 3) { () throws(DoorError) in throw .busy("later") }
        #expect(report.counts.failed == 1)
        guard case .signal(exitCode: 130) = report.reason else {
            Issue.record("the first reason counts")
            return
        }
    }
}
