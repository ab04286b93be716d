/// All figures of a run of the lab, and the table that they are read in.

import BenchMeasure

/// One upload.
public struct LabUpload: Equatable, Sendable, Encodable {
    public var round: Int
    /// From 0 on: the first is a stranger's.
    public var visit: Int
    public var seconds: Double
    /// By the schedule, and as the client met them.
    public var cuts: UInt64
    public var failures: Int
    /// That the client sent over the link, with the heads of packets and what was sent again.
    public var linkBytes: UInt64
    /// Packets that the link lost.
    public var lostPackets: UInt64
    public var chunkBytes: [Int]
    /// What the server remembers of its clients afterwards, in its own words.
    public var profiles: String

    public init(
        round: Int, visit: Int, seconds: Double, _ counts: LineCounts, _ outcome: UploadOutcome,
        profiles: String = ""
    ) {
        (self.round, self.visit, self.seconds) = (round, visit, seconds)
        (cuts, linkBytes, lostPackets) = (counts.cuts, counts.clientBytes, counts.lost)
        (failures, chunkBytes) = (outcome.failures, outcome.chunkBytes)
        self.profiles = profiles
    }
}

extension LabUpload: TimedTransfer {
    var place: Int? { visit }
}

/// One link, way and variant.
public struct LabRow: Sendable, Encodable {
    public let link: LabLink
    public let way: UploadWay
    public let variant: LabVariant
    public var uploads: [LabUpload] = []

    public init(_ link: LabLink, _ way: UploadWay, _ variant: LabVariant) {
        (self.link, self.way, self.variant) = (link, way, variant)
    }
}

public struct LabRun: LabTables {
    public let facts: [String]
    public private(set) var rows: [LabRow] = []

    public init(facts: [String]) { self.facts = facts }

    public mutating func add(
        _ upload: LabUpload, _ link: LabLink, _ way: UploadWay, _ variant: LabVariant
    ) {
        let place = rows.firstIndex {
            $0.link == link && $0.way == way && $0.variant == variant
        }
        if let place {
            rows[place].uploads.append(upload)
        } else {
            var row = LabRow(link, way, variant)
            row.uploads.append(upload)
            rows.append(row)
        }
    }

    // MARK: Tables

    public var markdown: String {
        var text = "# Chunks over real connections\n\n"
        text += facts.map { "- \($0)\n" }.joined()
        for link in LabLink.chunks {
            for way in UploadWay.allCases {
                let part = LabVariant.allCases.compactMap { variant in
                    rows.first { $0.link == link && $0.way == way && $0.variant == variant }
                }
                guard !part.isEmpty else { continue }
                text += "\n## \(link.name), \(way.rawValue)\n\n"
                text += "\(link.character.words); \(link.fileBytes >> 20) MiB.\n\n"
                text += table(part)
            }
        }
        return text
    }

    private func table(_ part: [LabRow]) -> String {
        var table = MarkdownTable([
            "chunks", "first visit, s", "later visits, s", "later / fixed", "cuts met",
            "sent / file", "first chunk, KiB", "later chunks, KiB",
        ])
        let fixed = part.first { $0.variant == .fixed }
        for row in part {
            let later = { (upload: LabUpload) in upload.visit > 0 }
            table.add([
                row.variant.rawValue, LabRun.seconds(row.uploads.filter { $0.visit == 0 }),
                LabRun.seconds(row.uploads.filter(later)),
                row.variant == .fixed
                    ? "–" : LabRun.ratio(of: row.uploads.filter(later), to: fixed?.uploads ?? []),
                "\(row.uploads.reduce(0) { $0 + $1.failures })", sentShare(row),
                LabRun.lengths(row.uploads.filter { !later($0) }.map { $0.chunkBytes.prefix(1) }),
                LabRun.lengths(row.uploads.filter(later).map { $0.chunkBytes.dropLast() }),
            ])
        }
        return table.text
    }

    private func sentShare(_ row: LabRow) -> String {
        let sent = row.uploads.reduce(0.0) { $0 + Double($1.linkBytes) }
        let whole = Double(row.link.fileBytes) * Double(row.uploads.count)
        return Digits.fixed(sent / whole, 3)
    }

    private static func lengths(_ chunks: [ArraySlice<Int>]) -> String {
        let lengths = chunks.flatMap(\.self).map { Double($0) / 1024 }
        return Summary(lengths).map { Digits.summary($0, scale: 1, 0) } ?? "–"
    }
}
