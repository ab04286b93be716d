// Goal:   bodies that are dropped or sent out of a file are counted to the byte, and to the object.
// Method: works as the loop drives them, their answers laid into the arena; rounds without sockets.

import BenchMachine
import BenchMeasure
import Foundation
import IO
import Testing

@testable import BenchLoad

private let names = ObjectNames(folder: "get64k")
private let path = names.path(0)
private let scratch = Region(offset: 0, count: 8 << 10)
private let target = Region(offset: 8 << 10, count: 16 << 10)

private func arrive(_ text: String, in arena: Arena) -> Region {
    var output = arena.output(target)
    for byte in text.utf8 { output.append(byte) }
    return target.part(from: 0, count: text.utf8.count)
}

private func text(_ region: Region?, in arena: Arena) -> String {
    guard let region else { return "" }
    let bytes = Span<UInt8>(_bytes: arena.bytes(region))
    return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

private func head(_ status: String, _ count: Int) -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(count)\r\n\r\n"
}

@Suite struct `Downloads that are dropped` {
    private let arena: Arena

    init() throws { arena = try ClientMemory.map(count: 64 << 10) }

    private func gets(_ choice: StreamGets.Choice, rangesOf: Int? = nil) throws -> StreamGets {
        StreamGets(
            text: try RequestText(names: names, secret: nil), choice: choice, bodyCount: 1_000,
            rangesOf: rangesOf, seed: 1)
    }

    @Test func `count what is still to come behind the head`() throws {
        var gets = try gets(.first(times: 1))
        _ = gets.request(for: 0, scratch: scratch, in: arena)
        let whole = head("200 OK", 1_000)
        #expect(
            try gets.judge(arrive(String(whole.dropLast()), in: arena), for: 0, in: arena)
                == .incomplete)
        #expect(try gets.judge(arrive(whole, in: arena), for: 0, in: arena) == .dropping(1_000))
        let some = whole + String(repeating: "x", count: 999)
        #expect(try gets.judge(arrive(some, in: arena), for: 0, in: arena) == .dropping(1))
        #expect(try gets.judge(arrive(some + "x", in: arena), for: 0, in: arena) == .complete)
        var failure: LoadFailure?
        do { _ = try gets.judge(arrive(some + "xx", in: arena), for: 0, in: arena) } catch {
            failure = error
        }
        #expect(failure == .lengthChanged(of: path))
    }

    @Test(arguments: [
        (head("404 Not Found", 1_000), LoadFailure.status(404, of: path)),
        (head("206 Partial Content", 1_000), .status(206, of: path)),
        (head("200 OK", 999), .lengthChanged(of: path)),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
            .closed(during: path)
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", .response(.badLength)),
    ])
    func `that are no such answer spoil the round`(text: String, expected: LoadFailure) throws {
        var gets = try gets(.first(times: 1))
        var failure: LoadFailure?
        do { _ = try gets.judge(arrive(text, in: arena), for: 0, in: arena) } catch {
            failure = error
        }
        #expect(failure == expected)
    }

    @Test func `ask for every connection's own object, so many times`() throws {
        var gets = try gets(.own(times: 2))
        for _ in 0..<2 {
            let request = text(gets.request(for: 3, scratch: scratch, in: arena), in: arena)
            #expect(request.hasPrefix("GET \(names.path(3)) HTTP/1.1\r\n"))
        }
        let third = gets.request(for: 3, scratch: scratch, in: arena)
        #expect(third == nil)
        let other = text(gets.request(for: 4, scratch: scratch, in: arena), in: arena)
        #expect(other.hasPrefix("GET \(names.path(4)) "))
    }

    @Test func `ask for ranges that lie inside the object, to its last byte`() throws {
        var gets = try gets(.random(of: 1), rangesOf: 1_001)
        var firsts: Set<String> = []
        for _ in 0..<64 {
            let request = text(gets.request(for: 0, scratch: scratch, in: arena), in: arena)
            firsts.insert(String(request.split(separator: "=")[1].prefix { $0 != "\r\n" }))
        }
        #expect(firsts == ["0-999", "1-1000"])
        let answer = arrive(head("206 Partial Content", 1_000), in: arena)
        #expect(try gets.judge(answer, for: 0, in: arena) == .dropping(1_000))
    }
}

@Suite struct `The source file` {
    private let source: SourceFile

    init() throws {
        let file = "/tmp/millrace-bench-\(Clocks.now())"
        source = try SourceFile(path: file, count: 2 << 20, seed: 1)
        try FileManager.default.removeItem(atPath: file)
    }

    @Test func `has a body of its own for as many objects as it has pages to spare`() throws {
        let bodyCount = (2 << 20) - (8 << 10)
        let parts = (0..<4).map { source.part(of: $0, count: bodyCount) }
        #expect(parts.map(\.offset) == [0, 4 << 10, 8 << 10, 0])
        #expect(parts.allSatisfy { $0.count == bodyCount })
        var (first, second) = ([UInt8](repeating: 0, count: 64), [UInt8](repeating: 0, count: 64))
        _ = try source.read(into: &first, at: parts[0].offset)
        _ = try source.read(into: &second, at: parts[1].offset)
        #expect(first != second)
    }

    @Test func `sends a body when it is asked to, or at once`() throws {
        let arena = try ClientMemory.map(count: 64 << 10)
        for expectsContinue in [true, false] {
            var puts = FilePuts(
                text: try RequestText(names: names, secret: nil), numbers: 5..<6, source: source,
                bodyCount: 64 << 10, expectsContinue: expectsContinue, pool: nil)
            let request = text(puts.request(for: 2, scratch: scratch, in: arena), in: arena)
            #expect(request.contains("Expect: 100-continue\r\n") == expectsContinue)
            let asked = puts.body(for: 2)
            let body = try #require(asked)
            #expect(body.awaitsInvitation == expectsContinue)
            #expect(body.part == source.part(of: 5, count: 64 << 10))
            let invitation = arrive("HTTP/1.1 100 Continue\r\n\r\n", in: arena)
            var (judgement, failure): (Judgement?, LoadFailure?)
            do { judgement = try puts.judge(invitation, for: 2, in: arena) } catch {
                failure = error
            }
            #expect(judgement == (expectsContinue ? .invited : nil))
            #expect(failure == (expectsContinue ? nil : .status(100, of: names.path(5))))
            let created = arrive(head("201 Created", 0), in: arena)
            #expect(try puts.judge(created, for: 2, in: arena) == .complete)
            let last = puts.request(for: 2, scratch: scratch, in: arena)
            #expect(last == nil)
        }
    }

    @Test func `is gone from the page cache when its pages are dropped`() throws {
        try OpenFile.syncAll(source.file)
        // tmpfs has nowhere else to keep them.
        let left = try OpenFile.dropPages(source.file)
        #expect(left == 0 || left == source.count)
    }
}

@Suite struct `A round of the load client` {
    private func round(_ connections: Int, _ pace: Pace?, seconds: Double?) -> Round {
        var round = Round(pool: nil)
        for _ in 0..<connections {
            round.connections.append(ConnectionState(socket: Descriptor(-1)))
        }
        round.begin(at: 1_000, seconds: seconds, pace: pace)
        return round
    }

    @Test func `without a pace asks again and again until its time is over`() {
        var round = round(2, nil, seconds: 1e-6)
        #expect(round.firstPaced == 2)
        #expect(round.mayAsk(1))
        let (due, again) = (round.takeDue(at: 5_000), round.count(1, at: 1_500))
        #expect(due == nil && again)
        round.lookAtClock(1_999)
        #expect(round.mayAsk(0))
        round.lookAtClock(2_000)
        #expect(!round.mayAsk(0))
        #expect(round.tally.objectCount == 1)
        #expect(round.tally.latencies.count == 0)
    }

    @Test func `counts a latency from when the request was due, however late it left`() throws {
        var round = round(2, Pace(perSecond: 1e6), seconds: 1)
        #expect(round.firstPaced == 0)
        let taken = (round.takeDue(at: 4_000), round.takeDue(at: 4_000))
        let (first, second) = (try #require(taken.0), try #require(taken.1))
        #expect(first.connection == 0 && first.due == 1_000)
        #expect(second.connection == 1 && second.due == 2_000)
        // The third is due as well, but both connections are taken.
        let third = round.takeDue(at: 4_000)
        #expect(third == nil)
        round.connections[1].due = second.due
        let again = round.count(1, at: 9_000)
        #expect(!again)
        #expect(round.tally.latencies.greatest == 7_000)
        let afterwards = round.takeDue(at: 9_000)
        let late = try #require(afterwards)
        #expect(late.connection == 1 && late.due == 3_000)
    }

    @Test func `ends its schedule with the last connection that has no pace`() {
        var round = round(3, Pace(perSecond: 1e6, firstConnection: 2), seconds: nil)
        #expect(round.free == [2])
        round.hasNothingToAsk(0)
        #expect(round.isRunning)
        round.hasNothingToAsk(1)
        #expect(!round.isRunning)
    }

    @Test func `still asks for what was due when its time is over`() {
        var round = round(1, Pace(perSecond: 1e6), seconds: 2e-6)
        round.lookAtClock(50_000)
        #expect(round.mayAsk(0))
        let due = [round.takeDue(at: 50_000)?.due]
        #expect(due == [1_000])
        #expect(round.isRunning)
    }
}
