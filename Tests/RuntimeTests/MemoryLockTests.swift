// Goal:   every limit leads to a size that the kernel will register, or to none and one warning.

import Loop
import Testing

@testable import Runtime

@Suite struct `The memory lock plan` {
    private func plan(_ mebibytes: Int, cores: Int, limit: Int?, privileged: Bool = false)
        -> MemoryLock.Plan
    {
        MemoryLock.plan(
            requestedPerCore: mebibytes << 20, coreCount: cores, limit: limit,
            hasLockCapability: privileged)
    }

    @Test(
        arguments: [(nil, false), (128 << 20, false), (8 << 20, true), (0, true)]
            as [(Int?, Bool)])
    func `registers what was asked for if it may`(limit: Int?, privileged: Bool) {
        let plan = plan(64, cores: 2, limit: limit, privileged: privileged)
        #expect(plan == .init(bytesPerCore: 64 << 20, isRegistered: true, warning: nil))
    }

    @Test func `shrinks two cores to Debian's limit and names it`() {
        let plan = plan(64, cores: 2, limit: 8 << 20)
        #expect(plan.bytesPerCore == 4 << 20)
        #expect(plan.isRegistered)
        #expect(
            plan.warning == "RLIMIT_MEMLOCK is 8 MiB, but 2 × memory_per_core needs 128 MiB: each"
                + " core gets 4 MiB; raise it with `ulimit -l` or `LimitMEMLOCK=infinity` in the"
                + " systemd unit")
    }

    @Test func `leaves three cores under Debian's limit unregistered, at full size`() {
        let plan = plan(64, cores: 3, limit: 8 << 20)
        #expect(plan.bytesPerCore == 64 << 20)
        #expect(!plan.isRegistered)
        #expect(
            plan.warning == "RLIMIT_MEMLOCK is 8 MiB, but 3 × memory_per_core needs 192 MiB:"
                + " buffers stay unregistered, which is slower; raise it with `ulimit -l` or"
                + " `LimitMEMLOCK=infinity` in the systemd unit")
    }

    @Test func `fits the limit over all cores, in whole huge pages`() {
        for cores in 1...8 {
            for limit in stride(from: 0, through: 200 << 20, by: 1_234_567) {
                let plan = plan(64, cores: cores, limit: limit)
                #expect(plan.bytesPerCore >= CoreMemory.smallest)
                #expect(plan.bytesPerCore % (2 << 20) == 0)
                if plan.isRegistered {
                    #expect(plan.bytesPerCore * cores <= limit)
                } else {
                    #expect(limit / cores < CoreMemory.smallest)
                }
                #expect((plan.warning == nil) == (limit >= cores * 64 << 20))
            }
        }
    }

    @Test func `never registers more than the kernel takes in one buffer`() {
        let plan = plan(3072, cores: 1, limit: nil)
        #expect(plan.bytesPerCore == 1 << 30)
        #expect(plan.isRegistered)
        #expect(
            plan.warning
                == "memory_per_core is 3 GiB, but a ring registers at most 1 GiB; each core gets"
                + " that")
    }

    @Test(
        arguments: [
            ("CapPrm:\t0000000000000000\nCapEff:\t0000000000004000\n", true),
            ("CapEff:\t000001ffffffffff\n", true), ("CapEff:\t0000000000000000\n", false),
            ("CapEff:\tffffffffffffbfff\n", false), ("CapPrm:\t0000000000004000\n", false),
            ("CapEff:\tgarbage\n", false), ("CapEff:", false), ("", false),
        ])
    func `finds CAP_IPC_LOCK among the effective capabilities`(status: String, isThere: Bool) {
        #expect(MemoryLock.hasLockCapability(status: status) == isThere)
    }

    @Test(
        arguments: [
            (8 << 20, "8 MiB"), (1 << 30, "1 GiB"), (65536, "64 KiB"), (1000, "1000 bytes"),
            (0, "0 bytes"), (3 << 19, "1536 KiB"),
        ])
    func `writes sizes for people`(count: Int, text: String) {
        #expect(Bytes(count).description == text)
    }

    @Test func `of this process can be made`() throws {
        let plan = try MemoryLock.plan(requestedPerCore: 16 << 20, coreCount: 2)
        #expect(plan.bytesPerCore >= CoreMemory.smallest)
    }
}
