// Goal:   an operator reads what a server would use, and why; unknown things are never guessed.
// Method: machines are values and texts made up here; one report is of the machine we run on.

import Configuration
import Testing

@testable import Runtime

/// Files by path; directories are what lies in them.
private func files(_ texts: [String: String]) -> SystemFiles {
    SystemFiles(
        read: { texts[$0] },
        list: { directory in
            let below = texts.keys.filter { $0.hasPrefix(directory + "/") }
            let names = below.compactMap {
                $0.dropFirst(directory.count + 1).split(separator: "/").first
            }
            return Set(names.map(String.init)).sorted()
        })
}

@Suite struct `The files of the system` {
    @Test func `that are really there are read and listed in order`() {
        let real = SystemFiles.real
        #expect(real.read("/proc/self/status")?.isEmpty == false)
        #expect(real.list("/proc/self").contains("status"))
        #expect(real.list("/proc/self") == real.list("/proc/self").sorted())
        #expect(real.list("/no/such/directory") == [])
        #expect(real.number("/proc/self/status") == nil)
    }

    @Test(arguments: [("1\n", 1), ("0", 0), ("-1", nil), ("x", nil)] as [(String, Int?)])
    func `tell a device's node, if the kernel knows one`(text: String, node: Int?) {
        #expect(files(["/d/numa_node": text]).node(ofDeviceAt: "/d") == node)
    }

    @Test func `tell the node of what a device is a part of, of the nearest that says one`() {
        let card = files(["/d/../../numa_node": "2", "/d/../../../numa_node": "3"])
        #expect(card.node(ofDeviceAt: "/d") == 2)
        #expect(
            files(["/d/../numa_node": "-1", "/d/../../numa_node": "0"])
                .node(ofDeviceAt: "/d") == nil)
        #expect(files([:]).node(ofDeviceAt: "/d") == nil)
    }
}

@Suite struct `The disk under a directory` {
    private let disk = "/sys/dev/block/259:0"

    @Test func `is a whole one`() {
        let machine = files([
            "\(disk)/uevent": "MAJOR=259\nDEVNAME=nvme0n1\nDEVTYPE=disk\n",
            "\(disk)/device/numa_node": "1\n", "\(disk)/queue/rotational": "0\n",
            "\(disk)/queue/nr_requests": "1023\n", "\(disk)/queue/write_cache": "write back\n",
        ])
        #expect(
            BlockDevice.read("259:0", machine)
                == BlockDevice(
                    name: "nvme0n1", number: "259:0", node: 1, isRotational: false,
                    queueDepth: 1023, hasWriteCache: true))
    }

    @Test func `is the one that a partition is on`() {
        let part = "/sys/dev/block/8:1"
        let machine = files([
            "\(part)/partition": "1\n", "\(part)/uevent": "DEVNAME=sda1\n",
            "\(part)/../uevent": "DEVNAME=sda\n", "\(part)/../queue/rotational": "1\n",
            "\(part)/../queue/write_cache": "write through\n",
            "\(part)/../device/../../numa_node": "0\n",
        ])
        #expect(
            BlockDevice.read("8:1", machine)
                == BlockDevice(
                    name: "sda", number: "8:1", node: 0, isRotational: true, queueDepth: nil,
                    hasWriteCache: false))
    }

    @Test(
        arguments: [("1", "1", 1), ("0", "1", nil), ("-1", "0", nil)] as [(String, String, Int?)])
    func `is near what all its parts are near`(first: String, second: String, node: Int?) {
        let volume = "/sys/dev/block/253:0"
        let machine = files([
            "\(volume)/uevent": "DEVNAME=dm-0\n",
            "\(volume)/slaves/sda/device/numa_node": first,
            "\(volume)/slaves/sdb1/partition": "1",
            "\(volume)/slaves/sdb1/../device/numa_node": second,
        ])
        #expect(BlockDevice.read("253:0", machine)?.name == "dm-0")
        #expect(BlockDevice.read("253:0", machine)?.node == node)
    }

    @Test func `is none where the file system has none`() {
        #expect(BlockDevice.read("0:25", files([:])) == nil)
        #expect(BlockDevice.holding("/proc") == nil)
        #expect(BlockDevice.holding("/no/such/path") == nil)
    }

    @Test func `may be one of a path that is not there yet`() throws {
        #expect(FileSystem.existing(above: "/proc/self/no/such/path") == "/proc/self")
        #expect(FileSystem.existing(above: "/no/such/path") == "/")
        #expect(FileSystem.existing(above: "no-such-path/below") == ".")
        #expect(FileSystem.existing(above: "/proc") == "/proc")
    }
}

@Suite struct `The network cards` {
    private let card = "/sys/class/net/eth0"

    @Test func `are those with hardware, each with its queues and interrupts`() {
        let machine = files([
            "/sys/class/net/lo/operstate": "unknown", "/sys/class/net/lo/queues/rx-0/x": "",
            "\(card)/operstate": "up\n", "\(card)/device/vendor": "x",
            "\(card)/device/numa_node": "1", "\(card)/queues/rx-0/x": "",
            "\(card)/queues/rx-1/x": "", "\(card)/queues/tx-0/x": "",
            "\(card)/device/msi_irqs/30": "msi", "\(card)/device/msi_irqs/4": "msi",
            "/proc/irq/30/effective_affinity_list": "1\n", "/proc/irq/30/smp_affinity_list": "0-1",
            "/proc/irq/4/effective_affinity_list": "\n", "/proc/irq/4/smp_affinity_list": "0-1\n",
        ])
        #expect(
            NetworkDevice.all(machine) == [
                NetworkDevice(
                    name: "eth0", isUp: true, node: 1, receiveQueues: 2, sendQueues: 1,
                    interrupts: [.init(number: 4, cpus: "0-1"), .init(number: 30, cpus: "1")])
            ])
    }

    @Test func `may be parts of the device that has the interrupts`() {
        let machine = files([
            "\(card)/device/vendor": "x", "\(card)/device/../msi_irqs/25": "msi",
        ])
        #expect(
            NetworkDevice.all(machine) == [
                NetworkDevice(
                    name: "eth0", isUp: false, node: nil, receiveQueues: 0, sendQueues: 0,
                    interrupts: [.init(number: 25, cpus: nil)])
            ])
    }
}

@Suite struct `A machine report` {
    private let machine = Topology(
        allowed: CPUSet([0, 1, 2]), online: CPUSet(0...3),
        nodes: [
            MemoryNode(number: 0, cpus: CPUSet(0...1)), MemoryNode(number: 1, cpus: CPUSet(2...3)),
        ], quota: 1.5)

    private func choices(_ requested: [Int]?) throws -> [MachineReport.Choice] {
        let places = try machine.plan(requestedCores: requested)
        return MachineReport.Processor.all(machine, places, areNamed: requested != nil)
            .map(\.choice)
    }

    @Test func `says of each processor why it has a core or none`() throws {
        #expect(try choices(nil) == [.allowed, .allowed, .overQuota, .notAllowed])
        #expect(try choices([2, 0]) == [.named, .notNamed, .named, .notAllowed])
        let all = CPUSet(0..<300)
        let large = Topology(allowed: all, online: all, nodes: [])
        let found = MachineReport.Processor.all(large, try large.plan(), areNamed: false)
        #expect(found[255].choice == .allowed && found[256].choice == .overLimit)
    }

    @Test func `numbers cores in the order in which they are named`() throws {
        let places = try machine.plan(requestedCores: [2, 0])
        let found = MachineReport.Processor.all(machine, places, areNamed: true)
        #expect(found.map(\.core) == [1, nil, 0, nil])
        #expect(found.map(\.node) == [0, 0, 1, 1])
    }

    @Test func `reads how much memory each node has`() {
        let facts = "Node 1 MemTotal:       2048 kB\nNode 1 MemFree:        1024 kB\n"
        let found = MachineReport.Node.all(
            machine, files(["/sys/devices/system/node/node1/meminfo": facts]))
        #expect(
            found == [
                .init(number: 0, cpus: "0-1", memoryBytes: nil, freeBytes: nil),
                .init(number: 1, cpus: "2-3", memoryBytes: 2 << 20, freeBytes: 1 << 20),
            ])
    }

    @Test(
        arguments: [(nil, nil), (0, [0, 2]), (1, [1]), (7, [])] as [(Int?, [Int]?)])
    func `knows which cores are near the disk`(node: Int?, cores: [Int]?) {
        #expect(MachinePlan.cores(on: node, [0, 1, 0, nil]) == cores)
    }

    @Test func `of this machine is what a start would use`() throws {
        let report = try MachineReport.current(Settings())
        #expect(report.processors.count { $0.core != nil } == report.arenas.count)
        #expect(report.arenas.allSatisfy { $0.bytes > 0 })
        #expect(report.ring.refusal == nil)
        #expect(report.ring.submissionEntries == Int(CoreDriver.ringEntries))
        #expect(report.ring.setupFlags.contains("CQSIZE"))
        #expect(report.ring.operationsMissing == [])
        for heading in ["kernel ", "cores ", "nodes ", "storage ", "network", "arenas", "rings "] {
            #expect(report.text.split(separator: "\n").contains { $0.hasPrefix(heading) })
        }
    }
}
