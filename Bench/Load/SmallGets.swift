/// GETs of small objects, spread evenly over all names, by requests that were prepared once.

import BenchMeasure
import IO

struct SmallGets: Work {
    private let requests: [Region]
    /// Bytes of each object's whole response, learnt when it was first read and compared.
    private let responseCounts: [Int]
    private let names: ObjectNames
    private var current: [Int]
    private var random: SplitMix64

    init(names: ObjectNames, responseCounts: [Int], seed: UInt64, in arena: Arena)
        throws(LoadFailure)
    {
        self.names = names
        self.responseCounts = responseCounts
        current = Array(repeating: 0, count: LoadLoop.connectionsMax)
        random = SplitMix64(seed: seed)
        let text = try RequestText(names: names, secret: nil)
        var requests: [Region] = []
        var rest = LoadLoop.prepared
        for number in responseCounts.indices {
            var output = arena.output(rest)
            text.appendGet(UInt64(number), to: &output)
            requests.append(rest.part(from: 0, count: output.count))
            rest = rest.part(from: output.count, count: Int(rest.count) - output.count)
        }
        self.requests = requests
    }

    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region? {
        let index = Int(random.next().multipliedFullWidth(by: UInt64(requests.count)).high)
        current[connection] = index
        return requests[index]
    }

    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement {
        let index = current[connection]
        let count = Int(received.count)
        guard count >= responseCounts[index] else { return .incomplete }
        guard count == responseCounts[index] else {
            throw .lengthChanged(of: names.path(UInt64(index)))
        }
        // The status is the only thing that may still be wrong: "HTTP/1.1 200".
        let bytes = Span<UInt8>(_bytes: arena.bytes(received))
        guard bytes[9] == 50, bytes[10] == 48, bytes[11] == 48 else {
            throw .status(0, of: names.path(UInt64(index)))
        }
        return .complete
    }
}
