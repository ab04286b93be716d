/// What `millrace-bench lab` was asked to do.

public import BenchMeasure

/// What is measured.
public enum LabPart: String, CaseIterable, Sendable {
    /// Uploads in chunks, as they are advised.
    case chunks
    /// What a server that tunes sockets does to transfers.
    case tuning
    /// Chunks side by side.
    case parallel

    public var links: [LabLink] {
        switch self {
        case .chunks: LabLink.chunks
        case .tuning: LabLink.tuning
        case .parallel: LabLink.parallel
        }
    }

    /// What its files are called, behind date and commit.
    public var suffix: String {
        switch self {
        case .chunks: "lab"
        case .tuning, .parallel: "lab-\(rawValue)"
        }
    }
}

/// How the server plans chunks.
public enum LabVariant: String, CaseIterable, Sendable, Encodable {
    case fixed, adaptive, predictive
    /// `performance.intelligent_chunking = false`.
    case unadvised

    /// Lines of the server's configuration, in front of its sections.
    public var configuration: String {
        switch self {
        case .fixed, .adaptive, .predictive:
            "performance.chunk_adaptation_algorithm = \"\(rawValue)\"\n"
        case .unadvised: "performance.intelligent_chunking = false\n"
        }
    }
}

public struct LabOptions: Equatable, Sendable {
    public var part = LabPart.chunks
    public var links = LabLink.chunks
    public var ways = UploadWay.allCases
    public var variants = LabVariant.allCases
    public var rounds = 3
    /// Uploads in a row by one client, of which the first is a stranger's; in the part `tuning`
    /// downloads over one connection.
    public var visits = 3
    public var isQuick = false
    public var output: String?
    public var data: String?
    public var millrace: String?
    public var serverCPU = 0
    public var clientCPU = 1
    public var wantsHelp = false

    public init() {}

    /// `arguments` without the program's name and without `lab`.
    public init(_ arguments: [String]) throws(Options.Mistake) {
        if arguments.contains("--quick") { (isQuick, rounds, visits) = (true, 1, 2) }
        var (rest, named) = (arguments[...], String?.none)
        while let name = rest.popFirst() {
            switch name {
            case "--quick": continue
            case "--help", "-h": wantsHelp = true
            default:
                guard LabOptions.valued.contains(name) else {
                    throw Options.Mistake("what is \(name)? see lab --help")
                }
                guard let value = rest.popFirst() else {
                    throw Options.Mistake("\(name) needs a value")
                }
                if name == "--links" { named = value } else { try set(name, to: value) }
            }
        }
        links = part.links
        if let named { links = try LabOptions.chosen(named, "--links", links, \.name) }
        guard part == .chunks || ways == UploadWay.allCases && variants == LabVariant.allCases
        else { throw Options.Mistake("--ways and --algorithms are of the part chunks") }
    }

    private static let valued: Set<String> = [
        "--part", "--links", "--ways", "--algorithms", "--rounds", "--visits", "--output", "--data",
        "--millrace", "--server-cpu", "--client-cpu",
    ]

    private mutating func set(_ name: String, to value: String) throws(Options.Mistake) {
        switch name {
        case "--part":
            part = try LabOptions.chosen(value, name, LabPart.allCases, \.rawValue)[0]
        case "--ways": ways = try LabOptions.chosen(value, name, UploadWay.allCases, \.rawValue)
        case "--algorithms":
            variants = try LabOptions.chosen(value, name, LabVariant.allCases, \.rawValue)
        case "--rounds": rounds = try Options.number(value, for: name, in: 1...1000)
        case "--visits": visits = try Options.number(value, for: name, in: 1...100)
        case "--output": output = value
        case "--data": data = value
        case "--millrace": millrace = value
        case "--server-cpu": serverCPU = try Options.number(value, for: name, in: 0...1023)
        case "--client-cpu": clientCPU = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    /// Those that are named, in their own order.
    private static func chosen<Choice>(
        _ value: String, _ option: String, _ all: [Choice], _ name: (Choice) -> String
    ) throws(Options.Mistake) -> [Choice] {
        let words = Set(value.split(separator: ",").map(String.init))
        if let unknown = words.subtracting(all.map(name)).min() {
            throw Options.Mistake("\(option) knows no \(unknown); see lab --help")
        }
        let chosen = all.filter { words.contains(name($0)) }
        guard !chosen.isEmpty else { throw Options.Mistake("\(option) names nothing") }
        return chosen
    }

    /// Where the result is to be written; nil if it is only a look and no place was named.
    public var directory: String? {
        let isWhole =
            links == part.links && ways == UploadWay.allCases
            && variants == LabVariant.allCases
        return output ?? (isQuick || !isWhole ? nil : "perf/runs")
    }

    public static let help = """
        millrace-bench lab: uploads and downloads over links between two networks of their own that
        are slow, long and break (root).

        --part PART        chunks: uploads in chunks as the server advises them (if no part is
                           named); tuning: with and without pacing and congestion control by the
                           server; parallel: chunks side by side
        --links LIST       chunks: \(LabLink.chunks.map(\.name).joined(separator: ","));
                           tuning: \(LabLink.tuning.map(\.name).joined(separator: ","));
                           parallel: \(LabLink.parallel.map(\.name).joined(separator: ",")) (all)
        --ways LIST        \(UploadWay.allCases.map(\.rawValue).joined(separator: ",")) (all)
        --algorithms LIST  \(LabVariant.allCases.map(\.rawValue).joined(separator: ",")) (all)
        --rounds N         of each of them (3)
        --visits N         transfers of one client in a row, in each (3)
        --quick            one round, two visits; writes no file
        --output DIR       where the result goes (perf/runs, if it is complete)
        --data DIR         where objects lie meanwhile (.build/bench-data)
        --millrace PATH    the server (the one beside this program)
        --server-cpu N, --client-cpu N   (0, 1)
        """
}
