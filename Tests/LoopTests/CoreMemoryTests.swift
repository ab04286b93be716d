// Goal:   buffers go to those who wait longest, everyone gets one in the end, none is lost.

import IO
import Testing

@testable import Loop

@Suite struct `A core's memory` {
    private func makeArena(_ bytes: Int) -> Arena {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 1 << 21)
        return unsafe Arena(memory)
    }

    /// Every size that a memory lock limit can lead to.
    @Test(arguments: stride(from: 4, through: 200, by: 1).map { $0 << 20 })
    func `is divided without overlap, in units that the ring takes`(bytes: Int) throws {
        // Nothing is touched, so one address serves all sizes.
        let loop = try EventLoop(index: 0)
        let memory = CoreMemory(arena: makeArena(bytes), loop: loop)
        let buffers = Int(memory.receiveBuffers.count) / CoreMemory.receiveBufferSize
        #expect(buffers.nonzeroBitCount == 1, "the kernel's buffer ring is a power of two")
        var end: UInt32 = 0
        for region in [memory.receiveBuffers, memory.front, memory.cache] {
            #expect(region.offset >= end)
            end = region.offset + region.count
        }
        #expect(memory.bytesTotal >= 1 << 20)
        #expect(Int(end) + memory.bytesTotal < bytes)
        #expect(memory.bytesFree == memory.bytesTotal)
    }

    /// 4 MiB leave a pool of one largest buffer and a nested share of one.
    @Test func `serves the longest waiting first, and everyone in the end`() async throws {
        let log = try await onCore { core in
            let memory = core.memory
            #expect(memory.bytesTotal == BufferPool.largest)
            let first = await memory.lease(BufferPool.largest).detach()
            let handlers = (0..<40).map { number in
                core.spawn { core in
                    // Sizes that would fit in different orders, if anybody could overtake.
                    let lease = await core.memory.lease(BufferPool.largest >> (number % 5))
                    core.log.append(number)
                    _ = await core.loop.perform(.nop)
                    core.memory.giveBack(lease)
                }
            }
            while memory.queueLength < 40 { _ = await core.loop.perform(.nop) }
            let overtaken = memory.leaseNow(1) == nil
            #expect(overtaken)
            memory.giveBack(BufferLease(attaching: first))
            for handler in handlers { await handler.value }
            #expect(memory.queueLength == 0 && memory.bytesFree == memory.bytesTotal)
            return core.log
        }
        #expect(log == Array(0..<40))
    }

    @Test func `does not let a small request overtake a large one`() async throws {
        let log = try await onCore { core in
            let memory = core.memory
            let half = await memory.lease(BufferPool.largest / 2).detach()
            let large = core.spawn { core in
                let lease = await core.memory.lease(BufferPool.largest)
                core.log.append(1)
                core.memory.giveBack(lease)
            }
            while memory.queueLength < 1 { _ = await core.loop.perform(.nop) }
            let small = core.spawn { core in
                let lease = await core.memory.lease(1024)
                core.log.append(2)
                core.memory.giveBack(lease)
            }
            while memory.queueLength < 2 { _ = await core.loop.perform(.nop) }
            #expect(core.log.isEmpty && memory.bytesFree == BufferPool.largest / 2)
            memory.giveBack(BufferLease(attaching: half))
            await large.value
            await small.value
            return core.log
        }
        #expect(log == [1, 2])
    }

    @Test func `gives nested buffers while the pool is empty`() async throws {
        try await onCore { core in
            let memory = core.memory
            let outer = await memory.lease(BufferPool.largest)
            let inner = await memory.leaseNested(64 << 10)
            let (outerRegion, innerRegion) = (outer.region, inner.region)
            #expect(outerRegion.count == 1 << 20 && innerRegion.count == 64 << 10)
            #expect(innerRegion.offset + innerRegion.count <= outerRegion.offset)
            memory.giveBack(inner)
            memory.giveBack(outer)
            let more = await memory.leaseNested(BufferPool.largest).detach()
            #expect(memory.bytesFree == memory.bytesTotal)
            let waiting = core.spawn { core in
                core.memory.giveBack(await core.memory.leaseNested(1))
            }
            while memory.queueLength < 1 { _ = await core.loop.perform(.nop) }
            memory.giveBack(BufferLease(attaching: more))
            await waiting.value
        }
    }

    @Test func `gives what is preferred while there is plenty, and the minimum when not`()
        async throws
    {
        let sizes = try await onCore(arenaBytes: 16 << 20) { core in
            let memory = core.memory
            var held: [Region] = []
            while memory.bytesFree > memory.bytesTotal / 4 {
                let lease = await memory.lease(preferring: 1 << 20, minimum: 64 << 10)
                held.append(lease.detach())
            }
            let rich = held.count { $0.count == 1 << 20 }
            let poor = await memory.lease(preferring: 1 << 20, minimum: 64 << 10).detach()
            for region in held + [poor] { memory.giveBack(BufferLease(attaching: region)) }
            #expect(memory.bytesFree == memory.bytesTotal)
            return (rich, held.count, Int(poor.count))
        }
        #expect(sizes.0 == sizes.1 && sizes.0 > 1)
        #expect(sizes.2 == 64 << 10)
    }

    @Test func `gives less than preferred where only less is free in one piece`() async throws {
        let size = try await onCore { core in
            let memory = core.memory
            let held = await memory.lease(256 << 10)
            let lease = await memory.lease(preferring: 1 << 20, minimum: 64 << 10)
            let size = lease.region.count
            memory.giveBack(lease)
            memory.giveBack(held)
            return size
        }
        #expect(size == 512 << 10)
    }

    @Test func `lets a handler with no minimum free wait for it`() async throws {
        try await onCore { core in
            let memory = core.memory
            let all = await memory.lease(BufferPool.largest).detach()
            let handler = core.spawn { core in
                let lease = await core.memory.lease(preferring: 1 << 20, minimum: 64 << 10)
                core.log.append(Int(lease.region.count))
                core.memory.giveBack(lease)
            }
            while memory.queueLength < 1 { _ = await core.loop.perform(.nop) }
            memory.giveBack(BufferLease(attaching: all))
            await handler.value
            #expect(core.log == [64 << 10])
        }
    }

    @Test func `traps for less than it can be divided into`() async {
        await #expect(processExitsWith: .failure) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            _ = CoreMemory(arena: unsafe Arena(memory), loop: try EventLoop(index: 0))
        }
    }

    @Test func `traps for a buffer that is not its own`() async {
        await #expect(processExitsWith: .failure) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 4096)
            let own = CoreMemory(arena: unsafe Arena(memory), loop: try EventLoop(index: 0))
            own.giveBack(BufferLease(attaching: Region(offset: 0, count: 4096)))
        }
    }
}
