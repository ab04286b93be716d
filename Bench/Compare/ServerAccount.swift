// A server's CPU and memory, read from /proc and its clocks.

import BenchMachine
import BenchMeasure

/// What a server has used so far, over all its processes.
struct ServerAccount {
    /// The processes' CPU clocks: every thread there ever was, io-wq workers included.
    var processNanoseconds: UInt64 = 0
    /// The sum over the threads there are now.
    var threadNanoseconds: UInt64 = 0
    var ticks: UInt64 = 0
    /// Whether every thread there is now may run on the given CPU only.
    var isConfined = true

    /// Reads the accounts of `pid` and its children.
    init(of pid: Int32, cpu: Int) throws {
        for process in ServerAccount.family(of: pid) {
            processNanoseconds += try Clocks.process(process)
            let directory = "/proc/\(process)"
            ticks += TextFile.read(directory + "/stat").flatMap(ProcessText.cpuTicks) ?? 0
            for thread in TextFile.names(in: directory + "/task") {
                let files = directory + "/task/" + thread
                let used = TextFile.read(files + "/schedstat")
                threadNanoseconds += used.flatMap(ProcessText.cpuNanoseconds) ?? 0
                // A thread may end between the listing and here.
                guard let status = TextFile.read(files + "/status") else { continue }
                let allowed = ProcessText.value(of: "Cpus_allowed_list", status: status)
                if allowed != "\(cpu)" { isConfined = false }
            }
        }
    }

    /// A process and its children, for as deep as a server has them.
    static func family(of pid: Int32) -> [Int32] {
        var found: [Int32] = [pid]
        for thread in TextFile.names(in: "/proc/\(pid)/task") {
            let text = TextFile.read("/proc/\(pid)/task/\(thread)/children") ?? ""
            for child in text.split(separator: " ").compactMap({ Int32($0) }) {
                found += family(of: child)
            }
        }
        return found
    }

    /// Private and all resident memory, in bytes.
    static func memory(of pid: Int32) -> (anonymous: Int, resident: Int) {
        var sum = (anonymous: 0, resident: 0)
        for process in family(of: pid) {
            let status = TextFile.read("/proc/\(process)/status") ?? ""
            sum.anonymous += ProcessText.bytes(of: "RssAnon", status: status) ?? 0
            sum.resident += ProcessText.bytes(of: "VmRSS", status: status) ?? 0
        }
        return sum
    }
}
