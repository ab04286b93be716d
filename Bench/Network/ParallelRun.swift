/// The part `parallel` of the lab: how many chunks of an upload a client sends at once.

import BenchMeasure

public enum ParallelVariant: String, CaseIterable, Sendable, Encodable {
    case one
    /// As many as the server says when the upload begins.
    case advised
    case eight
}

/// One upload.
public struct ParallelUpload: Equatable, Sendable, Encodable {
    public var round: Int
    public var seconds: Double
    public var connections: Int
    public var advised: Int
    public var chunkBytes: Int

    public init(round: Int, seconds: Double, connections: Int, advised: Int, chunkBytes: Int) {
        (self.round, self.seconds, self.connections) = (round, seconds, connections)
        (self.advised, self.chunkBytes) = (advised, chunkBytes)
    }
}

extension ParallelUpload: TimedTransfer {
    var place: Int? { nil }
}

public struct ParallelRow: Sendable, Encodable {
    public let link: LabLink
    public let variant: ParallelVariant
    public var uploads: [ParallelUpload] = []
}

public struct ParallelRun: LabTables {
    public let facts: [String]
    public private(set) var rows: [ParallelRow] = []

    public init(facts: [String]) { self.facts = facts }

    public mutating func add(
        _ upload: ParallelUpload, _ link: LabLink, _ variant: ParallelVariant
    ) {
        let place = rows.firstIndex { $0.link == link && $0.variant == variant }
        if let place {
            rows[place].uploads.append(upload)
        } else {
            rows.append(ParallelRow(link: link, variant: variant, uploads: [upload]))
        }
    }

    // MARK: Tables

    public var markdown: String {
        var text = "# Chunks side by side over real connections\n\n"
        text += facts.map { "- \($0)\n" }.joined()
        for link in LabLink.parallel {
            let part = ParallelVariant.allCases.compactMap { variant in
                rows.first { $0.link == link && $0.variant == variant }
            }
            guard !part.isEmpty else { continue }
            text += "\n## \(link.name)\n\n\(link.character.words); \(link.fileBytes >> 20) MiB"
            text += link.chunkBytesMax.map { ", chunks of \($0 >> 10) KiB at most" } ?? ""
            text += ".\n\n" + table(part)
        }
        return text
    }

    private func table(_ part: [ParallelRow]) -> String {
        var table = MarkdownTable([
            "connections", "of them", "advised", "chunk, KiB", "upload, s", "/ one",
        ])
        let one = part.first { $0.variant == .one }
        for row in part {
            func summary(_ value: (ParallelUpload) -> Double, _ places: Int) -> String {
                Summary(row.uploads.map(value)).map { Digits.summary($0, scale: 1, places) } ?? "–"
            }
            table.add([
                row.variant.rawValue, summary({ Double($0.connections) }, 0),
                summary({ Double($0.advised) }, 0), summary({ Double($0.chunkBytes) / 1024 }, 0),
                ParallelRun.seconds(row.uploads),
                row.variant == .one
                    ? "–" : ParallelRun.ratio(of: row.uploads, to: one?.uploads ?? []),
            ])
        }
        return table.text
    }
}
