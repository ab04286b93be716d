// Goal:   every core gets a processor that it may use, and knows which memory is near.
// Method: a machine is a value; its files are texts. One test asks the real machine.

import Testing

@testable import Runtime

@Suite struct `The topology` {
    private let machine = Topology(
        allowed: CPUSet([0, 1, 4, 5]), online: CPUSet(0...5),
        nodes: [
            MemoryNode(number: 0, cpus: CPUSet(0...3)), MemoryNode(number: 1, cpus: CPUSet(4...7)),
        ])

    private func refusal(_ cores: [Int]) -> TopologyError? {
        do {
            _ = try machine.plan(requestedCores: cores)
            return nil
        } catch {
            return error
        }
    }

    @Test func `uses every allowed processor by default`() throws {
        let expected = [
            CorePlace(cpu: 0, node: 0), CorePlace(cpu: 1, node: 0), CorePlace(cpu: 4, node: 1),
            CorePlace(cpu: 5, node: 1),
        ]
        #expect(try machine.plan() == expected)
    }

    @Test(
        arguments: [(0.2, 1), (1, 1), (1.01, 2), (2.5, 3), (4, 4), (64, 4), (1e300, 4)]
            as [(Double, Int)])
    func `uses no more cores than the quota keeps busy`(quota: Double, count: Int) throws {
        var machine = machine
        machine.quota = quota
        #expect(try machine.plan().map(\.cpu) == Array([0, 1, 4, 5].prefix(count)))
    }

    @Test func `lets a request exceed the quota`() throws {
        var machine = machine
        machine.quota = 1
        #expect(try machine.plan(requestedCores: [0, 4]).count == 2)
    }

    @Test func `keeps the order of a request`() throws {
        let expected = [CorePlace(cpu: 5, node: 1), CorePlace(cpu: 0, node: 0)]
        #expect(try machine.plan(requestedCores: [5, 0]) == expected)
    }

    @Test func `refuses cores that cannot be had, and says why`() {
        #expect(refusal([]) == .noCores)
        #expect(refusal([0, 1, 0]) == .duplicate(0))
        #expect(refusal([6]) == .offline(6, online: machine.online))
        #expect(refusal([-1]) == .offline(-1, online: machine.online))
        #expect(refusal([0, 2]) == .notAllowed(2, allowed: machine.allowed))
        #expect(refusal(Array(0...256)) == .tooMany(257))
    }

    @Test func `names in its errors what could be had`() {
        #expect(refusal([6])?.description == "core 6 is not online; online are 0-5")
        #expect(
            refusal([2])?.description
                == "core 2 is not allowed to this process (affinity mask, cpuset);"
                + " allowed are 0-1,4-5")
        #expect(refusal([1, 1])?.description == "core 1 is named twice")
        #expect(refusal([])?.description == "no core is left to run on; name at least one")
        #expect(
            refusal(Array(0...256))?.description == "257 cores are too many; the most is 256")
    }

    @Test func `has at most 256 cores by default`() throws {
        let all = CPUSet(0..<1000)
        #expect(try Topology(allowed: all, online: all, nodes: []).plan().count == 256)
    }

    @Test func `reads two nodes, one of them without processors`() {
        let root = "/sys/devices/system"
        let files = [
            "\(root)/cpu/online": "0-3\n", "\(root)/node/online": "0,2\n",
            "\(root)/node/node0/cpulist": "0-3\n", "\(root)/node/node2/cpulist": "\n",
        ]
        let read = Topology.read(allowed: CPUSet([1]), quota: 2) { files[$0] }
        #expect(
            read
                == Topology(
                    allowed: CPUSet([1]), online: CPUSet(0...3),
                    nodes: [
                        MemoryNode(number: 0, cpus: CPUSet(0...3)),
                        MemoryNode(number: 2, cpus: CPUSet([])),
                    ], quota: 2))
    }

    @Test func `knows no node where the kernel shows none or garbage`() throws {
        let files = ["/sys/devices/system/node/online": "garbage\n"]
        for texts in [[:], files] {
            let read = Topology.read(allowed: CPUSet([0, 1]), quota: nil) { texts[$0] }
            #expect(
                try read.plan() == [CorePlace(cpu: 0, node: nil), CorePlace(cpu: 1, node: nil)])
        }
    }

    @Test func `of this machine gives at least one place`() throws {
        let places = try Topology.current().plan()
        let allowed = try CPUSet.allowed()
        #expect(!places.isEmpty && places.allSatisfy { allowed.contains($0.cpu) })
    }
}
