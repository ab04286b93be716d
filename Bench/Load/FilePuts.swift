/// PUTs of objects too large to be copied: heads by the ring, bodies out of the source file.

import BenchMeasure
import IO

struct FilePuts: Work, ~Copyable {
    private var text: RequestText
    private let source: SourceFile
    private let bodyCount: Int
    private let expectsContinue: Bool
    private let pool: SyncPool?
    private var next: UInt64
    private let end: UInt64
    private var current: [UInt64]

    /// Numbers from `numbers.lowerBound` on. With a pool an object counts when that has made it
    /// durable, without one when the server has answered.
    init(
        text: consuming RequestText, numbers: Range<UInt64>, source: SourceFile, bodyCount: Int,
        expectsContinue: Bool, pool: SyncPool?
    ) {
        self.text = text
        self.source = source
        (self.bodyCount, self.expectsContinue, self.pool) = (bodyCount, expectsContinue, pool)
        (next, end) = (numbers.lowerBound, numbers.upperBound)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
    }

    /// The first number that was not asked for.
    var firstUnused: UInt64 { next }

    func body(for connection: Int) -> Body? {
        Body(
            part: source.part(of: current[connection], count: bodyCount),
            awaitsInvitation: expectsContinue)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard next < end else { return nil }
        current[connection] = next
        var output = arena.output(scratch)
        text.appendPut(next, bodyCount: bodyCount, expectsContinue: expectsContinue, to: &output)
        next += 1
        return scratch.part(from: 0, count: output.count)
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        let number = current[connection]
        guard let head = try ResponseHead.readWhole(bytes, of: text.names, number) else {
            return .incomplete
        }
        if head.status == 100, expectsContinue { return .invited }
        return try head.judgeStored(number, for: connection, of: text.names, pool)
    }
}
