// Goal:   a run does what its command line says, and a slip is named.

import BenchMeasure
import Testing

@Suite struct `The options` {
    @Test func `without arguments are a whole run`() throws {
        let options = try Options([])
        #expect(options == Options())
        #expect(options.rows == Row.all)
        #expect(options.pairs == 15)
        #expect(options.largeCount == 1 << 30)
        #expect(options.sides == Side.allCases.filter { ![.plain, .reduced].contains($0) })
    }

    @Test func `make a quick run smaller, unless they say more, in any order`() throws {
        let quick = try Options(["--quick"])
        #expect(quick.pairs == 3)
        #expect(quick.largeCount < 1 << 30)
        let mixed = try Options(["--pairs", "5", "--quick", "--large", "256"])
        #expect(mixed.pairs == 5)
        #expect(mixed.largeCount == 256 << 20)
        #expect(mixed.isQuick)
    }

    @Test func `take rows in the order given, each once`() throws {
        let options = try Options(["--rows", "put-4k,get-1k,put-4k"])
        #expect(options.rows.map(\.name) == ["put-4k", "get-1k"])
    }

    @Test func `take groups of rows, and a row that is in two of them once`() throws {
        let options = try Options(["--rows", "durable,put,idle"])
        let names = options.rows.map(\.name)
        #expect(names.prefix(3) == ["put-4k", "put-64k", "put-1m"])
        #expect(names.contains("put-1g-4c-written"))
        #expect(Set(names).count == names.count && names.last == "idle")
    }

    @Test func `compare with those that are named, nginx among them`() throws {
        let options = try Options(["--peers", "h2o,nginx"])
        #expect(options.sides == [.millrace, .nginx, .h2o])
        #expect(try Options(["--only", "caddy"]).sides == [.caddy])
    }

    @Test func `name in their help every row, group and peer`() {
        for name in Row.all.map(\.name) + Row.groups.map(\.name) + Side.peers.map(\.rawValue) {
            #expect(Options.help.contains(name), "\(name)")
        }
        #expect(Options.help.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `take every value`() throws {
        let options = try Options([
            "--only", "nginx", "--millrace", "m", "--nginx", "n", "--data", "d", "--loop", "ext4",
            "--output", "o", "--server-cpu", "2", "--client-cpu", "3", "--duration", "0.5",
            "--keep", "--help",
        ])
        #expect(options.only == .nginx && options.loop == .ext4)
        #expect(options.millrace == "m" && options.nginx == "n")
        #expect(options.data == "d" && options.output == "o")
        #expect(options.serverCPU == 2 && options.clientCPU == 3)
        #expect(options.seconds == 0.5)
        #expect(options.keepsData && options.wantsHelp)
    }

    @Test(arguments: [
        (["--rows", "get-1k,"], "there is no row "),
        (["--rows", "get-2k"], "there is no row get-2k"),
        (["--pairs", "0"], "--pairs is a number from 1"),
        (["--pairs", "many"], "--pairs is a number from 1"),
        (["--pairs"], "--pairs needs a value"),
        (["--seconds", "0"], "--seconds is a number"),
        (["--seconds", "x"], "--seconds is a number"),
        (["--large", "0"], "--large is a number"),
        (["--only", "apache"], "--only is millrace, nginx"),
        (["--peers", "apache"], "--peers are nginx"),
        (["--peers", "nginx,millrace"], "not millrace"),
        (["--peers", "h2o"], "always has nginx"),
        (["--loop", "vfat"], "--loop is ext4"),
        (["--speed", "9"], "there is no option --speed"),
        (["fast"], "what is fast?"),
        (["--server-cpu", "1"], "must differ"), (["--only", "reduced"], "not reduced"),
        (["--only", "millrace-put"], "not millrace-put"),
        (["--ablation", "--only", "nginx"], "there is no --only then"),
        (["--ablation", "--rows", "idle"], "none of these rows"),
        (["--only", "millrace", "--buffers"], "--buffers compares: there is no --only then"),
        (["--buffers", "--rows", "get-1k"], "none of these rows is there for --buffers"),
        (["--buffers", "--ablation"], "are two runs"),
        (["--ablation", "--buffers"], "are two runs"),
    ])
    func `name what is wrong`(arguments: [String], complaint: String) {
        let mistake = #expect(throws: Options.Mistake.self) { try Options(arguments) }
        #expect(mistake?.description.contains(complaint) == true)
    }
}
