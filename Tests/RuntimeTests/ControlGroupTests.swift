// Goal:   the quota we run with is the tightest of all groups above us, in any cgroup version.
// Method: files are texts in a dictionary; the first three sets are recorded from real hosts.

import Testing

@testable import Runtime

@Suite struct `A control group` {
    private func limits(_ files: [String: String]) -> ControlGroup {
        ControlGroup.limits { files[$0] }
    }

    /// Systemd on Debian 12: one tree, version 2.
    private let unified = [
        "/proc/self/cgroup": "0::/system.slice/millrace.service\n",
        "/proc/self/mountinfo": """
        26 31 0:24 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
        35 26 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw

        """,
    ]

    /// Docker with version 1 and no cgroup namespace: the mount's root is the container's group.
    private let container = [
        "/proc/self/cgroup": """
        5:memory:/docker/4f1c
        4:cpu,cpuacct:/docker/4f1c
        1:name=systemd:/docker/4f1c

        """,
        "/proc/self/mountinfo": """
        701 700 0:31 /docker/4f1c /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
        702 700 0:32 /docker/4f1c /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
        703 700 0:33 /docker/4f1c /sys/fs/cgroup/systemd ro master:15 - cgroup x rw,name=systemd

        """,
    ]

    /// A small virtual machine with both: controllers in version 1, version 2 empty beside them.
    private let hybrid = [
        "/proc/self/cgroup": "4:memory:/process_api/b5b8\n3:cpuset:/\n1:cpu:/\n0::/\n",
        "/proc/self/mountinfo": """
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
        34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

        """,
    ]

    @Test func `of version 2 gives its own quota`() {
        var files = unified
        files["/sys/fs/cgroup/system.slice/millrace.service/cpu.max"] = "150000 100000\n"
        files["/sys/fs/cgroup/system.slice/millrace.service/memory.max"] = "536870912\n"
        #expect(limits(files) == ControlGroup(cpus: 1.5, memoryBytes: 512 << 20))
    }

    @Test func `of version 2 is bound by a tighter group above it`() {
        var files = unified
        files["/sys/fs/cgroup/system.slice/millrace.service/cpu.max"] = "400000 100000\n"
        files["/sys/fs/cgroup/system.slice/cpu.max"] = "50000 25000\n"
        files["/sys/fs/cgroup/system.slice/millrace.service/memory.max"] = "max\n"
        files["/sys/fs/cgroup/system.slice/memory.max"] = "1073741824\n"
        #expect(limits(files) == ControlGroup(cpus: 2, memoryBytes: 1 << 30))
    }

    @Test func `in a namespace is the mount point itself`() {
        var files = unified
        files["/proc/self/cgroup"] = "0::/\n"
        files["/sys/fs/cgroup/cpu.max"] = "200000 100000\n"
        #expect(limits(files) == ControlGroup(cpus: 2))
    }

    @Test(arguments: ["0::/../other\n", "0::/elsewhere/else\n"])
    func `outside the namespace shows at least its top`(membership: String) {
        var files = unified
        files["/proc/self/cgroup"] = membership
        files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n"
        #expect(limits(files) == ControlGroup(cpus: 1))
    }

    @Test func `of version 1 in a container is found at the mount point`() {
        var files = container
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = "250000\n"
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"] = "100000\n"
        files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "2147483648\n"
        #expect(limits(files) == ControlGroup(cpus: 2.5, memoryBytes: 2 << 30))
    }

    @Test func `of version 1 without limits has none`() {
        var files = container
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = "-1\n"
        files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"] = "100000\n"
        files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
        #expect(limits(files) == ControlGroup())
    }

    @Test func `of a hybrid host counts both versions and every level`() {
        var files = hybrid
        files["/sys/fs/cgroup/memory/process_api/b5b8/memory.limit_in_bytes"] = "4294967296\n"
        files["/sys/fs/cgroup/memory/process_api/memory.limit_in_bytes"] = "1073741824\n"
        files["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = "300000\n"
        files["/sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000\n"
        files["/sys/fs/cgroup/unified/cpu.max"] = "100000 100000\n"
        #expect(limits(files) == ControlGroup(cpus: 1, memoryBytes: 1 << 30))
    }

    @Test func `does not take one controller's limit from another's tree`() {
        var files = hybrid
        files["/sys/fs/cgroup/cpuset/cpu.cfs_quota_us"] = "100000\n"
        files["/sys/fs/cgroup/cpuset/cpu.cfs_period_us"] = "100000\n"
        files["/sys/fs/cgroup/memory/cpu.max"] = "100000 100000\n"
        #expect(limits(files) == ControlGroup())
    }

    @Test func `that cannot be read limits nothing`() {
        #expect(limits([:]) == ControlGroup())
        #expect(limits(unified) == ControlGroup())
        #expect(limits(["/proc/self/cgroup": "0::/\n"]) == ControlGroup())
    }

    @Test(arguments: ["", "\n", "garbage", "0:", "0::", "0::relative", ":::", "x:cpu"])
    func `survives garbage for memberships`(text: String) {
        var files = unified
        files["/proc/self/cgroup"] = text
        files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n"
        #expect(limits(files) == ControlGroup())
    }

    @Test(
        arguments: [
            "", "-", "1 2 3", "35 26 0:30 / /sys/fs/cgroup rw - ", "a b c d e f g h i j k",
            "35 26 0:30 / /sys/fs/cgroup - cgroup2 cgroup2 rw",
        ])
    func `survives garbage for mounts`(text: String) {
        var files = unified
        files["/proc/self/mountinfo"] = text
        files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n"
        #expect(limits(files) == ControlGroup())
    }

    @Test(
        arguments: [
            ("max 100000\n", nil), ("100000 100000\n", 1), ("50000 100000", 0.5), ("", nil),
            ("100000", nil), ("0 100000", nil), ("100000 0", nil), ("-1 100000", nil),
            ("max max", nil), ("1e5 100000", nil), ("1 2 3", nil),
        ] as [(String, Double?)])
    func `reads a quota`(text: String, cpus: Double?) {
        #expect(ControlGroup.quota(unified: text) == cpus)
    }

    @Test(
        arguments: [
            ("max\n", nil), ("4096\n", 4096), ("0", 0), ("-1", nil), ("4k", nil), ("", nil),
            ("9223372036854775807", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)])
    func `reads a memory limit`(text: String, bytes: Int?) {
        #expect(ControlGroup.memory(text) == bytes)
    }

    @Test func `of this process makes sense`() {
        let limits = ControlGroup.current()
        #expect(limits.cpus.map { $0 > 0 } != false)
        #expect(limits.memoryBytes.map { $0 > 1 << 20 } != false)
    }
}
