/// What one core counts of links, and how the metrics page tells it.

import Engine
import IO

struct LinkCounters: Sendable {
    /// What a socket was told, and why.
    enum Tuning: String, CaseIterable {
        case sendWindow = "send_window"
        case pacing
        case congestionControl = "congestion_control"
    }

    enum Reason: String, CaseIterable {
        /// The link is what its transfers wait for.
        case slow
        /// It loses segments for other reasons than a full queue.
        case lossy
        /// It is neither any more.
        case restored
        /// The kernel would not.
        case refused
    }

    var samples: UInt64 = 0
    var samplesPartial: UInt64 = 0
    var sampleErrors: UInt64 = 0
    var hintsIgnored: UInt64 = 0
    private var classChanges = [UInt64](repeating: 0, count: LinkClass.allCases.count)
    private var tunings = [UInt64](
        repeating: 0, count: Tuning.allCases.count * Reason.allCases.count)
    private var failures = InlineArray<2, UInt64>(repeating: 0)
    private var seconds = InlineArray<2, Double>(repeating: 0)
    private(set) var means = LinkMeans()

    mutating func changed(to linkClass: LinkClass) { classChanges[Int(linkClass.rawValue)] += 1 }
    func changes(to linkClass: LinkClass) -> UInt64 { classChanges[Int(linkClass.rawValue)] }

    static func index(_ tuning: Tuning, _ reason: Reason) -> Int {
        let (row, column) = (
            Tuning.allCases.firstIndex(of: tuning), Reason.allCases.firstIndex(of: reason)
        )
        return (row ?? 0) * Reason.allCases.count + (column ?? 0)
    }

    mutating func tuned(_ tuning: Tuning, _ reason: Reason) {
        tunings[LinkCounters.index(tuning, reason)] += 1
    }
    func count(_ tuning: Tuning, _ reason: Reason) -> UInt64 {
        tunings[LinkCounters.index(tuning, reason)]
    }

    private static func index(_ direction: LinkDirection) -> Int {
        direction == .upload ? 0 : 1
    }

    mutating func ended(_ record: TransferRecord, now: UInt64) {
        let index = LinkCounters.index(record.direction)
        if record.hasFailed { failures[index] += 1 }
        seconds[index] += record.seconds
        means.add(record, now: now)
    }

    func failures(_ direction: LinkDirection) -> UInt64 {
        failures[LinkCounters.index(direction)]
    }
    func seconds(_ direction: LinkDirection) -> Double { seconds[LinkCounters.index(direction)] }
}

extension SocketOption {
    var tuning: LinkCounters.Tuning {
        switch self {
        case .unsentBytesMax: .sendWindow
        case .pacing: .pacing
        case .congestionControl: .congestionControl
        }
    }
}
