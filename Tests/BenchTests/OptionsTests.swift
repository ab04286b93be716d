// Goal:   a run does what its command line says, and a slip is named.

import BenchMeasure
import Testing

@Suite struct `The options` {
    @Test func `without arguments are a whole run`() throws {
        let options = try Options([])
        #expect(options == Options())
        #expect(options.rows == Row.allCases)
        #expect(options.pairs >= 7)
        #expect(options.largeCount == 1 << 30)
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
        #expect(options.rows == [.putSmall, .getSmall])
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
        (["--only", "apache"], "--only is millrace or nginx"),
        (["--loop", "vfat"], "--loop is ext4"),
        (["--speed", "9"], "there is no option --speed"),
        (["fast"], "what is fast?"),
        (["--server-cpu", "1"], "must differ"),
    ])
    func `name what is wrong`(arguments: [String], complaint: String) {
        let mistake = #expect(throws: Options.Mistake.self) { try Options(arguments) }
        #expect(mistake?.description.contains(complaint) == true)
    }
}
