/// PUTs of small objects under names never used before, each with a body of its own.

import BenchMeasure
import IO

struct SmallPuts: Work, ~Copyable {
    private var text: RequestText
    private let pattern: BodyPattern
    private let bodyCount: Int
    private let pool: SyncPool?
    private var next: UInt64
    private let end: UInt64
    private var current: [UInt64]

    /// Numbers from `numbers.lowerBound` on. With a pool an object counts when that has made it
    /// durable, without one when the server has answered.
    init(
        text: consuming RequestText, numbers: Range<UInt64>, bodyCount: Int, pattern: BodyPattern,
        pool: SyncPool?
    ) {
        self.text = text
        self.pattern = pattern
        self.bodyCount = bodyCount
        self.pool = pool
        (next, end) = (numbers.lowerBound, numbers.upperBound)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
    }

    /// The first number that was not asked for.
    var firstUnused: UInt64 { next }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard next < end else { return nil }
        let number = next
        next += 1
        current[connection] = number
        var output = arena.output(scratch)
        text.appendPut(number, bodyCount: bodyCount, to: &output)
        let headCount = output.count
        var body = arena.mutableBytes(scratch.part(from: headCount, count: bodyCount))
        pattern.fill(&body, number: number)
        return scratch.part(from: 0, count: headCount + bodyCount)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let number = current[connection]
        guard let head = try ResponseHead.readWhole(bytes, of: text.names, number) else {
            return .incomplete
        }
        return try head.judgeStored(number, for: connection, of: text.names, pool)
    }
}

extension ResponseHead {
    /// What an upload's answer means: with a pool the object counts once that has made it durable.
    func judgeStored(
        _ number: UInt64, for connection: Int, of names: ObjectNames, _ pool: SyncPool?
    ) throws(LoadFailure) -> Judgement {
        guard status == 201 else { throw .status(status, of: names.path(number)) }
        guard let pool else { return .complete }
        pool.submit(connection: connection, number: number)
        return .flushing
    }

    /// The head, once body and head have arrived whole and nothing more; nil before.
    static func readWhole(
        _ bytes: Span<UInt8>, of names: ObjectNames, _ number: UInt64
    ) throws(LoadFailure) -> ResponseHead? {
        try readWhole(bytes, of: names.path(number))
    }

    /// The same of whatever `path` names; it is made only for what goes wrong.
    static func readWhole(
        _ bytes: Span<UInt8>, of path: @autoclosure () -> String
    ) throws(LoadFailure) -> ResponseHead? {
        let head: ResponseHead?
        do { head = try read(bytes) } catch { throw .response(error) }
        guard let head else { return nil }
        let count = head.headCount + head.contentLength
        guard bytes.count <= count else { throw .lengthChanged(of: path()) }
        guard bytes.count == count else { return nil }
        guard !head.closes else {
            throw .closed(during: "\(path()), with status \(head.status)")
        }
        return head
    }
}
