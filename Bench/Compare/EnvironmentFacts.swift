// Where and how a run is made.

import BenchMachine
import BenchMeasure
import Foundation

/// Gathers where and how a run is made.
enum EnvironmentFacts {
    static func gather(
        _ options: Options, repository: String, place: Place, congestion: String, peers: [String]
    ) -> BenchMeasure.Environment {
        var facts = BenchMeasure.Environment()
        let formatter = ISO8601DateFormatter()
        facts.date = formatter.string(from: Date())
        facts.commit = commit(in: repository)
        facts.command = (["millrace-bench"] + CommandLine.arguments.dropFirst())
            .joined(separator: " ")
        facts.kernel = (TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        facts.cpuModel = cpuModel()
        facts.cpuCount = ProcessInfo.processInfo.processorCount
        facts.memoryBytes = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let system = FileSystemFacts(of: place.directory)
        (facts.fileSystem, facts.journal) = (system.name, system.journal)
        facts.writeCache = system.writeCache
        if options.loop != nil {
            let outer = FileSystemFacts(of: place.outside)
            facts.fileSystem += ", an image with direct I/O on \(outer.name)"
            facts.writeCache += " (below it: \(outer.writeCache))"
        }
        facts.peers = peers
        facts.serverCongestionControl = congestion
        facts.clientCongestionControl = CongestionControl.wanted
        (facts.serverCPU, facts.clientCPU) = (options.serverCPU, options.clientCPU)
        (facts.pairs, facts.secondsPerSmallRound) = (options.pairs, options.seconds)
        (facts.largeBytes, facts.readsDisk) = (options.largeCount, options.readsDisk)
        return facts
    }

    /// The short hash, with a mark if files that git knows were changed.
    static func commit(in repository: String) -> String {
        let head = try? Command.run("git", ["-C", repository, "rev-parse", "--short", "HEAD"])
        guard let head else { return "unknown" }
        let name = head.trimmingCharacters(in: .whitespacesAndNewlines)
        let status = ["-C", repository, "status", "--porcelain", "--untracked-files=no"]
        let isChanged = (try? Command.run("git", status))?.isEmpty == false
        return isChanged ? name + "-changed" : name
    }

    private static func cpuModel() -> String {
        ProcessText.value(of: "model name\t", status: TextFile.read("/proc/cpuinfo") ?? "")
            ?? "unknown"
    }
}
