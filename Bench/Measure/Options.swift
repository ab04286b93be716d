/// What `millrace-bench` was asked to do.
public struct Options: Equatable, Sendable {
    public var rows: [Row] = Row.all
    public var pairs = 15
    /// Length of a timed round of small objects.
    public var seconds = 3.0
    /// Size of a large object. A whole number of MiB.
    public var largeCount = 1 << 30
    public var idleCount = 10_000
    public var isQuick = false
    /// Who Millrace is compared to, if they are installed.
    public var peers = Side.peers
    public var only: Side?
    /// Millrace is compared with itself, one line of this table at a time; `rows` are such rows.
    public var ablations: AblationTable?
    /// Which of its lines; nil: all.
    public var parts: Set<String>?
    public var millrace: String?
    public var nginx = "nginx"
    public var data: String?
    public var loop: LoopFileSystem?
    public var output: String?
    public var keepsData = false
    public var serverCPU = 0
    public var clientCPU = 1
    public var wantsHelp = false

    /// Who is to run.
    public var sides: [Side] {
        if ablations != nil { return [.millrace, .reduced] }
        return only.map { [$0] } ?? [.millrace] + peers
    }

    /// Whether every Millrace reads downloads from the disk, also those that are cached.
    public var readsDisk: Bool { rows.contains(where: \.readsDisk) }

    /// A file system made in an image file for the run.
    public enum LoopFileSystem: String, Sendable { case ext4 }

    public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }
    }

    public init() {}

    /// `arguments` without the program's name.
    public init(_ arguments: [String]) throws(Mistake) {
        if arguments.contains("--quick") {
            (isQuick, pairs, seconds, largeCount, idleCount) = (true, 3, 1, 128 << 20, 2_000)
        }
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--quick": continue
            case "--keep": keepsData = true
            case "--ablation": try choose(.parts)
            case "--buffers": try choose(.buffers)
            case "--help", "-h": wantsHelp = true
            default:
                guard name.hasPrefix("--") else { throw Mistake("what is \(name)? see --help") }
                guard Options.valued.contains(name) else {
                    throw Mistake("there is no option \(name); see --help")
                }
                guard let value = rest.popFirst() else { throw Mistake("\(name) needs a value") }
                try set(name, to: value)
            }
        }
        guard serverCPU != clientCPU else {
            throw Mistake("--server-cpu and --client-cpu must differ")
        }
        if let ablations {
            try takeRows(of: ablations)
        } else if parts != nil {
            throw Mistake("--without chooses among the parts of --ablation or --buffers")
        }
    }

    private mutating func choose(_ table: AblationTable) throws(Mistake) {
        guard ablations == nil || ablations == table else {
            throw Mistake("--ablation and --buffers are two runs: say one of them")
        }
        ablations = table
    }

    private mutating func takeRows(of table: AblationTable) throws(Mistake) {
        guard only == nil else {
            throw Mistake("\(table.option) compares: there is no --only then")
        }
        let names = table.ablations.map(\.name)
        if let unknown = parts?.subtracting(names).min() {
            throw Mistake("\(table.option) knows no \(unknown); see --help")
        }
        rows = table.rows(of: rows, without: parts ?? Set(names))
        guard !rows.isEmpty else {
            throw Mistake("none of these rows is there for \(table.option); see --help")
        }
    }

    private static let valued: Set<String> = [
        "--rows", "--pairs", "--seconds", "--duration", "--only", "--millrace", "--nginx", "--data",
        "--loop", "--output", "--server-cpu", "--client-cpu", "--large", "--peers",
        "--without",
    ]

    private mutating func set(_ name: String, to value: String) throws(Mistake) {
        switch name {
        case "--rows": rows = try Options.rows(value)
        case "--peers": peers = try Options.peers(value)
        case "--pairs": pairs = try Options.number(value, for: name, in: 1...1000)
        case "--seconds", "--duration":
            seconds = try Options.seconds(value, for: name)
        case "--large":
            largeCount = try Options.number(value, for: name, in: 1...65_536) << 20
        case "--only":
            guard let side = Side(rawValue: value), side == .millrace || !side.isMillrace
            else {
                throw Mistake("--only is \(Options.names([.millrace] + Side.peers)), not \(value)")
            }
            only = side
        case "--loop":
            guard let system = LoopFileSystem(rawValue: value) else {
                throw Mistake("--loop is ext4, not \(value)")
            }
            loop = system
        case "--without": parts = Set(value.split(separator: ",").map(String.init))
        case "--millrace": millrace = value
        case "--nginx": nginx = value
        case "--data": data = value
        case "--output": output = value
        case "--server-cpu": serverCPU = try Options.number(value, for: name, in: 0...1023)
        case "--client-cpu": clientCPU = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    /// Names of rows and of groups; a row that is named twice runs once.
    private static func rows(_ value: String) throws(Mistake) -> [Row] {
        var rows: [Row] = []
        for name in value.split(separator: ",", omittingEmptySubsequences: false) {
            let named = Row.named(String(name))
            guard !named.isEmpty else {
                throw Mistake("there is no row \(name); --help names them")
            }
            for row in named where !rows.contains(row) { rows.append(row) }
        }
        return rows
    }

    /// In the order of `Side`, however they were named.
    private static func peers(_ value: String) throws(Mistake) -> [Side] {
        var peers: [Side] = []
        for name in value.split(separator: ",", omittingEmptySubsequences: false) {
            guard let side = Side(rawValue: String(name)), !side.isMillrace else {
                throw Mistake("--peers are \(names(Side.peers)), not \(name)")
            }
            if !peers.contains(side) { peers.append(side) }
        }
        guard peers.contains(.nginx) else {
            throw Mistake("--peers always has nginx: the goals are set against it")
        }
        return Side.peers.filter(peers.contains)
    }

    private static func names(_ sides: [Side]) -> String {
        sides.map(\.rawValue).joined(separator: ", ")
    }

    public static func seconds(_ value: String, for name: String) throws(Mistake) -> Double {
        guard let number = Double(value), number > 0, number <= 600 else {
            throw Mistake("\(name) is a number of seconds up to 600, not \(value)")
        }
        return number
    }

    public static func number(
        _ value: String, for name: String, in range: ClosedRange<Int>
    ) throws(Mistake) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw Mistake(
                "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        return number
    }

    public static let help = """
        millrace-bench: Millrace beside its peers, in interleaved rounds on this machine.

        --rows a,b        which rows, by name or group (all)
        --peers a,b       whom to compare with: nginx always, and of nginx-directio, lighttpd,
                          caddy, h2o those that are installed (all)
        --pairs N         timed rounds of each server and row (15)
        --seconds S       length of a round of small objects (3); --duration is the same
        --large MIB       size of a large object, such as those of get-1g (1024)
        --quick           3 pairs, 1 s, 128 MiB, 2,000 idle connections; writes no file
        --ablation        Millrace against itself without one of its parts, of --rows those that
                          are told apart so:
                          \(Ablation.all.prefix(5).map(\.name).joined(separator: ", ")),
                          \(Ablation.all.dropFirst(5).map(\.name).joined(separator: ", "))
        --without a,b     of --ablation or --buffers only these parts
        --buffers         Millrace against itself with buffers of one size, 32KiB to 1MiB, of
                          --rows those that lease them:
                          \(Ablation.bufferRowNames.joined(separator: ", "))
                          Both read every download from the disk, or they would lease none for
                          what the page cache holds: cached and cold are the same here
        --only SIDE       run one server alone; no ratios; writes no file
        --millrace PATH   the server's binary (beside this one)
        --nginx PATH      nginx with its dav module (nginx, from PATH)
        --data DIR        where the servers keep their objects (.build/bench-data)
        --loop ext4       make a journalled ext4 in an image under --data and use that (root)
        --output DIR      where the result goes (perf/runs)
        --keep            leave the objects and the servers' logs there
        --server-cpu N    the servers' CPU (0)
        --client-cpu N    the client's CPU (1)

        Rows:   \(lines(Row.all.map(\.name)))
        Groups: \(lines(Row.groups.map(\.name)))

        Example: millrace-bench --rows get,put-4k --peers nginx,h2o --pairs 9
        """

    /// Names, broken into lines that fit a terminal and stand below each other.
    private static func lines(_ names: [String]) -> String {
        let columnMax = 80
        var (text, column) = ("", 0)
        for (index, name) in names.enumerated() {
            let word = index + 1 < names.count ? name + ", " : name
            if column + word.count > columnMax {
                text += "\n        "
                column = 0
            }
            text += word
            column += word.count
        }
        return text
    }
}
