/// What `millrace-bench` was asked to do.
public struct Options: Equatable, Sendable {
    public var rows: [Row] = Row.allCases
    public var pairs = 7
    /// Length of a timed round of small objects.
    public var seconds = 3.0
    /// Size of a large object. A whole number of MiB.
    public var largeCount = 1 << 30
    public var idleCount = 10_000
    public var isQuick = false
    public var only: Side?
    public var millrace: String?
    public var nginx = "nginx"
    public var data: String?
    public var loop: LoopFileSystem?
    public var output: String?
    public var keepsData = false
    public var serverCPU = 0
    public var clientCPU = 1
    public var wantsHelp = false

    /// A file system made in an image file for the run.
    public enum LoopFileSystem: String, Sendable { case ext4 }

    public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }
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
    }

    private static let valued: Set<String> = [
        "--rows", "--pairs", "--seconds", "--duration", "--only", "--millrace", "--nginx", "--data",
        "--loop", "--output", "--server-cpu", "--client-cpu", "--large",
    ]

    private mutating func set(_ name: String, to value: String) throws(Mistake) {
        switch name {
        case "--rows": rows = try Options.rows(value)
        case "--pairs": pairs = try Options.number(value, for: name, in: 1...1000)
        case "--seconds", "--duration":
            guard let number = Double(value), number > 0, number <= 600 else {
                throw Mistake("\(name) is a number of seconds up to 600, not \(value)")
            }
            seconds = number
        case "--large":
            largeCount = try Options.number(value, for: name, in: 1...65_536) << 20
        case "--only":
            guard let side = Side(rawValue: value) else {
                throw Mistake("--only is millrace or nginx, not \(value)")
            }
            only = side
        case "--loop":
            guard let system = LoopFileSystem(rawValue: value) else {
                throw Mistake("--loop is ext4, not \(value)")
            }
            loop = system
        case "--millrace": millrace = value
        case "--nginx": nginx = value
        case "--data": data = value
        case "--output": output = value
        case "--server-cpu": serverCPU = try Options.number(value, for: name, in: 0...1023)
        case "--client-cpu": clientCPU = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    private static func rows(_ value: String) throws(Mistake) -> [Row] {
        var rows: [Row] = []
        for name in value.split(separator: ",", omittingEmptySubsequences: false) {
            guard let row = Row(rawValue: String(name)) else {
                let known = Row.allCases.map(\.rawValue).joined(separator: ", ")
                throw Mistake("there is no row \(name); there are \(known)")
            }
            if !rows.contains(row) { rows.append(row) }
        }
        return rows
    }

    private static func number(
        _ value: String, for name: String, in range: ClosedRange<Int>
    ) throws(Mistake) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw Mistake(
                "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        return number
    }

    public static let help = """
        millrace-bench: Millrace beside nginx, in one interleaved run on this machine.

        --rows a,b        which rows: put-1g, get-1g, get-1k, put-4k, idle (all)
        --pairs N         timed rounds of each server and row (7)
        --seconds S       length of a round of small objects (3); --duration is the same
        --large MIB       size of a large object (1024)
        --quick           3 pairs, 1 s, 128 MiB, 2,000 idle connections; writes no file
        --only SIDE       run millrace or nginx alone; no ratios; writes no file
        --millrace PATH   the server's binary (beside this one)
        --nginx PATH      nginx with its dav module (nginx, from PATH)
        --data DIR        where both servers keep their objects (.build/bench-data)
        --loop ext4       make a journalled ext4 in an image under --data and use that (root)
        --output DIR      where the result goes (perf/runs)
        --keep            leave the objects and the servers' logs there
        --server-cpu N    the servers' CPU (0)
        --client-cpu N    the client's CPU (1)

        Example: millrace-bench --rows get-1k,put-4k --pairs 9
        """
}
