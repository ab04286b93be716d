/// GETs whose bodies are counted and dropped unread: objects too large to be copied to the client,
/// whole or in part. That they are right is looked at outside the timed rounds.

import BenchMeasure
import IO

struct StreamGets: Work, ~Copyable {
    /// Which object a connection asks for next.
    enum Choice: Equatable {
        /// Any of so many, evenly, again and again.
        case random(of: Int)
        /// The one that has the connection's own number, or always 0, so many times.
        case own(times: Int)
        case first(times: Int)
    }

    private let text: RequestText
    private let choice: Choice
    private let bodyCount: Int
    /// Size of the object of which ranges are asked for; nil if whole ones are.
    private let rangesOf: Int?
    private var askedCounts: [Int]
    private var random: SplitMix64

    /// Enough for a head; what comes with it of the body is copied.
    private static let headCount = 1 << 10

    init(
        text: consuming RequestText, choice: Choice, bodyCount: Int, rangesOf: Int? = nil,
        seed: UInt64
    ) {
        precondition(rangesOf ?? bodyCount >= bodyCount, "a range larger than its object")
        self.text = text
        (self.choice, self.bodyCount, self.rangesOf) = (choice, bodyCount, rangesOf)
        askedCounts = Array(repeating: 0, count: LoadLoop.connectionsMax)
        random = SplitMix64(seed: seed)
    }

    func receiveCount(for connection: Int) -> Int { StreamGets.headCount }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        let number: UInt64
        switch choice {
        case .random(let count):
            number = below(UInt64(count))
        case .own(let times), .first(let times):
            guard askedCounts[connection] < times else { return nil }
            if case .own = choice { number = UInt64(connection) } else { number = 0 }
        }
        askedCounts[connection] += 1
        var output = arena.output(scratch)
        if let rangesOf {
            let offset = Int(below(UInt64(rangesOf - bodyCount + 1)))
            text.appendGet(number, from: offset, count: bodyCount, to: &output)
        } else {
            text.appendGet(number, to: &output)
        }
        return scratch.part(from: 0, count: output.count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let head: ResponseHead?
        do { head = try ResponseHead.read(bytes) } catch { throw .response(error) }
        guard let head else { return .incomplete }
        let path = text.names.path(0)
        guard head.status == (rangesOf == nil ? 200 : 206) else {
            throw .status(head.status, of: path)
        }
        let rest = head.headCount + bodyCount - bytes.count
        guard head.contentLength == bodyCount, rest >= 0 else { throw .lengthChanged(of: path) }
        guard !head.closes else { throw .closed(during: path) }
        return rest == 0 ? .complete : .dropping(rest)
    }

    private mutating func below(_ end: UInt64) -> UInt64 {
        random.next().multipliedFullWidth(by: end).high
    }
}
