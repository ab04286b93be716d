// Placeholder until this module's tests are merged.
// smoke
import IO
import Loop
import Runtime
import Testing
import Uring

actor Box {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    init(_ loop: EventLoop) { self.loop = loop }
    var n = 0
    func work(_ other: Box?) async {
        let a = await loop.perform(.nop)
        let b = await loop.perform(.timeout(nanoseconds: 1000))
        await loop.sleep(until: loop.now + 1_000_000)
        let c = await other?.bump()
        print(a, b, c as Any, loop.isCurrent)
        loop.stop()
    }
    func bump() async -> Int {
        n += 1; _ = await loop.perform(.nop); precondition(loop.isCurrent); return n
    }
}

@Test func smoke() throws {
    let arena = try unsafe ArenaMemory.map(count: 8 << 20)
    let loop = try EventLoop(index: 0)
    let memory = CoreMemory(arena: arena, loop: loop)
    var driver = try CoreDriver(loop: loop, memory: memory)
    let box = Box(loop)
    Task(executorPreference: loop) { await box.work(box) }
    try driver.run()
}
