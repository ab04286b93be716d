/// What `millrace-bench micro` was asked to do.
public struct MicroOptions: Equatable, Sendable {
    /// Only benches whose names contain this.
    public var filter = ""
    public var isQuick = false
    /// Nothing is timed: allocations are held against their limits.
    public var checks = false
    public var lists = false
    /// Runs one bench just so often, for whoever counts instructions.
    public var iterations: Int?
    public var output: String?
    public var data: String?
    public var cpu = 1
    public var wantsHelp = false

    public init() {}

    /// `arguments` without the program's name and without `micro`.
    public init(_ arguments: [String]) throws(Options.Mistake) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--quick": isQuick = true
            case "--check": checks = true
            case "--list": lists = true
            case "--help", "-h": wantsHelp = true
            default:
                guard name.hasPrefix("--") else {
                    throw Options.Mistake("what is \(name)? see micro --help")
                }
                guard MicroOptions.valued.contains(name) else {
                    throw Options.Mistake("there is no option \(name); see micro --help")
                }
                guard let value = rest.popFirst() else {
                    throw Options.Mistake("\(name) needs a value")
                }
                try set(name, to: value)
            }
        }
        if iterations != nil, filter.isEmpty {
            throw Options.Mistake("--iterations is for one bench: say which with --filter")
        }
    }

    private static let valued: Set<String> = [
        "--filter", "--iterations", "--output", "--data", "--cpu",
    ]

    private mutating func set(_ name: String, to value: String) throws(Options.Mistake) {
        switch name {
        case "--filter": filter = value
        case "--iterations":
            iterations = try Options.number(value, for: name, in: 1...100_000_000)
        case "--output": output = value
        case "--data": data = value
        case "--cpu": cpu = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    /// Where the result is to be written; nil if it is only half of one and no place was named.
    public var directory: String? {
        if checks || iterations != nil { return nil }
        return output ?? (isQuick || !filter.isEmpty ? nil : "perf/runs")
    }

    public static let help = """
        millrace-bench micro: what single pieces of Millrace cost, in time and in allocations.

        --filter X        only benches whose names contain X
        --check           time nothing; fail if one allocates more than it may
        --quick           shorter samples and a small catalog; writes no file
        --list            the names
        --output DIR      where the result goes (perf/runs, if it is complete)
        --data DIR        where the catalogs lie meanwhile (the system's temporary directory)
        --cpu N           the CPU to run on (1)
        --iterations N    run the one bench that --filter names N times, for perf/instructions

        Example: millrace-bench micro --filter head-parse
        """
}
