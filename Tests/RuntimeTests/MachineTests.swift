// Goal:   what we ask of the real machine is what we get: limits, file systems, pinned threads.

import Glibc
import IO
import Synchronization
import Testing

@testable import Runtime

@Suite(.serialized) struct `Resource limits` {
    @Test func `are raised as far as they go without privilege`() throws {
        for resource in [ResourceLimits.Resource.openFiles, .lockedMemory] {
            let before = try ResourceLimits.current(resource)
            let raised = try ResourceLimits.raise(resource)
            #expect(raised.soft == before.hard && raised.hard == before.hard)
            #expect(try ResourceLimits.current(resource) == raised)
        }
    }

    @Test func `that were lowered are raised again`() throws {
        let before = try ResourceLimits.raise(.openFiles)
        var lowered = rlimit(rlim_cur: 512, rlim_max: before.hard.map(rlim_t.init) ?? .max)
        let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lowered)
        #expect(status == 0)
        #expect(try ResourceLimits.current(.openFiles).soft == 512)
        #expect(try ResourceLimits.raise(.openFiles) == before)
    }
}

@Suite struct `A file system` {
    @Test func `of /proc, which has no room, is unknown to us`() throws {
        let files = try FileSystem.holding("/proc")
        #expect(files == FileSystem(bytesTotal: 0, bytesFree: 0, type: "0x9fa0"))
    }

    @Test func `has room, part of it free`() throws {
        let files = try FileSystem.holding("/tmp")
        #expect(files.bytesTotal > 0 && files.bytesFree <= files.bytesTotal)
    }

    @Test func `of a path that is not there is an error`() {
        #expect(throws: KernelError.notFound) { try FileSystem.holding("/no/such/path") }
    }

    @Test(
        arguments: [
            (0xef53, "ext4"), (0x5846_5342, "xfs"), (0x9123_683e, "btrfs"), (0x0102_1994, "tmpfs"),
            (0x794c_7630, "overlay"), (0x1234, "0x1234"),
        ] as [(UInt64, String)])
    func `is called by its name`(magic: UInt64, name: String) {
        #expect(FileSystem.name(magic: magic) == name)
    }
}

@Suite struct `A core thread` {
    private final class Seen: Sendable {
        let cpus = Mutex<[Int]>([])
        let name = Mutex("")
        let allowed = Mutex(CPUSet([]))
    }

    @Test func `runs on its CPU and nowhere else, under its name`() throws {
        for cpu in try CPUSet.allowed().cpus.prefix(4) {
            let seen = Seen()
            let thread = try CoreThread.start(name: "millrace-\(cpu)", cpu: cpu) {
                for _ in 0..<1000 {
                    sched_yield()
                    seen.cpus.withLock { $0.append(CoreThread.currentCPU) }
                }
                seen.name.withLock { $0 = CoreThread.currentName }
                seen.allowed.withLock { $0 = (try? CPUSet.allowed()) ?? $0 }
            }
            thread.join()
            #expect(seen.cpus.withLock { Set($0) } == [cpu])
            #expect(seen.name.withLock { $0 } == "millrace-\(cpu)")
            #expect(seen.allowed.withLock { $0 } == CPUSet([cpu]))
        }
    }

    @Test func `without a CPU keeps its starter's`() throws {
        let seen = Seen()
        let thread = try CoreThread.start(name: "anywhere", cpu: nil) {
            seen.allowed.withLock { $0 = (try? CPUSet.allowed()) ?? $0 }
        }
        thread.join()
        let allowed = try CPUSet.allowed()
        #expect(seen.allowed.withLock { $0 } == allowed)
    }

    @Test func `can be pinned while it runs`() throws {
        let last = try CPUSet.allowed().cpus.last ?? 0
        let seen = Seen()
        let thread = try CoreThread.start(name: "moves", cpu: nil) {
            do throws(KernelError) {
                try CoreThread.pinCurrent(to: last)
                seen.cpus.withLock { $0.append(CoreThread.currentCPU) }
            } catch {
                seen.cpus.withLock { $0.append(-Int(error.code)) }
            }
        }
        thread.join()
        #expect(seen.cpus.withLock { $0 } == [last])
    }

    @Test(arguments: [CPUSet.cpusMax - 1, CPUSet.cpusMax, Int.max])
    func `cannot be had on a CPU that is not there`(cpu: Int) {
        #expect(throws: KernelError.invalid) {
            let thread = try CoreThread.start(name: "nowhere", cpu: cpu) {}
            thread.join()
        }
        #expect(throws: KernelError.invalid) { try CoreThread.pinCurrent(to: cpu) }
    }

    @Test func `traps when it is dropped instead of joined`() async {
        await #expect(processExitsWith: .failure) {
            _ = try CoreThread.start(name: "dropped", cpu: nil) {}
        }
    }

    @Test func `traps when its name is too long`() async {
        await #expect(processExitsWith: .failure) {
            let thread = try CoreThread.start(name: "sixteen letters!", cpu: nil) {}
            thread.join()
        }
    }
}

@Suite struct `A text file` {
    @Test func `that is there is read whole`() throws {
        #expect(TextFile.read("/proc/self/status")?.contains("CapEff:") == true)
    }

    @Test(arguments: ["/no/such/file", "/proc", "/dev/zero"])
    func `that is not there, is a directory or has no end is nothing`(path: String) {
        #expect(TextFile.read(path) == nil)
    }
}

@Suite struct `The memory for a catalog` {
    @Test(
        arguments: [
            ("MemTotal: 9 kB\nMemAvailable:    4096 kB\nCached: 1 kB\n", nil, 1 << 20),
            ("MemAvailable: 4096 kB", 2 << 20, 512 << 10),
            ("MemAvailable: 4096 kB", 8 << 20, 1 << 20),
            ("MemAvailable:", nil, 0), ("MemAvailable: -4 kB", nil, 0), ("", 8 << 20, 0),
            ("MemAvailable: 9223372036854775807 kB", nil, 0),
        ] as [(String, Int?, UInt64)])
    func `is a quarter of what is available`(facts: String, limit: Int?, bytes: UInt64) {
        #expect(MachineMemory.catalogBytesMax(facts, limit: limit) == bytes)
    }

    @Test func `of this machine is something, and less than it has`() {
        let pages = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        #expect((1...UInt64(pages)).contains(MachineMemory.catalogBytesMax()))
    }
}
