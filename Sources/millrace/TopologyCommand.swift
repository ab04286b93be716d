// `millrace topology`: prints the machine as a server with these settings would use it.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Runtime

struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Print which CPUs, memory, devices and kernel features a server would use.",
        discussion: """
            Nothing is started or changed. Cores and why each CPU has one or not; memory nodes; \
            the device under the data directory; network cards with their queues and interrupts; \
            each core's buffers; one ring, opened on trial. With --json, what is unknown is left \
            out.

            EXAMPLES
              millrace topology
              millrace topology --json --config /etc/millrace.toml
            """)

    @OptionGroup var place: ConfigurationOptions

    @Option(help: ArgumentHelp("CPUs to run on, such as 0,1 or 0-3.", valueName: "list"))
    var cores: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let settings = try settings(environment: processEnvironment())
        let report: MachineReport
        do throws(ServeError) {
            report = try MachineReport.current(settings)
        } catch {
            throw CommandFailure(text: error.description, exitCode: 1)
        }
        let text = try json ? TopologyCommand.encoded(report) : report.text
        print(text, terminator: "")
    }

    func settings(environment: [String: String]) throws -> Settings {
        let overrides = cores.map { [SettingOverride("server.cores", $0, from: "--cores")] } ?? []
        return try place.settings(overrides: overrides, environment: environment)
    }

    static func encoded(_ report: MachineReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }
}
