import Testing

@testable import NUMA

/// NUMA against the kernel at hand, with and without policy.
@Suite struct `The memory nodes` {
    @Test func `are the kernel's, or the single one`() {
        let found = MemoryNodes.discover()
        #expect(found.count > 0)
        #expect(found.nodes == found.nodes.sorted())
        #expect(found == MemoryNodes.discover())
    }

    @Test(arguments: [-1, 0, 1, 1 << 20, .max, .min])
    func `give every CPU a usable node, even one that is not there`(_ cpu: Int) {
        for nodes in [MemoryNodes.discover(), .single] {
            #expect(nodes.nodes.contains(nodes.node(ofCPU: cpu)))
        }
    }

    @Test func `take memory that can be used afterwards, whatever the kernel answers`() {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 1 << 16, alignment: 4096)
        defer { unsafe memory.deallocate() }
        let found = MemoryNodes.discover()
        let refusal = unsafe found.place(memory, on: found.nodes[0])
        #expect(refusal == nil || refusal == 1 || refusal == 38, "EPERM and ENOSYS in containers")
        unsafe memory.storeBytes(of: 7, toByteOffset: 1 << 15, as: UInt8.self)
        #expect(unsafe memory.load(fromByteOffset: 1 << 15, as: UInt8.self) == 7)
        let nothing = unsafe MemoryNodes.single.place(memory, on: 0)
        #expect(nothing == nil)
    }

    @Test(.enabled(if: MemoryNodes.discover() != .single, "this machine has no NUMA policy"))
    func `answer the kernel's errno for memory it will not place`() {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 1 << 16, alignment: 4096)
        defer { unsafe memory.deallocate() }
        let found = MemoryNodes.discover()
        let crooked = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[1...])
        #expect(unsafe found.place(crooked, on: found.nodes[0]) != nil)
    }
}
