/// GETs each object of a range once and compares every byte with what was sent.

import BenchMeasure
import IO

struct ReadBack: Work, ~Copyable {
    private let text: RequestText
    private let pattern: BodyPattern
    private let bodyCount: Int
    private let first: UInt64
    private var next: UInt64
    private let end: UInt64
    private var current: [UInt64]
    /// Bytes of each whole response, in the order of the numbers.
    private(set) var responseCounts: [Int]

    init(
        text: consuming RequestText, numbers: Range<UInt64>, bodyCount: Int, pattern: BodyPattern
    ) {
        self.text = text
        self.pattern = pattern
        self.bodyCount = bodyCount
        (first, next, end) = (numbers.lowerBound, numbers.lowerBound, numbers.upperBound)
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
        responseCounts = Array(repeating: 0, count: numbers.count)
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        guard next < end else { return nil }
        current[connection] = next
        var output = arena.output(scratch)
        text.appendGet(next, to: &output)
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
        guard head.status == 200 else { throw .status(head.status, of: text.names.path(number)) }
        guard head.contentLength == bodyCount else {
            throw .lengthChanged(of: text.names.path(number))
        }
        let body = bytes.extracting(head.headCount..<bytes.count)
        guard pattern.matches(body, number: number) else {
            throw .wrongBody(of: text.names.path(number))
        }
        responseCounts[Int(number - first)] = bytes.count
        return .complete
    }
}
