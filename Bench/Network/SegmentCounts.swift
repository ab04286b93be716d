/// What the kernel of a network counts of TCP (`/proc/net/snmp`).

import BenchMachine

public struct SegmentCounts: Equatable, Sendable {
    public var sent: UInt64
    public var sentAgain: UInt64

    /// Nil if that is not what the kernel writes: a line of names, and a line of values below it.
    init?(_ text: String) {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Tcp: ") }
        guard lines.count == 2 else { return nil }
        let (names, values) = (lines[0].split(separator: " "), lines[1].split(separator: " "))
        func value(_ name: String) -> UInt64? {
            names.firstIndex { $0 == name }.flatMap { index in
                index < values.count ? UInt64(values[index]) : nil
            }
        }
        guard let sent = value("OutSegs"), let again = value("RetransSegs") else { return nil }
        (self.sent, sentAgain) = (sent, again)
    }

    /// Of a network by now, since it was made.
    public init(of network: NetworkNamespace) throws {
        let text = try network.inside { TextFile.read("/proc/thread-self/net/snmp") ?? "" }
        guard let counts = SegmentCounts(text) else {
            throw LabFailure.network("the kernel counts no segments")
        }
        self = counts
    }

    public func since(_ earlier: SegmentCounts) -> SegmentCounts {
        var counts = self
        counts.sent -= earlier.sent
        counts.sentAgain -= earlier.sentAgain
        return counts
    }
}
