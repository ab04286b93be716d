// What `millrace-bench fio` was asked to do.

public import BenchMeasure

public struct EngineOptions: Equatable, Sendable {
    public var cells = EngineCell.all
    public var pairs = 15
    /// Length of a round.
    public var seconds = 2.0
    public var fileBytes = 1 << 30
    public var fio = "fio"
    public var data: String?
    public var output: String?
    public var cpu = 0
    /// Runs this side alone and compares nothing: for profiles, and for two programs of ours.
    public var only: EngineSide?
    public var isQuick = false
    public var wantsHelp = false

    /// A file of fewer blocks than twice the deepest queue would have two requests at one place
    /// all the time.
    static let fileMiBMin = 128

    public init() {}

    /// `arguments` without the program's name and without `fio`.
    public init(_ arguments: [String]) throws(Options.Mistake) {
        if arguments.contains("--quick") {
            (isQuick, pairs, seconds, fileBytes) = (true, 3, 0.3, EngineOptions.fileMiBMin << 20)
        }
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--quick": continue
            case "--help", "-h": wantsHelp = true
            default:
                guard name.hasPrefix("--") else {
                    throw Options.Mistake("what is \(name)? see fio --help")
                }
                guard EngineOptions.valued.contains(name) else {
                    throw Options.Mistake("there is no option \(name); see fio --help")
                }
                guard let value = rest.popFirst() else {
                    throw Options.Mistake("\(name) needs a value")
                }
                try set(name, to: value)
            }
        }
    }

    private static let valued: Set<String> = [
        "--cells", "--pairs", "--seconds", "--file", "--fio", "--data", "--output", "--cpu",
        "--only",
    ]

    private mutating func set(_ name: String, to value: String) throws(Options.Mistake) {
        switch name {
        case "--cells":
            let named = EngineCell.all.filter { $0.name.contains(value) }
            guard !named.isEmpty else {
                throw Options.Mistake("no cell is called \(value); see fio --help")
            }
            cells = named
        case "--pairs": pairs = try Options.number(value, for: name, in: 1...1000)
        case "--seconds": seconds = try Options.seconds(value, for: name)
        case "--file":
            let range = EngineOptions.fileMiBMin...(1 << 20)
            fileBytes = try Options.number(value, for: name, in: range) << 20
        case "--fio": fio = value
        case "--data": data = value
        case "--output": output = value
        case "--only":
            guard let side = EngineSide(rawValue: value) else {
                throw Options.Mistake("--only is millrace or fio, not \(value)")
            }
            only = side
        case "--cpu": cpu = try Options.number(value, for: name, in: 0...1023)
        default: preconditionFailure("an option that is listed but not read")
        }
    }

    /// Where the result is to be written; nil if it is only part of one and no place was named.
    public var directory: String? {
        output ?? (isQuick || cells != EngineCell.all || only != nil ? nil : "perf/runs")
    }

    public static let help = """
        millrace-bench fio: Millrace's ring, loop and buffers beside fio, on one file and one CPU.

        --cells X         only cells whose names contain X, such as write-4k or qd16
        --pairs N         rounds of each side and cell (15)
        --seconds S       length of a round (2)
        --file MIB        size of the file (1024)
        --quick           3 pairs of 0.3 s on 128 MiB; writes no file
        --fio PATH        fio (from PATH)
        --data DIR        where the file lies (.build/bench-data)
        --output DIR      where the result goes (perf/runs, if it is complete)
        --cpu N           the CPU of both (0)
        --only SIDE       millrace or fio alone; compares nothing, writes no file

        Cells are read or write, 4k, 64k or 1m, at queue depths 1, 4, 16 and 64: read-64k-qd4.

        Example: millrace-bench fio --cells read-4k --pairs 9
        """
}
