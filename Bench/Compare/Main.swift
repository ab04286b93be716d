// `millrace-bench`: Millrace beside its peers, in one run. See perf/README.md.

import BenchAdaptation
import BenchEngine
import BenchMachine
import BenchMeasure
import BenchMicro
import BenchPlot
import Foundation

@main
struct Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "micro": exit(MicroCommand.run(rest) { EnvironmentFacts.commit(in: ".") })
        case "fio", "engine": exit(EngineCommand.run(rest) { EnvironmentFacts.commit(in: ".") })
        case "overload": exit(OverloadCommand.run(rest))
        case "lab": exit(LabCommand.run(rest))
        case "adaptation":
            exit(AdaptationCommand.run(rest) { EnvironmentFacts.commit(in: ".") })
        case "plot": exit(PlotCommand.run(rest))
        default: break
        }
        let options: Options
        do throws(Options.Mistake) {
            options = try Options(Array(arguments))
        } catch {
            say("millrace-bench: \(error)")
            exit(2)
        }
        if options.wantsHelp {
            show(Options.help)
            return
        }
        let undo = Undo()
        let signals = undo.watchSignals()
        defer { withExtendedLifetime(signals) {} }
        do {
            let (result, name) = try Comparison.run(options, undo: undo)
            undo.all()
            show(RunText(result).markdown)
            if let name {
                say("written: \(name).md and .json")
                let count = try PlotCommand.draw(name + ".json", into: name)
                say("drawn: \(count) files in \(name)")
            }
        } catch {
            undo.all()
            say("millrace-bench: \(error)")
            exit(1)
        }
    }
}

/// At once, so that it keeps its place among what `say` says.
func show(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

/// Progress and complaints; the result alone goes to standard output.
func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Why there is no result: one line for whoever started the bench.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
