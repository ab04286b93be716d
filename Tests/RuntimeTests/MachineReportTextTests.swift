// Goal:   the report's text says all that its value does, and says so where something is missing.

import Testing

@testable import Runtime

/// Two nodes, a disk on the second, a card with a queue for each core.
private let whole = MachineReport(
    kernel: "6.12.1", quota: 2,
    processors: [
        .init(cpu: 0, node: 0, core: 0, choice: .allowed),
        .init(cpu: 1, node: 1, core: 1, choice: .allowed),
        .init(cpu: 2, node: 1, core: nil, choice: .overQuota),
    ],
    nodes: [
        .init(number: 0, cpus: "0", memoryBytes: 1 << 30, freeBytes: 512 << 20),
        .init(number: 1, cpus: "1-2", memoryBytes: nil, freeBytes: nil),
    ],
    storage: .init(
        path: "./data", fileSystem: "ext4",
        device: BlockDevice(
            name: "nvme0n1", number: "259:1", node: 1, isRotational: false, queueDepth: 1023,
            hasWriteCache: true), coresOnItsNode: [1]),
    network: [
        NetworkDevice(
            name: "eth0", isUp: true, node: 1, receiveQueues: 2, sendQueues: 2,
            interrupts: [.init(number: 30, cpus: "0"), .init(number: 31, cpus: nil)])
    ],
    arenas: [
        .init(core: 0, bytes: 64 << 20, node: 0, isLocked: true),
        .init(core: 1, bytes: 64 << 20, node: nil, isLocked: false),
    ],
    ring: .init(
        submissionEntries: 1024, completionEntries: 8192, setupFlags: ["CLAMP", "DEFER_TASKRUN"],
        features: ["NODROP"], featuresMissing: ["RW_ATTR"], hasZeroCopy: true),
    warnings: ["memory is short"])

@Suite struct `The text of a machine report` {
    @Test func `has a line for everything`() {
        let expected = """
            kernel   6.12.1
            cores    2 of 3 CPUs  control groups grant 2.0 CPUs
              CPU 0  node 0  core 0  allowed, and no cores are named
              CPU 1  node 1  core 1  allowed, and no cores are named
              CPU 2  node 1  no core  \
            allowed, but the control group's quota keeps no more cores busy
            nodes    2
              node 0  CPUs 0  1024 MiB  512 MiB free
              node 1  CPUs 1-2
            storage  ./data  ext4
              nvme0n1  259:1  node 1  not rotational  queue depth 1023  write cache
              on its node: core 1; elsewhere: core 0
            network
              eth0  up  node 1  2 receive and 2 send queues  \
            interrupts 30 on CPU 0, 31 on CPU unknown
            arenas
              core 0  64 MiB  node 0  locked
              core 1  64 MiB  any node  not locked
            rings    1024 submissions  8192 completions
              setup     CLAMP DEFER_TASKRUN
              features  NODROP
              missing   RW_ATTR
              operations missing  none
              zero copy  yes
            warnings
              memory is short

            """
        #expect(whole.text == expected)
    }

    @Test func `says what is not there`() {
        var bare = whole
        bare.quota = nil
        bare.nodes = []
        bare.processors[0].node = nil
        bare.storage.device = nil
        bare.network = []
        bare.ring = .init(refusal: "io_uring is switched off")
        bare.warnings = []
        let lines = bare.text.split(separator: "\n").map(String.init)
        #expect(lines[1] == "cores    2 of 3 CPUs")
        #expect(lines[2] == "  CPU 0  core 0  allowed, and no cores are named")
        #expect(lines.contains("nodes    none: the kernel shows no NUMA"))
        #expect(lines.contains("  no block device of its own"))
        #expect(lines.contains("network  no card: loopback and virtual devices only"))
        #expect(lines.suffix(2) == ["rings    none", "  io_uring is switched off"])
    }

    @Test func `says that sends are copied where the kernel cannot do without`() {
        var report = whole
        report.ring.hasZeroCopy = false
        #expect(report.text.contains("\n  zero copy  no: this kernel cannot\n"))
    }

    @Test func `says which cores are near the disk`() {
        var report = whole
        for (near, line) in [
            ([0, 1], "all cores are on its node"), ([], "no core is on its node"),
            ([0], "on its node: core 0; elsewhere: core 1"),
        ] as [([Int], String)] {
            report.storage.coresOnItsNode = near
            #expect(report.text.contains("\n  \(line)\n"))
        }
        report.storage.coresOnItsNode = nil
        #expect(!report.text.contains("on its node"))
    }

    @Test func `says of a disk only what is known`() {
        var report = whole
        report.storage.device = BlockDevice(
            name: "sda", number: "8:0", node: nil, isRotational: true, queueDepth: nil,
            hasWriteCache: false)
        #expect(report.text.contains("\n  sda  8:0  node unknown  rotational  no write cache\n"))
    }
}
