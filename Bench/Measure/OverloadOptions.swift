/// What `millrace-bench overload` was asked to do.
public struct OverloadOptions: Equatable, Sendable {
    public var works = OverloadWork.all
    /// Of the capacity; the least is what counts as unloaded.
    public var loads = [0.1, 0.5, 0.8, 1, 1.5, 2, 3]
    /// Length of what counts at each load, and of what comes before and does not.
    public var seconds = 8.0
    public var warmupSeconds = 2.0
    public var connections = 256
    /// CPUs that the server may use.
    public var quota = 0.5
    public var periodMicros = 2_000
    /// A real-time thread takes the rest of the CPU, instead of a quota.
    public var hasThief = false
    /// That the server may write in a second.
    public var diskBytes: Int?
    /// In front of the defaults of the server with admission.
    public var keys: [String] = []
    /// Without the server that refuses nothing.
    public var isAlone = false
    public var isQuick = false
    public var output: String?
    public var data: String?
    public var millrace: String?
    public var serverCPU = 0
    public var clientCPU = 1
    public var wantsHelp = false

    public init() {}

    /// `arguments` without the program's name and without `overload`.
    public init(_ arguments: [String]) throws(Options.Mistake) {
        if arguments.contains("--quick") {
            (isQuick, loads, seconds, warmupSeconds) = (true, [0.1, 1, 3], 2, 1)
        }
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--quick": continue
            case "--alone": isAlone = true
            case "--thief": hasThief = true
            case "--help", "-h": wantsHelp = true
            default:
                guard OverloadOptions.valued.contains(name) else {
                    throw Options.Mistake("what is \(name)? see overload --help")
                }
                guard let value = rest.popFirst() else {
                    throw Options.Mistake("\(name) needs a value")
                }
                try set(name, to: value)
            }
        }
    }

    private static let valued: Set<String> = [
        "--rows", "--loads", "--seconds", "--connections", "--quota", "--period", "--disk",
        "--key", "--output", "--data", "--millrace", "--server-cpu", "--client-cpu",
    ]

    private mutating func set(_ name: String, to value: String) throws(Options.Mistake) {
        switch name {
        case "--rows": works = try OverloadOptions.works(value)
        case "--loads": loads = try OverloadOptions.loads(value)
        case "--seconds": seconds = try Options.seconds(value, for: name)
        case "--connections": connections = try Options.number(value, for: name, in: 1...1000)
        case "--quota": quota = try Double(Options.number(value, for: name, in: 5...100)) / 100
        case "--period":
            periodMicros = try Options.number(value, for: name, in: 1_000...1_000_000)
        case "--disk": diskBytes = try Options.number(value, for: name, in: 1...100_000) << 20
        case "--key": keys.append(value)
        case "--output": output = value
        case "--data": data = value
        case "--millrace": millrace = value
        case "--server-cpu": serverCPU = try Options.number(value, for: name, in: 0...1023)
        case "--client-cpu": clientCPU = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    private static func works(_ value: String) throws(Options.Mistake) -> [OverloadWork] {
        var works: [OverloadWork] = []
        for word in value.split(separator: ",") {
            let named = OverloadWork.all.filter { $0.name == word || $0.name.hasPrefix(word + "-") }
            guard !named.isEmpty else {
                throw Options.Mistake("no row is called \(word); see overload --help")
            }
            works += named.filter { !works.contains($0) }
        }
        return works
    }

    private static func loads(_ value: String) throws(Options.Mistake) -> [Double] {
        let loads = value.split(separator: ",").map { Double($0) ?? -1 }
        guard !loads.isEmpty, loads.allSatisfy({ $0 > 0 && $0 <= 20 }) else {
            throw Options.Mistake("--loads is a list such as 0.1,1,3, not \(value)")
        }
        return loads.sorted()
    }

    /// Microseconds of each period in which the server may run. The kernel takes no fewer than a
    /// thousand.
    public var quotaMicros: Int {
        max(hasThief ? 50 : 1_000, Int(Double(periodMicros) * quota))
    }

    /// Where the result is to be written; nil if it is only a look and no place was named.
    public var directory: String? {
        output ?? (isQuick || works != OverloadWork.all || isAlone ? nil : "perf/runs")
    }

    public static let help = """
        millrace-bench overload: a server that may use a part of one CPU (cgroup, root) is asked for
        up to three times of what it can do, with admission and without.

        --rows LIST       rows, or what their names begin with (all of them):
                          \(OverloadWork.all.map(\.name).joined(separator: ", "))
        --loads LIST      by the capacity, which is found first (0.1,0.5,0.8,1,1.5,2,3)
        --seconds S       what counts at each load (8)
        --connections N   of the client (256)
        --quota PERCENT   of one CPU for the server (50)
        --period MICROS   in which it may use so much (2000)
        --thief           no quota: a thread of real-time priority takes the rest of each period
        --disk MIB        that the server may write in a second, looked after in slices of 0.1 s
        --key LINE        of the configuration, as "limits.queue_delay_target = \\"1ms\\""
        --alone           without the server that refuses nothing
        --quick           loads 0.1, 1 and 3 of 2 s each; writes no file
        --output DIR      where the result goes (perf/runs, if it is complete)
        --data DIR        where objects lie meanwhile (.build/bench-data)
        --millrace PATH   the server (the one beside this program)
        --server-cpu N, --client-cpu N   (0, 1)
        """
}
