/// The tables of what Millrace is set against itself without.
public enum AblationTable: String, CaseIterable, Sendable {
    case parts = "ablation"
    case buffers

    /// What asks for it on the command line.
    public var option: String { "--\(rawValue)" }

    public var ablations: [Ablation] {
        switch self {
        case .parts: Ablation.all
        case .buffers: Ablation.buffers
        }
    }

    /// Each row of each line among `names`, with the line's part off on one side; `rows` are those
    /// that may be.
    public func rows(of rows: [Row], without names: Set<String>) -> [Row] {
        ablations.filter { names.contains($0.name) }.flatMap { ablation in
            rows.filter { ablation.rowNames.contains($0.name) }.map { $0.without(ablation) }
        }
    }
}
