/// The part `tuning` of the lab: what it does to transfers, and to others on their link, that the
/// server paces them or chooses their congestion control.

import BenchMeasure

/// What the server may do.
public enum TuningVariant: String, CaseIterable, Sendable, Encodable {
    /// Neither: the default.
    case system
    case pacing
    case control
    case both

    /// Lines of the server's configuration. Nobody is advised: an upload is one request.
    public var configuration: String {
        let paces = self == .pacing || self == .both
        let control = self == .control || self == .both ? "adaptive" : "system"
        return """
            performance.intelligent_chunking = false
            streaming.pacing = \(paces)
            streaming.congestion_control = "\(control)"

            """
    }
}

/// One transfer over a link.
public struct TuningTransfer: Equatable, Sendable, Encodable {
    public var round: Int
    /// Among the downloads of one connection, from 0 on; nil: an upload.
    public var number: Int?
    public var seconds: Double
    /// By the server, all its connections together.
    public var segments: UInt64
    public var segmentsAgain: UInt64
    /// Of small requests that went beside it.
    public var probes: [Double]

    public init(
        round: Int, number: Int?, seconds: Double, _ counts: SegmentCounts, probes: [Double]
    ) {
        (self.round, self.number, self.seconds) = (round, number, seconds)
        (segments, segmentsAgain) = (counts.sent, counts.sentAgain)
        self.probes = probes
    }
}

extension TuningTransfer: TimedTransfer {
    var place: Int? { number }
}

public struct TuningRow: Sendable, Encodable {
    public let link: LabLink
    public let variant: TuningVariant
    public var transfers: [TuningTransfer] = []
}

public struct TuningRun: LabTables {
    public let facts: [String]
    public private(set) var rows: [TuningRow] = []

    public init(facts: [String]) { self.facts = facts }

    public mutating func add(
        _ transfers: [TuningTransfer], _ link: LabLink, _ variant: TuningVariant
    ) {
        let place = rows.firstIndex { $0.link == link && $0.variant == variant }
        if let place {
            rows[place].transfers += transfers
        } else {
            rows.append(TuningRow(link: link, variant: variant, transfers: transfers))
        }
    }

    // MARK: Tables

    public var markdown: String {
        var text = "# Pacing and congestion control over real connections\n\n"
        text += facts.map { "- \($0)\n" }.joined()
        for link in LabLink.tuning {
            let part = TuningVariant.allCases.compactMap { variant in
                rows.first { $0.link == link && $0.variant == variant }
            }
            guard !part.isEmpty else { continue }
            text += "\n## \(link.name)\n\n\(link.character.words); \(link.fileBytes >> 20) MiB.\n\n"
            text += table(part)
        }
        return text
    }

    private func table(_ part: [TuningRow]) -> String {
        var table = MarkdownTable([
            "server", "first download, s", "later downloads, s", "later / system", "sent again, %",
            "probes beside, ms", "probes, p90", "upload, s", "upload / system",
        ])
        let system = part.first { $0.variant == .system }
        let later = { (transfer: TuningTransfer) in transfer.number ?? 0 > 0 }
        let upload = { (transfer: TuningTransfer) in transfer.number == nil }
        for row in part {
            let downloads = row.transfers.filter(later)
            let probes = downloads.flatMap(\.probes).sorted()
            table.add([
                row.variant.rawValue, TuningRun.seconds(row.transfers.filter { $0.number == 0 }),
                TuningRun.seconds(downloads), TuningRun.ratio(row, system, later),
                TuningRun.shareAgain(downloads), TuningRun.quantile(probes, 0.5),
                TuningRun.quantile(probes, 0.9), TuningRun.seconds(row.transfers.filter(upload)),
                TuningRun.ratio(row, system, upload),
            ])
        }
        return table.text
    }

    /// Of transfers in the same round and place.
    private static func ratio(
        _ row: TuningRow, _ system: TuningRow?, _ isCounted: (TuningTransfer) -> Bool
    ) -> String {
        guard let system, row.variant != .system else { return "–" }
        return ratio(of: row.transfers.filter(isCounted), to: system.transfers)
    }

    private static func shareAgain(_ transfers: [TuningTransfer]) -> String {
        let all = transfers.reduce(0) { $0 + $1.segments }
        let again = transfers.reduce(0) { $0 + $1.segmentsAgain }
        return all > 0 ? Digits.fixed(Double(again) / Double(all) * 100, 2) : "–"
    }

    private static func quantile(_ sorted: [Double], _ share: Double) -> String {
        guard let last = sorted.indices.last else { return "–" }
        return Digits.fixed(sorted[min(last, Int(Double(sorted.count) * share))], 0)
    }
}
